"""Running sums, products and differences against NumPy."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import pairs

DTYPES = ("bool", "int8", "uint8", "int64", "float64")


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "nancumprod"])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_scans(name, data):
    array, x = data.draw(pairs(dtypes=DTYPES, min_dims=1, special=name.startswith("nan")))
    axis = data.draw(st.none() | st.integers(-array.ndim, array.ndim - 1))
    if name.endswith("prod"):  # blocks' own products may leave the range where NumPy's do not
        sizes = np.abs(array[np.isfinite(array) & (array != 0)].astype(float))
        assume(array.dtype.kind != "f" or np.abs(np.log10(sizes)).sum() < 300)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(array, axis=axis)
        assert_eq(getattr(ga, name)(x, axis=axis), expected, rtol=1e-11, atol=1e-9)


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_differences(data):
    array, x = data.draw(pairs(dtypes=DTYPES, min_dims=1, special=False))
    axis, n = data.draw(st.integers(-array.ndim, array.ndim - 1)), data.draw(st.integers(0, 3))
    assert_eq(ga.diff(x, n=n, axis=axis), np.diff(array, n=n, axis=axis))
    if n:
        assert_eq(
            ga.diff(x, axis=axis, prepend=3, append=x),
            np.diff(array, axis=axis, prepend=3, append=array),
        )


@pytest.mark.parametrize("n_blocks", [1, 2, 127, 128, 129, 257])
def test_many_blocks(n_blocks):
    x = ga.arange(n_blocks * 2, chunks=2)
    assert_eq(ga.cumsum(x), np.cumsum(np.arange(n_blocks * 2)))


def test_initial_and_standard_names():
    x = ga.arange(1, 5, chunks=2)
    assert_eq(ga.cumulative_sum(x, include_initial=True), np.array([0, 1, 3, 6, 10]))
    assert_eq(ga.cumulative_prod(x), np.array([1, 2, 6, 24]))
    with pytest.raises(ValueError, match="axis"):
        ga.cumulative_sum(ga.ones((2, 2)))


def test_ediff1d_and_push():
    a = np.array([1.0, np.nan, 4.0, np.nan, np.nan, np.nan])
    x = ga.from_array(a, chunks=2)
    assert_eq(ga.push(x), np.array([1.0, 1, 4, 4, 4, 4]))
    assert_eq(ga.push(x, n=1), np.array([1.0, 1, 4, 4, np.nan, np.nan]))
    b = np.array([1, 4, 9])
    assert_eq(ga.ediff1d(b, to_end=[7], to_begin=0), np.ediff1d(b, to_end=[7], to_begin=0))


def test_scans_are_lazy_and_refuse_bad_input():
    with nothing_computes():
        ga.cumsum(ga.ones((4, 4), chunks=2), axis=0)
    with pytest.raises(np.exceptions.AxisError):
        ga.cumsum(ga.ones(3), axis=1)
    with pytest.raises(ValueError, match="non-negative"):
        ga.diff(ga.ones(3), n=-1)


@pytest.mark.parametrize("chunks", [2, 10])
@pytest.mark.parametrize("name", ["cumsum", "nancumsum"])
def test_running_sums_of_durations(name, chunks):
    for values in ([1, 2, 3, 4, 5], [1, 2, "NaT", 4, 5]):
        array = np.array(values, "m8[s]")
        assert_eq(getattr(ga, name)(ga.from_array(array, chunks=chunks)), getattr(np, name)(array))


def test_small_differences_from_numpy():
    dates = np.array(["2020-01-01", "NaT", "2021-01-01"], "M8[D]")
    assert_eq(ga.ediff1d(ga.from_array(dates, chunks=2)), np.ediff1d(dates))
    with pytest.raises(TypeError, match="boolean subtract"):
        ga.ediff1d(ga.arange(3) > 1)
    assert_eq(ga.cumulative_sum(ga.asarray(3)), np.cumulative_sum(np.array(3)))


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_objects_are_added_in_order(cut):
    a = np.array(["a", "b", "c"], object)
    assert_eq(ga.cumsum(ga.from_array(a, chunks=cut)), np.cumsum(a))
    numbers = np.array([1, np.nan, 3], object)
    assert_eq(ga.nancumsum(ga.from_array(numbers, chunks=cut)), np.nancumsum(numbers))


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "nancumsum", "cumulative_prod"])
@pytest.mark.parametrize("dtype", ["U1", "S1", "M8[D]", "m8[s]", "i4,i4", "O"])
@pytest.mark.parametrize("wanted", [None, "U3"])
def test_what_does_not_add_up_is_refused_at_once(name, dtype, wanted):
    a = np.zeros(2, dtype)
    try:
        expected = getattr(np, name)(a, dtype=wanted)
    except TypeError:
        with pytest.raises(TypeError, match="not defined"):
            getattr(ga, name)(a, dtype=wanted)
    else:
        if wanted is None:
            assert_eq(getattr(ga, name)(a), expected)
