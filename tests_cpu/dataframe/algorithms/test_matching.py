"""Rows that meet none of another frame are left out before a merge, which nobody can tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.dataframe.algorithms.matching import merged_by_numbers, without_strangers
from gpuscale.dataframe.algorithms.merging import Merge

DTYPES = ["int8", "uint8", "int32", "int64", "uint64", "float64", "Int64"]


def tables(name, key):
    keys = st.lists(st.integers(0, 40), max_size=60)
    return st.builds(
        lambda numbers, dtype: pd.DataFrame(
            {key: np.array(numbers, "int64"), name: np.arange(len(numbers)) * 0.5}
        ).astype({key: dtype}),
        keys,
        st.sampled_from(DTYPES),
    )


@settings(max_examples=80, deadline=None)
@given(
    left=tables("x", "k"),
    right=tables("y", "k") | tables("y", "other"),
    how=st.sampled_from(["inner", "left", "right", "outer"]),
    indicator=st.booleans(),
)
def test_merges_are_those_of_pandas(left, right, how, indicator):
    if how == "outer" and not (len(left) and len(right)):
        return  # pandas itself fails where nullable integers meet others, of which there are none
    names = {"left_on": "k", "right_on": right.columns[0]}
    expected = pd.merge(left, right, how=how, indicator=indicator, **names)
    result = Merge(how=how, indicator=indicator, **names)(left, right)
    pd.testing.assert_frame_equal(result, expected)


@pytest.mark.parametrize("far", [-(2**63), -1, 2**63 - 1])
def test_numbers_far_from_all_others_meet_nothing(far):
    many = pd.DataFrame({"k": [far, *range(100), far]})
    few = pd.DataFrame({"k": [3, 90]})
    assert without_strangers(many, "k", "k", few).k.tolist() == [3, 90]
    wide = pd.DataFrame({"k": [-(2**63), 2**63 - 1]})
    assert without_strangers(many, "k", "k", wide) is many


def test_what_a_merge_validates_or_keeps_is_not_left_out():
    left = pd.DataFrame({"k": [1, 2, 2, 3, 4, 5, 6]})
    right = pd.DataFrame({"k": [1], "x": [2]})
    with pytest.raises(pd.errors.MergeError, match="not unique in left"):
        Merge(on="k", validate="1:1")(left, right)
    assert Merge("left", on="k")(left, right).k.tolist() == left.k.tolist()
    assert Merge("right", on="k")(right, left).k.tolist() == left.k.tolist()


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 12), max_size=30),
    own=st.lists(st.integers(0, 12), unique=True, max_size=13)
    | st.lists(st.integers(0, 12), max_size=20),
    dtype=st.sampled_from(DTYPES),
    how=st.sampled_from(["inner", "left"]),
    name=st.sampled_from(["k", "n"]),
    compiled=st.booleans(),
)
def test_frames_by_a_number(numbers, own, dtype, how, name, compiled):
    left = pd.DataFrame({"x": np.arange(len(numbers)), "k": np.array(numbers, dtype="int64")})
    left = left.set_axis(left.index * 2 + 1).astype({"k": dtype})
    right = pd.DataFrame({"s": list(map(str, own)), name: np.array(own, dtype="int64")})
    right = right.astype({name: dtype})
    for other in (right, right.assign(x=1)):  # with a name that both have
        expected = left.merge(other, how=how, left_on="k", right_on=name)
        with config.set({"codegen.min-elements": 0 if compiled else 1 << 20}):
            found = Merge(how, left_on="k", right_on=name)(left, other)
        pd.testing.assert_frame_equal(found, expected, check_column_type=True)


TEXTS = ["a", "b", "", None, "a long text, longer"]
KINDS = ["str", "string[pyarrow]", "category"]


@settings(max_examples=80, deadline=None)
@given(
    texts=st.lists(st.sampled_from(TEXTS), max_size=20),
    own=st.lists(st.sampled_from(TEXTS[:1] + TEXTS[2:]), unique_by=str, max_size=4)
    | st.lists(st.sampled_from(TEXTS[2:]), max_size=9),
    dtypes=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    how=st.sampled_from(["inner", "left"]),
    name=st.sampled_from(["k", "n"]),
    columns=st.sampled_from([None, ("x", "y"), ("y",), ()]),
)
def test_frames_by_a_text(texts, own, dtypes, how, name, columns):
    left = pd.DataFrame({"x": np.arange(len(texts)), "k": pd.array(texts, dtype="str")})
    right = pd.DataFrame({name: pd.array(own, dtype="str"), "y": np.arange(len(own)) * 0.5})
    left, right = left.astype({"k": dtypes[0]}), right.astype({name: dtypes[1]})
    expected = left.merge(right, how=how, left_on="k", right_on=name)
    with config.set({"codegen.min-elements": 0}):
        found = Merge(how, left_on="k", right_on=name, columns=columns)(left, right)
    expected = expected if columns is None else expected[list(columns)]
    pd.testing.assert_frame_equal(found, expected, check_column_type=True)


def test_what_is_not_merged_by_numbers():
    left = pd.DataFrame({"k": [1, 2, 5]})
    once, twice = pd.DataFrame({"k": [2, 1], "x": 0}), pd.DataFrame({"k": [2, 1, 2], "x": 0})
    assert merged_by_numbers(left, once, "k", "k", "inner").k.tolist() == [1, 2]
    assert merged_by_numbers(left, once, "k", "k", "left") is None
    assert merged_by_numbers(left[:2], once, "k", "k", "left").k.tolist() == [1, 2]
    assert merged_by_numbers(left, twice, "k", "k", "inner") is None
    assert merged_by_numbers(left, once.astype({"k": "int32"}), "k", "k", "inner") is None
    assert merged_by_numbers(left, once.rename_axis(columns="c"), "k", "k", "inner") is None
    far = pd.DataFrame({"k": [-(2**63), 2**63 - 1], "x": 0})
    assert merged_by_numbers(left, far, "k", "k", "inner") is None


def test_rows_that_meet_often_are_counted_before_they_are_listed():
    frames = [pd.DataFrame({"k": np.zeros(1000, "int64"), name: 0.5}) for name in "xy"]
    options = {"memory-limit": "1 MB", "codegen.min-elements": 0}
    with config.set(options), pytest.raises(MemoryBudgetError, match="gives 1,000,000 rows"):
        Merge(on="k")(*frames)


def test_keys_that_lie_between_others_in_memory():
    beside = pd.DataFrame(np.arange(80).reshape(40, 2) % 7, columns=["k", "x"])
    backwards = pd.DataFrame({"k": np.arange(7)[::-1], "y": np.arange(7)[::-1] * 0.5})[::-1]
    for left, right in ((beside, backwards), (backwards, beside)):
        with config.set({"codegen.min-elements": 0}):
            found = Merge(on="k")(left, right)
        pd.testing.assert_frame_equal(found, left.merge(right, on="k"))
