"""The largest and the smallest rows against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.api.shuffling import first_in_order, is_sort
from gpuscale.dataframe.collection import wrap
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


def test_fewer_values_than_rows_are_wanted():
    pdf = pd.DataFrame({"x": pd.array([None, None, None, 0], "Int64"), "y": 0})
    df = gd.from_pandas(pdf, npartitions=1)
    assert_eq(df.nlargest(1, ["x", "y"]), pdf.nlargest(1, ["x", "y"]))


@settings(max_examples=40, deadline=None)
@given(frame=frames(max_columns=3), n=st.integers(0, 14), parts=st.integers(1, 4), data=st.data())
def test_the_first_rows_in_an_order(frame, n, parts, data):
    columns = list(frame.columns[:2])
    ascending = [data.draw(st.booleans()) for _ in columns]
    options = {"na_position": data.draw(st.sampled_from(["first", "last"]))}
    expected = frame.sort_values(columns, ascending=ascending, kind="stable", **options)
    lazy = gd.from_pandas(frame, npartitions=parts).sort_values(columns, ascending, **options)
    assert_eq(lazy.head(n), expected.head(n))


def test_the_first_rows_are_found_without_a_sort_of_all():
    pdf = pd.DataFrame({"x": np.arange(400) * 7 % 5, "y": np.arange(400.0) * 3 % 11, "z": "t"})
    pdf.loc[::9, "y"] = np.nan
    df = gd.from_pandas(pdf, npartitions=7)
    for by, ascending in ((["y", "x"], [False, True]), ("x", False), ("y", True)):
        for position in ("first", "last"):
            options = {"ascending": ascending, "na_position": position}
            lazy, whole = (
                df.sort_values(by, **options),
                pdf.sort_values(by, kind="stable", **options),
            )
            for n in (0, 1, 60, 390, 400, 500):
                assert_eq(lazy.head(n), whole.head(n))
            assert_eq(lazy.tail(3), whole.tail(3))
    keyed = df.sort_values("y", key=np.negative).head(5)
    assert_eq(keyed, pdf.sort_values("y", key=np.negative, kind="stable").head(5))
    assert_eq(df.x.sort_values().head(9), pdf.x.sort_values(kind="stable").head(9))
    assert_eq(df.set_index("x").head(9), pdf.set_index("x").sort_index(kind="stable").head(9))
    lazy = df.sort_values("y")
    first = wrap(first_in_order(lazy.expr, 3))
    assert "sort_values" not in str(first.explain())
    assert is_sort(lazy.expr)
    assert not is_sort(df.expr)
