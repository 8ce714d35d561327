"""Rows of draws with parameters, at every alignment."""

import numpy as np
import pytest

from gpuscale.kernels.philox.rows_cpu import fill_by_pairs, fill_by_quads, fill_each


def pair(key0, key1, block, factor):
    return factor * (2 * block), factor * (2 * block + 1)


def single(key0, key1, index, factor):
    return factor * index


def quad(key0, key1, block):
    return 4.0 * block, 4.0 * block + 1.0, 4.0 * block + 2.0, 4.0 * block + 3.0


def plain(key0, key1, index):
    return index * 1.0


PAIRS, QUADS = fill_by_pairs(pair, single), fill_by_quads(quad, plain)


@pytest.mark.parametrize("start", range(6))
@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 9, 64])
def test_each_element_is_written_once_at_its_place(start, size):
    expected = np.arange(start, start + size, dtype=np.float64)
    row, row32, listed = np.empty(size), np.empty(size, np.float32), np.empty(size)
    PAIRS(row, 0, 0, start, 3)
    QUADS(row32, 0, 0, start)
    fill_each(plain)(listed, 0, 0, np.arange(start, start + size))
    assert np.array_equal(row, 3.0 * expected)
    assert np.array_equal(row32, expected)
    assert np.array_equal(listed, expected)
