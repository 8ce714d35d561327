"""What is asked about masks, and arrays that are made with them."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq
from gpuscale.testing.masks import assert_masked_eq

X = np.ma.masked_equal(np.arange(6.0).reshape(2, 3), 2)
Y = ga.ma.masked_equal(ga.arange(6.0, chunks=4).reshape(2, 3), 2)


def test_masks():
    assert ga.ma.isMaskedArray(Y) and ga.ma.isMA(X) and not ga.ma.isarray(ga.ones(2))
    assert bool(ga.ma.is_masked(Y)) and not bool(ga.ma.is_masked(ga.ones(2)))
    assert ga.ma.getmask(ga.ones(2)) is ga.ma.nomask
    assert_eq(ga.ma.getmask(Y), X.mask)
    flags = [True, False]
    assert_eq(ga.ma.mask_or(flags, ga.asarray([False, False])), np.array(flags))
    assert_eq(ga.ma.mask_or(ga.ma.nomask, flags), np.array(flags))
    assert ga.ma.mask_or(ga.ma.nomask, ga.ma.nomask) is ga.ma.nomask
    assert ga.ma.mask_or(False, ga.ma.nomask) is ga.ma.nomask
    unshrunk = np.ma.mask_or(np.ma.nomask, np.zeros(2), shrink=False).astype(bool)
    assert_eq(ga.ma.mask_or(ga.ma.nomask, ga.zeros(2), shrink=False), unshrunk)


@pytest.mark.parametrize("fill", [True, False])
def test_equality(fill):
    for other in (X + 0, X + 1e-9, np.ma.masked_equal(X.data, 3), X.data, X.data + 1):
        lazy = ga.asarray(other)
        assert bool(ga.ma.allequal(Y, lazy, fill)) == np.ma.allequal(X, other, fill)
        assert bool(ga.ma.allclose(Y, lazy, fill)) == np.ma.allclose(X, other, fill)


def test_new_arrays():
    assert_masked_eq(ga.ma.zeros((2, 3), int, chunks=2), np.ma.zeros((2, 3), int))
    assert_masked_eq(ga.ma.ones(3), np.ma.ones(3))
    assert_masked_eq(ga.ma.arange(2, 7, 2), np.ma.arange(2, 7, 2))
    assert_masked_eq(ga.ma.masked_all((2, 2), int), np.ma.masked_all((2, 2), int))
    assert_masked_eq(ga.ma.masked_all_like(Y), np.ma.masked_all_like(X))
    assert ga.ma.empty((2, 2)).shape == (2, 2)
    assert ga.ma.asarray(Y) is Y and ga.ma.asarray(Y, int).dtype == int
    assert_masked_eq(ga.ma.array([1, 2], mask=[True, False]), np.ma.array([1, 2], mask=[1, 0]))


def test_single_elements():
    assert float(Y[0, 1]) == 1.0 and int(Y[1, 1]) == 4 and bool(Y[0, 1])
    assert Y.tolist() == X.tolist() and Y.item(3) == X.item(3)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Y)
    assert Y.nbytes == X.nbytes and Y.numblocks == Y.data.numblocks
    z = Y + 1j
    assert_masked_eq(z.imag + z.conj().real, (X + 1j).imag + (X + 1j).conj().real)


def test_what_would_lose_the_mask_says_what_to_do():
    for name in ("to_zarr", "to_hdf5", "to_npy", "to_npy_stack", "store"):
        with pytest.raises(TypeError, match=rf"x\.filled\(value\)\.{name}"):
            getattr(Y, name)("never-written")
    with pytest.raises(TypeError, match="would lose the mask"):
        np.fft.fft(Y)
