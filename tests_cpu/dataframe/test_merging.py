"""Rows of two frames by what they share, against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.base import config
from gpuscale.dataframe.algorithms.merging import Merge
from gpuscale.dataframe.api.merging import _most
from gpuscale.io.frame_readers import PiecesReader
from gpuscale.memory.limits import within_workers
from gpuscale.testing.frames import COLUMNS, assert_eq

HOWS = ("inner", "left", "right", "outer")
KEYS = ("int64", "float64", "str", "Int64", "datetime64[ns]", "category", "bool")


def assert_same_rows(lazy, expected):
    """Compare rows in any order; their numbers are those of partitions."""
    found = lazy.compute(engine="sync")
    assert list(found.dtypes) == list(expected.dtypes)
    assert list(found.columns) == list(expected.columns)
    rows, others = (
        sorted(map(repr, each.itertuples(index=False, name=None))) for each in (found, expected)
    )
    assert rows == others


@pytest.fixture
def left():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "k": rng.integers(0, 20, 60),
            "v": rng.integers(0, 9, 60),
            "s": rng.choice(list("abc"), 60),
        }
    )


@pytest.fixture
def right():
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {"k": rng.integers(5, 25, 30), "v": rng.integers(0, 9, 30), "w": rng.integers(0, 9, 30)}
    )


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("broadcast", [True, False])
def test_ways_to_merge(left, right, how, broadcast):
    lazy, other = gd.from_pandas(left, npartitions=4), gd.from_pandas(right, npartitions=3)
    for options in ({"on": "k"}, {"on": ["k", "v"]}, {"left_on": "v", "right_on": "w"}):
        result = lazy.merge(other, how=how, broadcast=broadcast, **options)
        assert_same_rows(result, left.merge(right, how=how, **options))


@settings(max_examples=25)
@given(data=st.data())
def test_keys_of_any_dtype_with_nulls_and_duplicates(data):
    dtype = data.draw(st.sampled_from(KEYS))
    frames = []
    for name in ("x", "y"):
        keys = data.draw(st.lists(COLUMNS[dtype], max_size=12))
        values = pd.Series(range(len(keys)), dtype="int64")
        keys = pd.Series(keys, dtype=dtype)
        if dtype == "category":
            keys = keys.cat.set_categories(["a", "b", "c"])
        frames.append(pd.DataFrame({"k": keys, name: values}))
    how = data.draw(st.sampled_from(HOWS))
    lazy = [gd.from_pandas(each, npartitions=data.draw(st.integers(1, 4))) for each in frames]
    result = gd.merge(*lazy, on="k", how=how, broadcast=False)
    assert_same_rows(result, pd.merge(*frames, on="k", how=how))


@pytest.mark.parametrize("dtype", ["Int64", "float64", "str"])
@pytest.mark.parametrize("how", HOWS)
def test_small_frames_meet_in_the_order_of_pandas(how, dtype):
    left = pd.DataFrame({"k": pd.array([1, None, 3, 2, None]), "v": range(5)})
    right = pd.DataFrame({"k": pd.array([3, None, 7, 2, 0]), "w": range(5)})
    frames = [each.astype({"k": dtype}) for each in (left, right)]
    lazy = [gd.from_pandas(each, npartitions=3) for each in frames]
    for mine, theirs in ((*lazy,), (lazy[0], frames[1]), (frames[0], lazy[1])):
        result = gd.merge(mine, theirs, on="k", how=how)
        expected = frames[0].merge(frames[1], on="k", how=how)
        assert_eq(result.reset_index(drop=True), expected)


@pytest.mark.parametrize("npartitions", [1, 2, 127, 128, 129, 257])
def test_no_row_is_lost(npartitions):
    frame = pd.DataFrame({"k": np.arange(1000) % 300, "x": np.arange(1000)})
    other = pd.DataFrame({"k": np.arange(300), "y": np.arange(300)})
    lazy = gd.from_pandas(frame, npartitions=3)
    result = lazy.merge(
        gd.from_pandas(other, npartitions=2), on="k", npartitions=npartitions, broadcast=False
    )
    found = result.compute(engine="sync").sort_values("x", ignore_index=True)
    pd.testing.assert_frame_equal(found, frame.merge(other, on="k"))


def test_keys_that_are_equal_meet_whatever_their_dtypes(left, right):
    lazy = gd.from_pandas(left, npartitions=4)
    for dtype in ("float64", "Int64", "int8", "int64[pyarrow]"):
        other = right.astype({"k": dtype})
        result = lazy.merge(gd.from_pandas(other, npartitions=3), on="k", broadcast=False)
        assert len(result) == len(left.merge(other, on="k"))


def test_indexes(left, right):
    one, other = left.set_index("k"), right.set_index("k")
    lazy, lazy_other = gd.from_pandas(one, npartitions=4), gd.from_pandas(other, npartitions=3)
    result = lazy.merge(lazy_other, left_index=True, right_index=True, broadcast=False)
    expected = one.merge(other, left_index=True, right_index=True)
    assert_same_rows(result.reset_index(), expected.reset_index())
    in_order = lazy.sort_index().join(lazy_other.sort_index(), suffixes=("", "_r"), how="outer")
    both = {"left_index": True, "right_index": True}
    expected = one.merge(other, suffixes=("", "_r"), how="outer", **both)
    assert_same_rows(in_order.reset_index(), expected.reset_index())
    joined = gd.from_pandas(left, npartitions=4).join(lazy_other[["w"]], on="k")
    assert_same_rows(joined, left.join(other[["w"]], on="k"))


def test_a_small_frame_leaves_the_order(left, right):
    lazy = gd.from_pandas(left, npartitions=4).merge(right, on="k", how="left")
    expected = left.merge(right, on="k", how="left")
    assert_eq(lazy.reset_index(drop=True), expected)
    assert "shuffle" not in str(lazy.explain())


def test_indicator_validation_and_order(left, right):
    lazy, other = gd.from_pandas(left, npartitions=4), gd.from_pandas(right, npartitions=3)
    options = {"on": "k", "how": "outer", "indicator": True}
    assert_same_rows(lazy.merge(other, **options), left.merge(right, **options))
    with pytest.raises(pd.errors.MergeError):
        lazy.merge(other, on="k", validate="1:1").compute(engine="sync")
    by_key = lazy.merge(other, on="k", sort=True, broadcast=False).k
    assert_eq(by_key.reset_index(drop=True), left.merge(right, on="k", sort=True).k)


def test_crosses(left, right):
    lazy = gd.from_pandas(left[["v"]], npartitions=3).merge(right[["w"]], how="cross")
    assert_same_rows(lazy, left[["v"]].merge(right[["w"]], how="cross"))


def test_nearest_rows(left, right):
    one = left.sort_values("k", ignore_index=True)
    other = right.sort_values("k", ignore_index=True)
    lazy = gd.merge_asof(gd.from_pandas(one, npartitions=4), other, on="k", direction="nearest")
    expected = pd.merge_asof(one, other, on="k", direction="nearest")
    assert_eq(lazy.reset_index(drop=True), expected)


def test_columns_that_nobody_wants_are_not_moved(left, right):
    lazy, other = gd.from_pandas(left, npartitions=4), gd.from_pandas(right, npartitions=3)
    result = lazy.merge(other, on="k", broadcast=False)[["w", "s"]]
    merged = next(each for each in _nodes(result.optimize("simplify").expr) if "merge" in each.name)
    assert [list(side.meta.frame.columns) for side in merged.args] == [["k", "s"], ["k", "w"]]
    assert_same_rows(result, left.merge(right, on="k")[["w", "s"]])
    suffixed = lazy.merge(other, on="k", broadcast=False)[["v_y"]]
    assert_same_rows(suffixed, left.merge(right, on="k")[["v_y"]])


def _nodes(node):
    from gpuscale.expr.walk import toposort

    return toposort([node])


def test_a_file_that_goes_everywhere_is_read_once(left, right, tmp_path, monkeypatch):
    right.to_parquet(tmp_path / "right.parquet")
    calls, read = [], PiecesReader.read
    monkeypatch.setattr(PiecesReader, "read", lambda *args: calls.append(args) or read(*args))
    other = gd.read_parquet(tmp_path / "right.parquet")
    result = gd.from_pandas(left, npartitions=4).merge(other, on="k")
    assert_same_rows(result, left.merge(right, on="k"))
    assert len(calls) == 1


def test_a_merge_planned_again_is_tried_on_no_rows_again(left, right, monkeypatch):
    lazy, other = gd.from_pandas(left, npartitions=2), gd.from_pandas(right, npartitions=2)
    expected = lazy.merge(other, on="k").dtypes
    tried, call = [], Merge.__call__
    monkeypatch.setattr(Merge, "__call__", lambda *args: tried.append(args) or call(*args))
    pd.testing.assert_series_equal(lazy.merge(other, on="k").dtypes, expected)
    assert not tried
    assert lazy.astype({"v": "float64"}).merge(other, on="k").dtypes["v_x"] == "float64"
    assert len(tried) == 1


def test_bad_input(left, right):
    lazy, other = gd.from_pandas(left, npartitions=4), gd.from_pandas(right, npartitions=3)
    with pytest.raises(KeyError, match="did you mean 'k'"):
        lazy.merge(other, on="K")
    with pytest.raises(TypeError, match="keys of a merge are labels"):
        lazy.merge(other, left_on=lazy.k, right_on="k")
    with pytest.raises(TypeError, match="not list"):
        lazy.merge([1])
    with pytest.raises(pd.errors.MergeError):
        lazy.merge(other, on="k", left_on="v")
    with pytest.raises(ValueError, match="merge on"):
        lazy.merge(other.astype({"k": "str"}), on="k")


@pytest.mark.parametrize("how", HOWS)
def test_frames_are_small_by_the_memory_of_workers(how):
    lazy = gd.from_pandas(pd.DataFrame({"k": np.arange(8000) % 90, "v": 1}), npartitions=4)
    other = gd.from_pandas(pd.DataFrame({"k": np.arange(4000), "w": 2}), npartitions=2)
    size = other.expr.meta.nbytes

    def is_shuffled(room):
        with config.set({"memory-limit": room}):
            return "shuffle" in str(lazy.merge(other, on="k", how=how).explain())

    assert [is_shuffled(16 * most) for most in (size // 2, 3 * size)] == [True, False]


def test_threads_of_a_worker_share_what_is_small():
    lazy = gd.from_pandas(pd.DataFrame({"k": np.arange(8000) % 90, "v": 1}), npartitions=4)
    with within_workers(1 << 20, n_threads=4):
        assert _most(lazy) == (1 << 20) // 64
