"""The largest and the smallest rows against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq, frames

NUMBERS = ("int64", "int8", "float64", "float32", "datetime64[ns]", "Int64")


@settings(max_examples=30, deadline=None)
@given(
    frame=frames(NUMBERS),
    n=st.integers(-1, 14),
    keep=st.sampled_from(["first", "last", "all"]),
    name=st.sampled_from(["nlargest", "nsmallest"]),
    parts=st.integers(1, 4),
)
def test_rows_and_their_order_are_those_of_pandas(frame, n, keep, name, parts):
    columns = list(frame.columns[:2])
    try:
        expected = getattr(frame, name)(n, columns, keep=keep)
    except IndexError:  # no rows, or none asked for, of several columns
        return
    lazy = gd.from_pandas(frame, npartitions=parts)
    assert_eq(getattr(lazy.c0, name)(n, keep=keep), getattr(frame.c0, name)(n, keep=keep))
    assert_eq(getattr(lazy, name)(n, columns, keep=keep), expected)


@pytest.mark.parametrize("keep", ["first", "last", "all"])
def test_many_equal_rows(keep):
    pdf = pd.DataFrame({"x": np.arange(400) * 7 % 5, "y": np.arange(400) * 3 % 11})
    df = gd.from_pandas(pdf, npartitions=7)
    for n in (3, 70, 90, 399, 400):
        assert_eq(df.nlargest(n, ["x", "y"], keep=keep), pdf.nlargest(n, ["x", "y"], keep=keep))
        assert_eq(df.x.nsmallest(n, keep=keep), pdf.x.nsmallest(n, keep=keep))


def test_what_cannot_be_compared_is_said_at_once():
    df = gd.from_pandas(pd.DataFrame({"x": [1, 2], "s": ["a", "b"]}), npartitions=2)
    with pytest.raises(TypeError, match="str|object"):
        df.nlargest(1, "s")
    with pytest.raises(KeyError, match="y"):
        df.nlargest(1, "y")
    with pytest.raises(ValueError, match="keep"):
        df.x.nlargest(1, keep="some")
