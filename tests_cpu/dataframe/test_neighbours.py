"""Running results, shifts and fills against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq, frames

NUMBERS = ("int64", "int8", "bool", "float64", "float32", "Int64", "Float64", "int64[pyarrow]")
TIMES = ("datetime64[ns]", "datetime64[us, UTC]", "timedelta64[ns]")


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummin", "cummax"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_running_results(name, data):
    frame = data.draw(frames(NUMBERS if name != "cumprod" else NUMBERS[:1]))
    skipna = data.draw(st.booleans())
    try:
        expected = getattr(frame, name)(skipna=skipna)
    except (TypeError, NotImplementedError):
        return
    lazy = gd.from_pandas(frame, npartitions=data.draw(st.integers(1, 4)))
    assert_eq(getattr(lazy, name)(skipna=skipna), expected, rtol=1e-6)
    assert_eq(getattr(lazy.c0, name)(skipna=skipna), expected.c0, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    frame=frames((*NUMBERS, *TIMES, "str", "category")),
    parts=st.integers(1, 5),
    periods=st.integers(-7, 7),
    limit=st.one_of(st.none(), st.integers(1, 4)),
)
def test_shifts_and_fills(frame, parts, periods, limit):
    lazy = gd.from_pandas(frame, npartitions=parts)
    assert_eq(lazy.shift(periods), frame.shift(periods), promised=len(frame) > 0)
    assert_eq(lazy.ffill(limit=limit), frame.ffill(limit=limit))
    assert_eq(lazy.c0.bfill(limit=limit), frame.c0.bfill(limit=limit))


def test_differences_of_filtered_rows():
    pdf = pd.DataFrame({"x": np.arange(20) ** 2, "y": 1.0})
    df = gd.from_pandas(pdf, npartitions=5)
    kept, expected = df[df.x % 3 > 0], pdf[pdf.x % 3 > 0]
    assert_eq(kept.diff(), expected.diff())
    assert_eq(kept.x - kept.x.shift(3), expected.x - expected.x.shift(3))
    assert_eq(kept.assign(z=kept.x.cumsum()), expected.assign(z=expected.x.cumsum()))


def test_functions_with_margins():
    pdf = pd.DataFrame({"x": np.arange(20) ** 2})
    df = gd.from_pandas(pdf, npartitions=5)
    result = df.map_overlap(lambda part: part.rolling(6, center=True).sum(), 3, 3)
    assert_eq(result, pdf.rolling(6, center=True).sum())
    with pytest.raises(ValueError, match="must return as many"):
        df.map_overlap(lambda part: part[1:], 1, 0).compute(engine="sync")
