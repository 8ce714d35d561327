"""Means and variances of chosen elements against NumPy; `test_reductions` has all the others."""

import warnings

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq


@pytest.mark.parametrize("name", ["mean", "var", "std"])
@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
@pytest.mark.parametrize("dtype", ["i4", "f4", "f8", "c16"])
def test_where(name, axis, dtype):
    array = np.arange(12).astype(dtype).reshape(3, 4)
    x = ga.from_array(array, chunks=2)
    for where in (array.real % 3 != 1, np.array([True, False, True, True]), array.real > 99):
        for options in ({}, {"keepdims": True}, {} if name == "mean" else {"ddof": 1}):
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                expected = getattr(np, name)(array, axis=axis, where=where, **options)
            result = getattr(x, name)(axis=axis, where=where, **options)
            assert_eq(result, expected, rtol=1e-5)


def test_mean_of_chosen_durations():
    array = np.arange(4, dtype="m8[s]")
    where = [True, False, True, True]
    assert_eq(ga.from_array(array, chunks=2).mean(where=where), array.mean(where=where))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("where", [True, [True, False, True]])
def test_dtypes(dtype, where):
    array = np.arange(6.0).reshape(2, 3)
    x = ga.from_array(array, chunks=2)
    for name in ("mean", "var", "std"):
        expected = getattr(array, name)(axis=1, dtype=dtype, where=where)
        assert_eq(getattr(x, name)(axis=1, dtype=dtype, where=where), expected, rtol=1e-6)
    y = ga.from_array(array + 1j, chunks=2)
    assert_eq(y.var(dtype="c16"), (array + 1j).var(dtype="c16"), rtol=1e-12)
    assert_eq(y.var(), (array + 1j).var(), rtol=1e-12)


LARGEST = np.finfo(float).max
HUGE = [
    [1e308] * 8, [1e200, -1e200, 3, 4], [1e308, np.inf, 1], [1e308], [np.inf] * 3,
    [1e308, 1.5e308, -1e308, 1e308], [LARGEST, -LARGEST] * 5, [LARGEST, np.nan, 1, 0, -LARGEST],
    [1e160] * 9 + [1e140], [1e140] + [1e160] * 9, [-1e308] * 7 + [1e308], [LARGEST] + [0] * 50,
    [-LARGEST, -np.inf, LARGEST], [1e154, -1e154, 1e153],
]  # fmt: skip


@pytest.mark.parametrize("values", HUGE)
def test_variances_of_numbers_whose_squares_overflow(values):
    _check_variances(values)


@pytest.mark.parametrize("values", HUGE)
def test_compiled_variances_of_numbers_whose_squares_overflow(values, always_compile):
    _check_variances(values)


def _check_variances(values):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        array = np.array([values, values])
        for chunks in (1, 2, 100):
            x = ga.from_array(array, chunks=chunks)
            for name in ("var", "std"):
                expected = getattr(array, name)(axis=1)
                for found in (getattr(x, name)(axis=1), getattr(x.T, name)(axis=0)):
                    if values == [1e308] * 8:  # whose sum overflows in NumPy
                        assert not np.isnan(found.compute()).any()
                    else:
                        assert_eq(found, expected, rtol=1e-14)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_large_and_missing_numbers_side_by_side(dtype, axis, always_compile):
    values = [[LARGEST, -LARGEST, 1, 2], [1, np.nan, LARGEST, 3], [1, 2, 3, np.inf], [1, 2, 3, 4]]
    scale = np.finfo(dtype).max / LARGEST
    array = (np.array(values) * scale).astype(dtype)
    x = ga.from_array(array, chunks=4)
    with np.errstate(all="ignore"):
        assert_eq(x.var(axis=axis), array.var(axis=axis), rtol=1e-6)
        assert_eq((x * 2 - x).std(axis=axis), (array * 2 - array).std(axis=axis), rtol=1e-6)


def test_mean_of_numbers_far_apart_where_sizes_are_unknown():
    array = np.array([1.5e308, -1.5e308] * 3)
    x = ga.from_array(array, chunks=1)
    assert x[x != 0].mean().compute() < 1e293


@pytest.mark.parametrize("dtype", ["i4", "f4", "f8", "c16"])
@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_spread_around_a_mean_that_was_computed(dtype, axis):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    x = ga.from_array(array, chunks=2)
    mean, lazy_mean = array.mean(axis=axis, keepdims=True), x.mean(axis=axis, keepdims=True)
    for name in ("var", "std", "nanvar", "nanstd"):
        for options in ({}, {"ddof": 1, "keepdims": True}):
            expected = getattr(np, name)(array, axis=axis, mean=mean, **options)
            for given in (mean, lazy_mean):
                assert_eq(
                    getattr(np, name)(x, axis=axis, mean=given, **options), expected, rtol=1e-6
                )
    assert_eq(x.std(mean=3), array.std(mean=3), rtol=1e-6)
    with pytest.raises(ValueError, match="keepdims=True"):
        x[:, :3].var(axis=1, mean=np.ones((4, 1, 3)))
