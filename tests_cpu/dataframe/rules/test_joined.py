"""Merges give no column that nobody wants, and nobody can tell."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.dataframe.nodes.partwise import Project
from gpuscale.dataframe.rules.joined import is_merge
from gpuscale.expr.stages import optimize
from gpuscale.expr.walk import toposort

RNG = np.random.default_rng(0)
LEFT = pd.DataFrame({"k": RNG.integers(0, 9, 60), "v": range(60), "x": RNG.integers(0, 5, 60)})
RIGHT = pd.DataFrame({"k": RNG.integers(3, 12, 20), "w": range(20), "x": RNG.integers(0, 5, 20)})
CASES = [
    (lambda t: t[["v", "w"]], ["v", "w"]),
    (lambda t: t[["w", "v"]], ["v", "w"]),
    (lambda t: t.w, ["w"]),
    (lambda t: t[["x_y"]], ["x_y"]),
    (lambda t: t.assign(n=t.v + 1)[["n"]], ["v"]),
    (lambda t: t[t.v > t.w][["v"]], ["v", "w"]),
    (lambda t: t.groupby("k")[["w"]].sum(), ["k", "w"]),
    (lambda t: t, ["k", "v", "x_x", "w", "x_y"]),
]


def nodes_of(lazy):
    return list(toposort(optimize([lazy.expr], "simplify")))


@pytest.mark.parametrize("broadcast", [True, False])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_columns_of_a_merge(case, broadcast):
    ask, columns = CASES[case]
    left, right = gd.from_pandas(LEFT, npartitions=3), gd.from_pandas(RIGHT, npartitions=2)
    for how in ("inner", "left", "right", "outer"):
        lazy = ask(left.merge(right, on="k", how=how, broadcast=broadcast))
        (merge,) = filter(is_merge, nodes_of(lazy))
        assert list(merge.meta.frame.columns) == columns
        result, expected = (
            each.to_frame() if each.ndim == 1 else each
            for each in (lazy.compute(engine="sync"), ask(LEFT.merge(RIGHT, on="k", how=how)))
        )
        assert list(result.columns) == list(expected.columns)
        rows = [
            each.sort_values(list(each.columns), ignore_index=True) for each in (result, expected)
        ]
        pd.testing.assert_frame_equal(*rows)


def test_nothing_is_chosen_among_what_is_all():
    left, right = gd.from_pandas(LEFT, npartitions=3), gd.from_pandas(RIGHT, npartitions=2)
    lazy = left.merge(right, on="k")[["v", "w"]]
    assert not [each for each in nodes_of(lazy) if isinstance(each, Project) and is_merge(each.x)]
