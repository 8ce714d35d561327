"""Ranges of dates and durations against NumPy."""

import datetime
import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import gpuscale.array as ga
from gpuscale.testing import assert_eq

D, T = np.datetime64, np.timedelta64
DAY = D("2020-01-01")
RIGHT = [
    (DAY, D("2020-01-10")), (DAY, D("2020-01-10"), T(2, "D")), (DAY, D("2020-01-10"), 2),
    ("2020-01", "2020-03"), (D("2020-01"), D("2020-03-01")), (DAY, 10), (DAY, T(10, "D")),
    (DAY, D("2020-01-02"), T(6, "h")), (T(10, "s"),), (T(1, "s"), T(10, "s"), T(3, "s")),
    (T(0, "s"), T(1, "m"), T(7, "s")), (D("2020-01-10"), DAY, T(-2, "D")), (D("2020-01-10"), DAY),
    (0, 5, T(1, "s")), (T(5),), (T(1, "s"), 10), (D("2020", "Y"), D("2024", "Y")),
    (T(1, "Y"), T(30, "M")), (datetime.date(2020, 1, 1), datetime.date(2020, 1, 5)),
    (datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2), datetime.timedelta(hours=5)),
    (np.array("2020-01-01", "M8[D]"), np.array("2020-01-05", "M8[D]")),
    (D("2020-01-01T00:00:00.000000001"), D("2020-01-01T00:00:00.000000009"), 3),
]  # fmt: skip
WRONG = [
    (D("NaT"), DAY), (DAY,), (DAY, D("2020-01-10"), 0), (DAY, D("2020-01-10"), DAY),
    (1, T(10, "s"), 2.5), (T(1, "s"), T(5, "s"), T("NaT")), (DAY, DAY, "NaT"),
]  # fmt: skip


@pytest.mark.parametrize("arguments", RIGHT)
def test_ranges(arguments):
    for dtype, chunks in itertools.product((None, "M8[D]", "M8[h]", "m8[h]", "M8", "m8"), (3, 100)):
        try:
            expected = np.arange(*arguments, dtype=dtype)
        except (TypeError, ValueError):
            continue
        found = ga.arange(*arguments, dtype=dtype, chunks=chunks)
        assert found.dtype == expected.dtype
        assert_eq(found, expected)


@pytest.mark.parametrize("arguments", WRONG)
def test_what_numpy_refuses(arguments):
    with pytest.raises(ValueError):
        np.arange(*arguments)
    with pytest.raises(ValueError):
        ga.arange(*arguments)


def test_other_dtypes_are_refused():
    for arguments in (DAY, DAY + 5), (T(1, "s"), T(9, "s")):
        with pytest.raises(TypeError):
            np.arange(*arguments, dtype=float)
        with pytest.raises(TypeError, match="use astype"):
            ga.arange(*arguments, dtype=float)
    with pytest.raises(ValueError, match="mix"):
        ga.arange(T(1, "s"), T(9, "s"), dtype="M8[s]")
    with pytest.raises(ValueError, match="specified unit"):
        ga.arange(0, 9, dtype="M8")
    with pytest.raises(ValueError, match="single values"):
        ga.arange(np.array([DAY]), DAY)


@given(st.integers(-(2**61), 2**61), st.integers(0, 40), st.integers(-9, 9).filter(bool))
def test_nanoseconds_are_exact(first, length, step):
    start, stop = np.array([first, first + length * step], "i8").view("M8[ns]")
    assert_eq(ga.arange(start, stop, step, chunks=7), np.arange(start, stop, step))
