"""Bounds of integers: every legal range, NumPy's exceptions for the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.kernels.philox.distributions.bounds import check_integers
from gpuscale.kernels.philox.distributions.sampling import sample

DTYPES = [np.int8, np.uint8, np.int16, np.uint32, np.int64, np.uint64]


@given(data=st.data(), dtype=st.sampled_from(DTYPES), endpoint=st.booleans())
def test_low_and_span_modulo_two_to_the_64(data, dtype, endpoint):
    info = np.iinfo(dtype)
    low = data.draw(st.integers(int(info.min), int(info.max)))
    last = data.draw(st.integers(low, int(info.max)))
    found_low, span = check_integers(low, last if endpoint else last + 1, dtype, endpoint)
    assert int(found_low) % 2**64 == low % 2**64
    assert int(span) == last - low
    drawn = sample("integers", (1, 2), np.arange(20), (found_low, span), dtype)
    assert drawn.dtype == dtype
    assert all(low <= int(value) <= last for value in drawn)


@pytest.mark.parametrize(
    ("low", "high", "dtype", "endpoint"),
    [
        (5, 5, np.int64, False),
        (5, 4, np.int64, True),
        (0, 2**63 + 1, np.int64, False),
        (0, 2**63, np.int64, True),
        (-1, 5, np.uint8, False),
        (0, 257, np.uint8, False),
        (0, 2**64 + 1, np.uint64, False),
        (0, 3, bool, False),
        (-(2**63), -(2**63), np.int64, False),
        (3, 3, np.uint64, False),
    ],
)
def test_empty_or_impossible_ranges(low, high, dtype, endpoint):
    with pytest.raises(ValueError) as expected:
        np.random.default_rng(0).integers(low, high, dtype=dtype, endpoint=endpoint)
    with pytest.raises(ValueError) as found:
        check_integers(low, high, dtype, endpoint)
    assert str(found.value) == str(expected.value)


def test_arrays_of_bounds():
    low, span = check_integers(np.array([-3, 0]), np.array([[4], [200]], np.uint64), int, False)
    assert low.tolist() == [-3, 0]
    assert span.tolist() == [[6, 3], [202, 199]]
    with pytest.raises(ValueError, match="low >= high"):
        check_integers(np.array([0, 5]), np.array([1, 5]), np.int64, False)


def test_narrow_and_wide_spans_in_one_array():
    low, span = check_integers(0, np.array([10, 2**50]), np.int64, False)
    index = np.arange(40).reshape(20, 2)
    both = sample("integers", (1, 2), index, (low, span))
    narrow = sample("integers", (1, 2), index[:, 0], (np.int64(0), np.uint64(9)))
    wide = sample("integers", (1, 2), index[:, 1], (np.int64(0), np.uint64(2**50 - 1)))
    assert np.array_equal(both, np.stack([narrow, wide], axis=1))


def test_bounds_must_be_whole_and_the_dtype_of_integers():
    assert check_integers(0.0, 5.0, np.int64, False)[1] == 4
    with pytest.raises(TypeError, match="must be integers"):
        check_integers(np.array([0.5]), 5, np.int64, False)
    with pytest.raises(TypeError, match="Unsupported dtype"):
        check_integers(0, 5, np.float64, False)
