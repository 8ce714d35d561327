"""Dates and durations, some of them missing, against NumPy."""

import itertools

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq

SPANS = np.array([[3, -1, 5, 0], [7, "NaT", 2, -9]], "m8[s]")
DATES = np.datetime64("2020-01-01", "s") + SPANS
DTYPES = ["i8", "f8", "m8", "m8[s]", "m8[ms]", "M8[D]"]


def compare(function, array, *arguments, **options):
    """Compare a function of NumPy's for all chunks: the same result, or both refuse."""
    for chunks in (1, 2, 10):
        x = ga.from_array(array, chunks=chunks)
        try:
            with np.errstate(all="ignore"):
                expected = function(array, *arguments, **options)
        except (TypeError, ValueError):
            with pytest.raises((TypeError, ValueError)):
                function(x, *arguments, **options).compute()
        else:
            found = function(x, *arguments, **options)
            assert found.dtype == expected.dtype
            assert_eq(found, expected)


@pytest.mark.parametrize("array", [SPANS, DATES, SPANS[:1], DATES[:1]])
def test_reductions(array):
    names = "sum mean min max any all median nanmin nanmax argmin argmax nansum std count_nonzero"
    for name, axis in itertools.product(names.split(), (None, 0, 1)):
        compare(getattr(np, name), array, axis=axis)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("array", [SPANS, DATES])
def test_no_dtype_loses_what_is_missing(array, dtype):
    for name in ("sum", "mean", "cumsum", "prod"):
        compare(getattr(np, name), array, axis=1, dtype=dtype)
    compare(np.add, array, SPANS, dtype=dtype)
    compare(np.subtract, array, array, dtype=dtype)
    compare(np.multiply, array, 2, dtype=dtype)
    compare(np.absolute, array, dtype=dtype)
    compare(np.maximum, array, array[0], dtype=dtype)
    compare(np.add.reduce, array, dtype=dtype)
    compare(np.maximum.reduce, array, dtype=dtype)
    compare(lambda x: x.astype(dtype), array)


@pytest.mark.parametrize("array", [SPANS, DATES])
def test_elementwise(array):
    names = "isnat isfinite isnan negative absolute sign diff sort unique cumsum"
    for name in names.split():
        compare(getattr(np, name), array)
    missing = np.timedelta64("NaT", "s")
    names = "equal not_equal less less_equal greater maximum minimum fmin fmax subtract add"
    for name, other in itertools.product(names.split(), (array[::-1], SPANS, missing)):
        compare(getattr(np, name), array, other)
    for name in ("multiply", "divide", "floor_divide", "remainder"):
        for other in (2, 2.5, 0, np.nan, np.arange(4), SPANS):
            compare(getattr(np, name), array, other)


@pytest.mark.parametrize("name", ["dot", "inner", "tensordot", "vdot", "vecdot", "matmul"])
def test_products_are_refused(name):
    arguments = (1,) if name == "tensordot" else ()
    x = ga.from_array(SPANS[0], chunks=2)
    with pytest.raises(TypeError, match="multiply and sum"):
        getattr(ga, name)(x, np.arange(4), *arguments)
    assert_eq((x * np.arange(4)).sum(), (SPANS[0] * np.arange(4)).sum())
