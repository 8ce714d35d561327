"""Normal draws: legs of one block, equal bits in arrays and rows, the right distribution."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gpuscale.kernels.philox.normal import normal, normal_float32
from gpuscale.kernels.philox.normal_cpu import fill_normal, fill_normal_float32
from gpuscale.kernels.philox.uniform import uniform

KEY = (3, 5)


def test_elements_of_a_block_are_the_legs_of_its_two_uniforms():
    u = uniform(*KEY, np.arange(2000)).reshape(-1, 2)
    radius, angle = np.sqrt(-2.0 * np.log1p(-u[:, 0])), 2.0 * np.pi * u[:, 1]
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()
    assert np.allclose(normal(*KEY, np.arange(2000)), expected, rtol=0.0, atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(start=st.integers(0, 2**40), size=st.integers(0, 70))
def test_rows_equal_the_single_elements(start, size):
    index = np.arange(start, start + size)
    row, row32 = np.empty(size), np.empty(size, np.float32)
    fill_normal(row, *KEY, start)
    fill_normal_float32(row32, *KEY, start)
    assert np.array_equal(row, normal(*KEY, index))
    assert np.array_equal(row32, normal_float32(*KEY, index))


def test_distribution_and_independence_of_neighbours():
    for draw in (normal, normal_float32):
        z = draw(*KEY, np.arange(200_000)).astype(np.float64)
        assert stats.kstest(z, "norm").pvalue > 0.01
        assert abs(np.corrcoef(z[::2], z[1::2])[0, 1]) < 4 / np.sqrt(z.size / 2)
        assert abs(np.corrcoef(z[::2] ** 2, z[1::2] ** 2)[0, 1]) < 4 / np.sqrt(z.size / 2)
        assert abs(stats.skew(z)) < 0.03
        assert abs(stats.kurtosis(z)) < 0.05
