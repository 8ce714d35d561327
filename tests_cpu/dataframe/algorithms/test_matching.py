"""Rows that meet none of another frame are left out before a merge, which nobody can tell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.base import config
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
    own=st.lists(st.integers(0, 12), unique=True, max_size=13),
    dtype=st.sampled_from(DTYPES),
    how=st.sampled_from(["inner", "left"]),
    name=st.sampled_from(["k", "n"]),
)
def test_a_frame_that_has_each_number_once(numbers, own, dtype, how, name):
    left = pd.DataFrame({"x": np.arange(len(numbers)), "k": np.array(numbers, dtype="int64")})
    left = left.set_axis(left.index * 2 + 1).astype({"k": dtype})
    right = pd.DataFrame({"s": list(map(str, own)), name: np.array(own, dtype="int64")})
    right = right.astype({name: dtype})
    for other in (right, right.assign(x=1)):  # with a name that both have
        expected = left.merge(other, how=how, left_on="k", right_on=name)
        found = Merge(how, left_on="k", right_on=name)(left, other)
        pd.testing.assert_frame_equal(found, expected, check_column_type=True)


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.sampled_from(["a", "b", "", None, "a long text, longer"]), max_size=20),
    own=st.lists(
        st.sampled_from(["a", "", None, "a long text, longer"]), unique_by=str, max_size=4
    ),
    dtype=st.sampled_from(["str", "string[pyarrow]", "category"]),
    how=st.sampled_from(["inner", "left"]),
)
def test_a_frame_that_has_each_text_once(texts, own, dtype, how):
    left = pd.DataFrame({"x": np.arange(len(texts)), "k": pd.array(texts, dtype="str")})
    right = pd.DataFrame({"k": pd.array(own, dtype="str"), "y": np.arange(len(own)) * 0.5})
    left, right = (each.astype({"k": dtype}) for each in (left, right))
    with config.set({"codegen.min-elements": 0}):
        for other in (right, pd.concat([right, right[:1]])):
            expected = left.merge(other, how=how, on="k")
            found = Merge(how, on="k")(left, other)
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
