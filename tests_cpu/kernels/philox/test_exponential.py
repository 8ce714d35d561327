"""Exponential draws: inversion of the open uniform, equal bits in arrays and rows."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gpuscale.kernels.philox.exponential import exponential, exponential_float32
from gpuscale.kernels.philox.exponential_cpu import fill_exponential, fill_exponential_float32
from gpuscale.kernels.philox.uniform import open_uniform

KEY = (8, 13)


def test_it_is_minus_the_logarithm_of_the_open_uniform():
    index = np.arange(10_000)
    expected = -np.log(open_uniform(*KEY, index))
    assert np.allclose(exponential(*KEY, index), expected, rtol=1e-15, atol=0.0)


@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, 2**40), size=st.integers(0, 70))
def test_rows_equal_the_single_elements(start, size):
    index = np.arange(start, start + size)
    row, row32 = np.empty(size), np.empty(size, np.float32)
    fill_exponential(row, *KEY, start)
    fill_exponential_float32(row32, *KEY, start)
    assert np.array_equal(row, exponential(*KEY, index))
    assert np.array_equal(row32, exponential_float32(*KEY, index))


def test_distribution():
    for draw in (exponential, exponential_float32):
        drawn = draw(*KEY, np.arange(200_000)).astype(np.float64)
        assert stats.kstest(drawn, "expon").pvalue > 0.01
        assert drawn.min() > 0.0
