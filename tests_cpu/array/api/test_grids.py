"""Grids and rows between brackets against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes

KEYS = [
    np.s_[0:3], np.s_[:4], np.s_[1:7:2], np.s_[5:0:-2], np.s_[3:3], np.s_[0:1:5j], np.s_[0:2:1j],
    np.s_[0.5:3], np.s_[0:2, 0:3], np.s_[:2, -1:1:3j], np.s_[0:3:0.5, 2:4, 1:2],
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_grids(key):
    with nothing_computes():
        dense, sparse = ga.mgrid[key], ga.ogrid[key]
    assert_eq(dense, np.mgrid[key])
    if isinstance(key, slice):
        assert_eq(sparse, np.ogrid[key])
        return
    for ours, theirs in zip(sparse, np.ogrid[key], strict=True):
        assert_eq(ours, theirs)


SMALL = np.array([3, 4], np.uint8)
ROWS = [
    np.s_[1:4, 0, [7, 8]], np.s_[SMALL, 1], np.s_[SMALL, 2.5, 1:3], np.s_[0:1:3j, 5],
    np.s_["1", [[1], [2]], [[3], [4]]], np.s_["0,2", [1, 2], [3, 4]],
    np.s_["0,2,0", [1, 2], [3, 4]], np.s_["1,2,0", [1, 2], [3, 4]],
    np.s_["-1,3,1", [1, 2], [3, 4]], np.s_["0,3,-1", [[1, 2]], [[3, 4]]],
    np.s_[SMALL], np.s_[1:3], np.s_[2],
]  # fmt: skip


@pytest.mark.parametrize("key", ROWS, ids=str)
def test_rows(key):
    assert_eq(ga.r_[key], np.r_[key])


@pytest.mark.parametrize("key", [np.s_[[1, 2], [3, 4]], np.s_[[[1, 2]], 0, 0], np.s_[1:3, SMALL]])
def test_columns(key):
    assert_eq(ga.c_[key], np.c_[key])


def test_lazy_parts_and_bad_ones():
    x = ga.arange(4, chunks=2)
    with nothing_computes():
        y = ga.c_[x, x + 1]
    assert_eq(y, np.c_[np.arange(4), np.arange(4) + 1])
    for key in (np.s_["x", 1], np.s_[1, "0"]):
        with pytest.raises(ValueError, match="directive"):
            ga.r_[key]
