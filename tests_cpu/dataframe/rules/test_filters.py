"""Filters go down to where their rows come from; results are those of pandas, in its order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.partwise import Filter, Partwise
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.expr.stages import simplify_rules
from gpuscale.expr.walk import toposort
from gpuscale.testing.frames import assert_eq
from gpuscale.testing.pieces import RecordedPieces

LEFT = pd.DataFrame(
    {
        "k": [3, 1, 2, 3, 1, 0, 5, 2, 3, 1, 4, 0],
        "v": np.arange(12) % 5,
        "name": list("abcabcabcabc"),
        "both": np.arange(12) * 0.5,
    }
)
RIGHT = pd.DataFrame(
    {"k": [1, 2, 3, 3, 7], "w": [5, 6, 7, 8, 9], "both": [1.0, 2.0, 3.0, 4.0, 5.0]}
)
OTHER = RIGHT.rename(columns={"k": "key"})


def as_written(lazy):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(simplify_rules, "_first", [])
        return lazy.compute(engine="sync")


def filters_of(lazy):
    """Return what filters stand upon in the end."""
    nodes = toposort([lazy.optimize(until="simplify").expr])
    return [node.x for node in nodes if isinstance(node, Filter)]


def merged(how, **options):
    return lambda d: d.left.merge(d.right, on="k", how=how, **options)


def merged_by_two(d):
    return d.left.merge(d.other, left_on="k", right_on="key")


def numbered(frame):
    return frame.reset_index(drop=True)


def grouped(d):
    return d.left.groupby(["k", "name"]).v.sum().reset_index()


# What is made, how it is filtered, and upon how many frames filters stand in the end.
CASES = {
    "inner, left": (merged("inner"), lambda m: m[m.v > 2], 1),
    "inner, right": (merged("inner"), lambda m: m[m.w > 6], 1),
    "inner, both": (merged("inner"), lambda m: m[(m.w > 6) & (m.v > 2)], 2),
    "inner, key": (merged("inner"), lambda m: m[m.k > 1], 2),
    "inner, suffixes": (merged("inner"), lambda m: m[(m.both_x > 1) & (m.both_y < 4)], 2),
    "inner, text": (merged("inner"), lambda m: m[m.name.str.startswith("a")], 1),
    "inner, columns": (merged("inner"), lambda m: m[["v", "w"]][m.v > 2], 1),
    "inner, series": (merged("inner"), lambda m: m.w[m.v.isin([1, 3])], 1),
    "left, left": (merged("left"), lambda m: m[m.v > 2][["v", "both_y"]], 1),
    "left, key": (merged("left"), lambda m: m[m.k > 1][["k", "v", "both_y"]], 2),
    "right, right": (merged("right"), lambda m: m[m.w.between(6, 8)][["name", "w"]], 1),
    "indicator": (merged("left", indicator=True), lambda m: m[m.v > 2][["v", "_merge"]], 1),
    "other names": (merged_by_two, lambda m: m[m.key > 1], 2),
    "of merges": (
        lambda d: d.left.merge(d.right, on="k").merge(d.other, left_on="k", right_on="key"),
        lambda m: m[(m.v > 2) & (m.w_y > 5)],
        2,
    ),
    "twice": (merged("inner"), lambda m: (lambda x: x[x.v > 2])(m[m.w + m.v > 6]), 2),
    "in turn": (
        merged("inner"),
        lambda m: (lambda x: x[(x.v > 1) | (x.k == 0)])(
            (lambda x: x[x.both_x < 5])((lambda x: x[x.w + x.v > 6])(m[m.v * m.w > 4]))
        ),
        3,
    ),
    "groups in turn": (
        grouped,
        lambda m: (lambda x: x[x.k < 3])((lambda x: x[x.v > 0])(m[m.v < 9])),
        3,
    ),
    "sort": (lambda d: d.left.sort_values(["name", "v"]), lambda m: m[m.v > 2], 1),
    "distinct": (lambda d: d.left.drop_duplicates(["k", "v"]), lambda m: m[m.k > 1], 1),
    "distinct rows": (lambda d: d.left.drop_duplicates(), lambda m: m[m.v == 2], 1),
    "groups": (grouped, lambda m: m[m.name == "a"], 1),
    "plain groups": (
        lambda d: d.left.groupby(["k", "name"], as_index=False).v.sum(),
        lambda m: m[m.k.isin([1, 3])],
        1,
    ),
    "assign": (lambda d: d.left.assign(z=d.left.v * 2), lambda m: m[(m.v > 2) & (m.z < 8)], 2),
    "rename": (lambda d: d.left.rename(columns={"v": "a"}), lambda m: m[m.a > 2], 1),
    "reset_index": (
        lambda d: d.left.sort_values(["v", "k", "both"]).reset_index(),
        lambda m: m[m.v > 2],
        1,
    ),
}
# Nor are rows dropped before where that would give others.
LEFT_ALONE = {
    "outer": (merged("outer"), lambda m: m[m.v > 2]),
    "integers that may become floats": (merged("left"), lambda m: m[m.v > 2]),
    "anti": (merged("left_anti"), lambda m: m[m.v > 2]),
    "keys of two dtypes": (
        lambda d: d.left.assign(k=d.left.k * 1.0).merge(d.right, on="k"),
        lambda m: m[m.v > 2],
    ),
    "left, right": (merged("left"), lambda m: m[m.w > 6]),
    "right, left": (merged("right"), lambda m: m[m.v > 2]),
    "validate": (merged("left", validate="m:m"), lambda m: m[m.v > 2]),
    "two sides": (merged("inner"), lambda m: m[m.v + m.w > 8]),
    "of users": (merged("inner"), lambda m: m[m.v.apply(lambda v: v > 2)]),
    "all rows": (merged("inner"), lambda m: m[m.v > m.v.mean()]),
    "distinct by others": (lambda d: d.left.drop_duplicates("k"), lambda m: m[m.v > 2]),
    "results of groups": (grouped, lambda m: m[m.v > 2]),
    "new column": (lambda d: d.left.assign(v=d.left.v * 2), lambda m: m[m.v > 4]),
    "seen twice": (merged("inner"), lambda m: m[m.v > 2].assign(n=m.v.sum())),
}


class Tables:
    def __init__(self, make):
        self.left, self.right, self.other = make(LEFT), make(RIGHT), make(OTHER)


PANDAS = Tables(lambda frame: frame)


def lazily(npartitions):
    return Tables(lambda frame: gd.from_pandas(frame, npartitions=npartitions))


@pytest.mark.parametrize("npartitions", [1, 2, 5])
@pytest.mark.parametrize("case", CASES)
def test_rows_are_dropped_before(case, npartitions):
    make, keep, places = CASES[case]
    result = numbered(keep(make(lazily(npartitions))))
    found = result.compute(engine="sync")
    assert_eq(found, numbered(keep(make(PANDAS))))
    assert_eq(found, as_written(result))
    where = filters_of(result)
    assert len(where) == places
    if case not in ("twice", "in turn", "groups in turn"):
        assert not any(isinstance(each, Partwise) for each in where)


@pytest.mark.parametrize("npartitions", [1, 2, 5])
@pytest.mark.parametrize("case", LEFT_ALONE)
def test_rows_are_not_dropped_before_they_are_known(case, npartitions):
    make, keep = LEFT_ALONE[case]
    result = numbered(keep(make(lazily(npartitions))))
    expected = numbered(keep(make(PANDAS)))
    found = result.compute(engine="sync")
    if case in ("outer", "validate") and npartitions > 1:
        found, expected = (numbered(f.sort_values(["k", "v", "w"])) for f in (found, expected))
    assert_eq(found, expected)
    written = numbered(keep(make(lazily(npartitions)))).optimize(until="expression").expr
    assert len(filters_of(result)) == sum(isinstance(n, Filter) for n in toposort([written]))


def test_labels_that_are_seen_stay():
    d = lazily(1)
    for make, keep in (CASES["inner, left"][:2], CASES["groups"][:2], CASES["reset_index"][:2]):
        result = keep(make(d))
        assert_eq(result, keep(make(PANDAS)))
        assert_eq(result.index.max(), keep(make(PANDAS)).index.max())


def test_filters_in_a_row_become_one():
    d = lazily(2)
    found = d.left.merge(d.right[d.right.w > 5], on="k")
    found = found[(found.w < 8) & (found.k > 1) & (found.v > 2)]
    assert len(filters_of(found)) == 2


def test_less_is_read_of_files():
    left, right = RecordedPieces(LEFT, 3), RecordedPieces(RIGHT, 2)
    d = Tables(lambda frame: gd.from_pandas(frame, npartitions=2))
    d.left, d.right = (wrap(ReadPieces(each, None, ())) for each in (left, right))
    found = d.left.sort_values("v").merge(d.right, on="k")
    found = found[(found.k > 1) & (found.w < 8) & (found.v > 2)]
    total = found.groupby("name").v.sum()
    expected = LEFT.sort_values("v").merge(RIGHT, on="k")
    expected = expected[(expected.k > 1) & (expected.w < 8) & (expected.v > 2)]
    assert_eq(total, expected.groupby("name").v.sum())
    assert {predicate for _, predicate in left.reads} == {(("k", ">", 1), ("v", ">", 2))}
    assert {predicate for _, predicate in right.reads} == {(("k", ">", 1), ("w", "<", 8))}


def test_concat_is_filtered_file_by_file():
    parts = [RecordedPieces(LEFT, 2), RecordedPieces(LEFT.iloc[::-1], 2)]
    both = gd.concat([wrap(ReadPieces(each, None, ())) for each in parts])
    expected = pd.concat([LEFT, LEFT.iloc[::-1]])
    assert_eq(both[both.v > 2], expected[expected.v > 2])
    assert all(predicate == (("v", ">", 2),) for each in parts for _, predicate in each.reads)


STEPS = {
    "sort": lambda f: f.sort_values(["name", "v"]),
    "merge": lambda f: f.merge(f.right, on="k"),
    "assign": lambda f: f.assign(v=f.v + 1),
    "filter": lambda f: f[(f.v > 1) & (f.k < 4)],
    "more": lambda f: f[f.name.isin(["a", "b"])],
    "distinct": lambda f: f.drop_duplicates(["k", "name"]),
}


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=2, max_size=5),
    how=st.sampled_from(["inner", "left", "right"]),
    npartitions=st.sampled_from([1, 2, 5]),
)
def test_pipelines(steps, how, npartitions):
    def run(frame, right):
        count = 0
        for step in [*steps, "filter"]:
            if step == "merge":
                count += 1
                other = right.rename(columns={"w": f"w{count}"})[["k", f"w{count}"]]
                frame = frame.merge(other, on="k", how=how)
            else:
                frame = STEPS[step](frame)
        return frame

    lazy = run(gd.from_pandas(LEFT, npartitions=npartitions), gd.from_pandas(RIGHT, npartitions=1))
    expected = run(LEFT, RIGHT)
    if npartitions > 1 and "merge" in steps:
        lazy, expected = numbered(lazy), numbered(expected)
    found = lazy.compute(engine="sync")
    assert_eq(found, expected)
    assert_eq(found, as_written(lazy))
