"""Rows that lie where a shuffle would send them are not shuffled again; nobody can tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.expr.stages import simplify_rules
from gpuscale.expr.walk import toposort
from gpuscale.testing.frames import assert_eq

FRAMES = {
    name: pd.DataFrame({"k": (np.arange(n) * 7) % 11, "j": np.arange(n) % 3, name: np.arange(n)})
    for name, n in (("a", 40), ("b", 30), ("c", 20))
}


def parts(npartitions=4):
    counts = (npartitions, max(1, npartitions - 1), npartitions)
    pairs = zip(FRAMES.values(), counts, strict=True)
    return [gd.from_pandas(frame, npartitions=count) for frame, count in pairs]


def as_written(lazy):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(simplify_rules, "_first", [])
        return lazy.compute(engine="sync")


def shuffles(lazy):
    nodes = toposort([lazy.optimize(until="simplify").expr])
    return sum(isinstance(node, Shuffle) for node in nodes)


def merge(left, right, on="k", how="inner", **options):
    return left.merge(right, on=on, how=how, broadcast=False, **options)


def renamed(frame, **names):
    return frame.rename(columns=names)


# How many shuffles are left of those that were written.
CASES = {
    "merges": (lambda a, b, c: merge(merge(a, b[["k", "b"]]), c[["k", "c"]]), 3),
    "left merges": (
        lambda a, b, c: merge(merge(a, b[["k", "b"]], how="left"), c[["k", "c"]], how="left"),
        3,
    ),
    "other names": (
        lambda a, b, c: merge(
            a.merge(renamed(b, k="l", j="m"), left_on="k", right_on="l", broadcast=False),
            renamed(c[["k", "c"]], k="l"),
            on="l",
        ),
        3,
    ),
    "filters and columns": (
        lambda a, b, c: merge(
            merge(a, b[["k", "b"]]).assign(d=1)[["k", "a", "d"]], c[["k", "c"]]
        ).query("a > 3"),
        3,
    ),
    "shuffled before": (lambda a, b, c: merge(a.shuffle("k"), c[["k", "c"]]), 2),
    "two keys": (
        lambda a, b, c: merge(merge(a, b, on=["k", "j"]), c, on=["k", "j"]),
        3,
    ),
    "distinct": (lambda a, b, c: merge(a, c[["k"]])[["k", "j"]].drop_duplicates(), 2),
    "distinct by keys": (lambda a, b, c: merge(a, c[["k"]]).drop_duplicates(["j", "k"]), 2),
    "another order of keys": (
        lambda a, b, c: merge(merge(a, b, on=["k", "j"]), c, on=["j", "k"]),
        4,
    ),
    "unmatched rows": (
        lambda a, b, c: merge(
            a.merge(renamed(b, k="l", j="m"), how="left", left_on="k", right_on="l",
                    broadcast=False),
            renamed(c[["k", "c"]], k="l"), on="l",
        ),
        4,
    ),
    "another key": (lambda a, b, c: merge(merge(a, b[["k", "b"]]), c[["j", "c"]], on="j"), 4),
    "a new key": (
        lambda a, b, c: merge(merge(a, b[["k", "b"]]).assign(k=lambda d: d.k + 1), c[["k", "c"]]),
        4,
    ),
    "other partitions": (
        lambda a, b, c: merge(merge(a, b[["k", "b"]]), c[["k", "c"]], npartitions=6),
        4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_shuffles_that_are_left(case):
    function, count = CASES[case]
    result = function(*parts())
    assert shuffles(result) == count
    found = result.compute(engine="sync")
    assert_eq(found, as_written(result))
    rows = [
        sorted(map(repr, f.itertuples(index=False))) for f in (found, function(*parts(1)).compute())
    ]
    assert rows[0] == rows[1]


def test_distinct_rows_are_found_where_they_are():
    a, _, c = parts()
    found = merge(a, c[["k"]]).drop_duplicates(["k", "j"], keep="last")
    assert_eq(found, as_written(found))
    assert "Exchange" in str(found.explain()).splitlines()[-2]
    spread = a.drop_duplicates(["k", "j"])
    assert "TreeReduce" in str(spread.explain()).splitlines()[-2]


@settings(max_examples=15, deadline=None)
@given(
    npartitions=st.sampled_from([1, 2, 5]),
    hows=st.lists(st.sampled_from(["inner", "left", "right", "outer"]), min_size=2, max_size=2),
    keys=st.lists(st.sampled_from(["k", "j", ["k", "j"], ["j", "k"]]), min_size=2, max_size=2),
    keep=st.sampled_from(["first", "last", False, None]),
)
def test_any_merges(npartitions, hows, keys, keep):
    def run(a, b, c):
        x = merge(a, b, on=keys[0], how=hows[0], suffixes=("", "_b"))
        x = merge(x, c, on=keys[1], how=hows[1], suffixes=("", "_c"))
        return x if keep is None else x.drop_duplicates(["k", "j"], keep=keep)

    result = run(*parts(npartitions))
    assert_eq(result.compute(engine="sync"), as_written(result))
