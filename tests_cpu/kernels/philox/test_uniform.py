"""Uniform draws: known values, array and compiled twins, any split of the indices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gpuscale.kernels.philox import uniform
from gpuscale.kernels.philox.uniform_cpu import fill_uniform, fill_uniform_float32

KEY = (0x12345678, 0x9ABCDEF0)


def test_float64_takes_27_and_26_bits_of_two_words_of_block_index_over_two():
    drawn = uniform.uniform(0, 0, np.arange(2))
    first = ((0x6627E8D5 >> 5) * 2**26 + (0xE169C58D >> 6)) / 2**53
    second = ((0xBC57AC4C >> 5) * 2**26 + (0x9B00DBD8 >> 6)) / 2**53
    assert drawn.tolist() == [first, second]


def test_float32_takes_24_bits_of_word_index_modulo_four():
    drawn = uniform.uniform_float32(0, 0, np.arange(4))
    words = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert drawn.dtype == np.float32
    assert drawn.tolist() == [(word >> 8) / 2**24 for word in words]


@settings(max_examples=60, deadline=None)
@given(start=st.integers(0, 2**40), size=st.integers(0, 70))
def test_rows_equal_the_single_elements(start, size):
    index = np.arange(start, start + size)
    row, row32 = np.empty(size), np.empty(size, np.float32)
    fill_uniform(row, *KEY, start)
    fill_uniform_float32(row32, *KEY, start)
    assert np.array_equal(row, uniform.uniform(*KEY, index))
    assert np.array_equal(row32, uniform.uniform_float32(*KEY, index))


def test_rows_may_be_strided_views():
    table = np.zeros((5, 2))
    fill_uniform(table[:, 1], *KEY, 7)
    assert np.array_equal(table[:, 1], uniform.uniform(*KEY, np.arange(7, 12)))
    assert not table[:, 0].any()


@pytest.mark.parametrize("draw", [uniform.uniform, uniform.open_uniform, uniform.uniform_float32])
def test_distribution_is_uniform(draw):
    drawn = draw(*KEY, np.arange(200_000))
    assert stats.kstest(drawn.astype(np.float64), "uniform").pvalue > 0.01
    neighbours = np.corrcoef(drawn[:-1], drawn[1:])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(drawn.size)


def test_open_uniform_excludes_both_ends_and_differs_by_one_bit_at_most():
    index = np.arange(10_000)
    closed, opened = uniform.uniform(*KEY, index), uniform.open_uniform(*KEY, index)
    assert (opened > 0).all()
    assert (opened < 1).all()
    assert np.isin((opened - closed) * 2.0**53, [0.0, 1.0]).all()


def test_keys_give_unrelated_sequences():
    index = np.arange(100_000)
    one, other = uniform.uniform(1, 0, index), uniform.uniform(0, 1, index)
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(index.size)
