"""Integer draws: exact scaling of fractions, both ends reached, equal bits in rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from gpuscale.kernels.philox import integers
from gpuscale.kernels.philox.integers_cpu import fill_bits64, fill_integers32

KEY = (21, 34)
WORD = st.integers(0, 2**32 - 1)
LONG = st.integers(0, 2**64 - 1)


def one(value):
    return np.array([value], np.uint64)


@given(high=WORD, low=WORD, span=WORD)
def test_scaling_by_64_bits_is_exact(high, low, span):
    expected = ((high << 32 | low) * (span + 1)) >> 64
    assert int(integers.scaled32(one(high), one(low), one(span))[0]) == expected


@given(high=LONG, low=LONG, span=LONG)
def test_scaling_by_128_bits_is_exact(high, low, span):
    expected = ((high << 64 | low) * (span + 1)) >> 128
    assert int(integers.scaled64(one(high), one(low), one(span))[0]) == expected


@pytest.mark.parametrize(
    ("high", "low", "span"),
    [(2**64 - 1,) * 3, (2**64 - 1, 2**64 - 1, 0), (1, 2**64 - 1, 2**64 - 1), (0, 1, 2**63)],
)
def test_carries_of_the_128_bit_scaling(high, low, span):
    expected = ((high << 64 | low) * (span + 1)) >> 128
    assert int(integers.scaled64(one(high), one(low), one(span))[0]) == expected


@settings(max_examples=40, deadline=None)
@given(
    start=st.integers(0, 2**40),
    size=st.integers(0, 50),
    low=st.integers(-(2**62), 2**62),
    span=WORD,
)
def test_rows_equal_the_single_elements(start, size, low, span):
    index = np.arange(start, start + size)
    row, bits = np.empty(size, np.int64), np.empty(size, np.uint64)
    fill_integers32(row, *KEY, start, np.int64(low), np.uint64(span))
    fill_bits64(bits, *KEY, start)
    expected = integers.integers32(*KEY, index, np.int64(low), np.uint64(span))
    assert np.array_equal(row, expected)
    assert np.array_equal(bits, integers.bits64(*KEY, index))
    assert ((row >= low) & (row <= low + span)).all()


def test_wide_integers_in_compiled_code():
    draw = integers.integers64

    @njit
    def loop(out, low, span):
        for k in range(out.size):
            out[k] = draw(21, 34, k, low, span)

    out = np.empty(1000, np.int64)
    low, span = np.int64(-(2**62)), np.uint64(2**63 + 12345)
    loop(out, low, span)
    assert np.array_equal(out, draw(*KEY, np.arange(1000), low, span))


@pytest.mark.parametrize("draw", [integers.integers32, integers.integers64])
@pytest.mark.parametrize("span", [0, 1, 6, 99])
def test_all_values_are_equally_likely(draw, span):
    drawn = draw(*KEY, np.arange(100_000), np.int64(-3), np.uint64(span))
    counts = np.bincount(drawn + 3, minlength=span + 1)
    assert counts.size == span + 1
    assert span == 0 or stats.chisquare(counts).pvalue > 0.01


def test_wide_range_is_uniform():
    drawn = integers.integers64(*KEY, np.arange(100_000), np.int64(0), np.uint64(3 * 2**61))
    assert stats.kstest(drawn / (3.0 * 2.0**61), "uniform").pvalue > 0.01


def test_full_range_of_uint64_is_the_raw_bits():
    drawn = integers.integers64(*KEY, np.arange(1000), np.int64(0), np.uint64(2**64 - 1))
    assert stats.kstest(drawn.view(np.uint64) / 2.0**64, "uniform").pvalue > 0.01
