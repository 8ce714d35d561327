"""Merges, and groups of distinct rows, where files say that keys come in order of partitions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.algorithms.key_ranges import KeyRange, cut_at
from gpuscale.dataframe.rules import ranges
from gpuscale.expr.stages import simplify_rules
from gpuscale.testing.frames import assert_eq

FEW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def as_written(lazy):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(simplify_rules, "_first", [])
        return lazy.compute(engine="sync")


def fires(lazy):
    return str(lazy.explain()).count("in-order")


def rows_of(frame):
    return sorted(map(repr, frame.itertuples(index=False, name=None)))


@pytest.fixture
def stored(tmp_path):
    """Write a frame with row groups of some rows, and read each as a partition."""

    def store(frame, rows):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        frame.to_parquet(path, row_group_size=rows)
        return gd.read_parquet(path, split_row_groups=True)

    return store


@pytest.fixture
def lines():
    return pd.DataFrame({"k": np.arange(60) // 4, "v": np.arange(60) % 7, "w": np.arange(60)})


@pytest.fixture
def orders():
    return pd.DataFrame({"k": np.arange(15), "o": np.arange(15) % 3})


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer", "left_anti"])
def test_merges_in_order(stored, lines, orders, how):
    left, right = stored(lines, 13), stored(orders[3:], 6)
    result = left[left.v > 1].merge(right, on="k", how=how, broadcast=False)
    assert fires(result) == 2
    found = result.compute(engine="sync")
    expected = lines[lines.v > 1].merge(orders[3:], on="k", how=how)
    assert rows_of(found) == rows_of(expected) == rows_of(as_written(result))
    if how in ("inner", "left"):  # and the rows are in order of the keys, as those of pandas are
        assert_eq(result.reset_index(drop=True), expected)


def test_what_is_known_of_keys_lasts(stored, lines, orders):
    left, right = stored(lines, 13), stored(orders, 6)
    small = pd.DataFrame({"v": [0, 1, 2], "z": [7, 8, 9]})
    first = left.assign(x=left.w + 1).merge(small, on="v").merge(right, on="k", broadcast=False)
    again = first[["k", "x", "o"]].merge(left[["k", "w"]], on="k", broadcast=False)
    assert fires(again) == 3  # the first merge stays as it is cut
    expected = lines.assign(x=lines.w + 1).merge(small, on="v").merge(orders, on="k")
    expected = expected[["k", "x", "o"]].merge(lines[["k", "w"]], on="k")
    assert rows_of(again.compute(engine="sync")) == rows_of(expected)


def test_where_nothing_is_known_rows_are_shuffled(stored, lines, orders):
    right = stored(orders, 6)
    for left in (lines[::-1], lines.sample(frac=1, random_state=0), lines.astype({"k": "float64"})):
        result = stored(left, 13).merge(right, on="k", broadcast=False)
        assert not fires(result)
        assert rows_of(result.compute(engine="sync")) == rows_of(left.merge(orders, on="k"))
    left = stored(lines, 13)
    for other in (left.assign(k=left.w), left.rename(columns={"k": "w", "w": "k"})):
        assert not fires(other.merge(right, on="k", broadcast=False))
    wide = left.merge(right, on="k", broadcast=False, npartitions=3)
    assert not fires(wide)


def test_keys_of_other_ranges_are_not_gathered_in_one_partition(stored, lines, orders, monkeypatch):
    left, right = stored(lines, 13), stored(orders.assign(k=orders.k + 14), 6)
    result = left.merge(right, on="k", broadcast=False)
    assert fires(result) == 2
    assert rows_of(result.compute(engine="sync")) == rows_of(
        lines.merge(orders.assign(k=orders.k + 14), on="k")
    )
    monkeypatch.setattr(ranges, "_SMALL", 0)
    assert not fires(left.merge(right, on="k", broadcast=False, suffixes=("", "_")))


@FEW
@given(data=st.data())
def test_any_keys_in_order(stored, data):
    frames, lazy = [], []
    for name in "vw":
        parts = data.draw(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1))
        keys = [4 * k + key for k, part in enumerate(parts) for key in part]
        dtype = data.draw(st.sampled_from(["int8", "int64", "uint16"]))
        frame = pd.DataFrame({"k": np.array(keys, dtype), name: range(len(keys))})
        frames.append(frame)
        lazy.append(stored(frame, 3))
    how = data.draw(st.sampled_from(["inner", "left", "outer"]))
    result = lazy[0].merge(lazy[1], on="k", how=how, broadcast=False)
    found = result.compute(engine="sync")
    assert rows_of(found) == rows_of(frames[0].merge(frames[1], on="k", how=how))
    keep = data.draw(st.sampled_from(["first", "last", False]))
    name = data.draw(st.sampled_from(["sum", "count", "first"]))

    def groups(frame):
        frame = frame.assign(v=frame.v % 3, x=frame.v)
        return getattr(frame.drop_duplicates(["k", "v"], keep=keep).groupby("k").x, name)()

    assert_eq(groups(lazy[0]), groups(frames[0]))


def test_groups_of_distinct_rows(stored, lines):
    df = stored(lines, 13)
    pairs, expected = df[["k", "v"]].drop_duplicates(), lines[["k", "v"]].drop_duplicates()
    counts = pairs.groupby("k").v.agg(["count", "sum"])
    assert fires(counts) == 1
    assert counts.npartitions == 1
    assert_eq(counts, expected.groupby("k").v.agg(["count", "sum"]))
    for lazy in (pairs.groupby("v").k.sum(), pairs.groupby("k", sort=False).v.sum(), pairs):
        assert not fires(lazy)
    both = pairs.groupby("k").v.sum() + pairs.v.sum()  # somebody else reads the distinct rows
    assert not fires(both)
    assert_eq(both, expected.groupby("k").v.sum() + expected.v.sum())


def test_bounds_beyond_the_dtype():
    frame = pd.DataFrame({"k": np.array([3, 1, 2], np.int8)})
    assert KeyRange("k", -1000, 1000, 1.0)(frame).k.tolist() == [3, 1, 2]
    assert KeyRange("k", None, 1000, 1.0)(frame.sort_values("k")).k.tolist() == [1, 2, 3]
    assert cut_at([5, 6], "k", [(7, 9)]) == ((), (), ((0, None),))
