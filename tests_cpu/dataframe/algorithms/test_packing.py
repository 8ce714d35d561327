"""Rows as numbers of 64 bits: equal where the rows are, or not made at all."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.dataframe.algorithms import packing
from gpuscale.dataframe.algorithms.packing import duplicated, packed
from gpuscale.testing.frames import frames

ENDS = [
    *(np.array([np.iinfo(dtype).min, 0, np.iinfo(dtype).max], dtype) for dtype in ("i1", "u1")),
    *(np.array([np.iinfo(dtype).min, 7, np.iinfo(dtype).max], dtype) for dtype in ("i4", "u4")),
    np.array([2**64 - 1, 2**64 - 3, 2**64 - 2], "u8"),
    np.array([-(2**63), -(2**63) + 1, -(2**63) + 2], "i8"),
    np.array([True, False, True]),
    np.array(["2020-01-01", "1969-01-01", "2020-01-02"], "M8[ns]"),
]


@pytest.mark.parametrize("values", ENDS, ids=lambda values: str(values.dtype))
@pytest.mark.parametrize("keep", ["first", "last", False])
def test_ends_of_dtypes(values, keep):
    rows = pd.DataFrame({"a": np.r_[values, values], "b": [1, 1, 1, 1, 2, 1]})
    assert packed([rows.a, rows.b]) is not None
    np.testing.assert_array_equal(duplicated(rows, None, keep), rows.duplicated(keep=keep))


def test_rows_that_are_too_many_for_64_bits_have_no_numbers():
    ends = pd.Series([-(2**63), 2**63 - 1])
    assert packed([ends]) is None
    assert packed([pd.Series([0, 2**32 - 1])] * 2) is None
    assert packed([pd.Series([0, 2**31 - 1])] * 2).tolist() == [0, 2**62 - 1]
    missing = pd.Series(pd.to_datetime(["2020-01-01", None]))
    rows = pd.DataFrame({"a": missing, "b": missing})
    assert duplicated(pd.concat([rows, rows]), None, "first").tolist() == [False] * 2 + [True] * 2


@settings(max_examples=60, deadline=None)
@given(frame=frames(max_columns=3), keep=st.sampled_from(["first", "last", False]))
def test_rows_that_are_there_again_are_those_of_pandas(frame, keep):
    np.testing.assert_array_equal(duplicated(frame, None, keep), frame.duplicated(keep=keep))


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-2, 3), st.integers(0, 2)), max_size=40),
    width=st.integers(1, 2),
    keep=st.sampled_from(["first", "last", False]),
)
def test_rows_of_which_the_leading_column_is_in_order(rows, width, keep):
    frame = pd.DataFrame(rows, columns=["a", "b"], dtype="int16").sort_values("a", kind="stable")
    subset = ["a", "b"][:width]
    np.testing.assert_array_equal(
        duplicated(frame, subset, keep), frame.duplicated(subset, keep=keep)
    )


@pytest.mark.parametrize("run", [1, 2, 12, 13, 40])
@pytest.mark.parametrize("keep", ["first", "last", False])
def test_runs_of_any_length_and_of_missing_times(run, keep):
    """Few rows that are alike in the leading column are compared with each other, many sorted."""
    moments = pd.to_datetime(["2020-01-01", "2020-01-03"]).insert(0, pd.NaT)
    rows = pd.DataFrame({"when": moments.repeat(run), "n": np.arange(3 * run, dtype="u8") * 7 % 3})
    rows["flag"] = rows.n == 1
    np.testing.assert_array_equal(duplicated(rows, None, keep), rows.duplicated(keep=keep))


@pytest.mark.parametrize("block", [1, 2, 5])
@pytest.mark.parametrize("keep", ["first", "last", False])
def test_runs_that_go_on_in_the_next_block(block, keep, monkeypatch):
    monkeypatch.setattr(packing, "_BLOCK", block)
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"a": np.arange(60) // 4, "b": random.integers(0, 3, 60)})
    np.testing.assert_array_equal(duplicated(rows, None, keep), rows.duplicated(keep=keep))
