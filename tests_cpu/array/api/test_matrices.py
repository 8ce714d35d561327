"""Triangles, diagonals, grids and functions of the position, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import pairs

OFFSETS = st.integers(-5, 5)


@settings(max_examples=30)
@given(pairs(min_dims=2, special=False), OFFSETS)
def test_triangles_and_diagonals(pair, k):
    array, x = pair
    assert_eq(ga.tril(x, k=k), np.tril(array, k))
    assert_eq(ga.triu(x, k=k), np.triu(array, k))
    assert_eq(ga.diagonal(x, k), np.diagonal(array, k))
    assert_eq(ga.diagonal(x, k, -1, 0), np.diagonal(array, k, -1, 0))
    assert_eq(ga.trace(x, k), np.trace(array, k), rtol=1e-6)
    assert_eq(ga.tri(*array.shape[:2], k, chunks=2), np.tri(*array.shape[:2], k))


@settings(max_examples=25)
@given(pairs(min_dims=1, max_dims=2, special=False), OFFSETS)
def test_diagonal_matrices(pair, k):
    array, x = pair
    assert_eq(ga.diag(x, k), np.diag(array, k))
    assert_eq(ga.diagflat(x, k), np.diagflat(array, k))


@pytest.mark.parametrize("indexing", ["xy", "ij"])
@pytest.mark.parametrize("sparse", [False, True])
def test_meshgrid(indexing, sparse):
    vectors = [np.arange(3), np.arange(4.0), np.array([7])]
    for n in range(4):
        lazy = [ga.from_array(v, chunks=2) for v in vectors[:n]]
        ours = ga.meshgrid(*lazy, indexing=indexing, sparse=sparse)
        theirs = np.meshgrid(*vectors[:n], indexing=indexing, sparse=sparse)
        for a, b in zip(ours, theirs, strict=True):
            assert_eq(a, b)
    with pytest.raises(ValueError, match="indexing"):
        ga.meshgrid(ga.ones(2), indexing="yx")


def test_grids_of_positions():
    assert_eq(ga.indices((2, 3), chunks=2), np.indices((2, 3)))
    for a, b in zip(ga.indices((2, 3), sparse=True), np.indices((2, 3), sparse=True), strict=True):
        assert_eq(a, b)
    ours = ga.fromfunction(lambda i, j: i * 10 + j, (3, 4), dtype=int, chunks=2)
    assert_eq(ours, np.fromfunction(lambda i, j: i * 10 + j, (3, 4), dtype=int))


@settings(max_examples=20)
@given(st.integers(0, 8), st.booleans(), st.integers(1, 4))
def test_logarithmic_spacing(num, endpoint, size):
    options = {"num": num, "endpoint": endpoint}
    assert_eq(ga.logspace(-1, 2, **options, chunks=size), np.logspace(-1, 2, **options), rtol=1e-13)
    ours = ga.geomspace(1, 1000, **options, chunks=size)
    assert_eq(ours, np.geomspace(1, 1000, **options), rtol=1e-13)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("dtype", [None, "f4", "i8"])
def test_logarithmic_spacing_of_arrays(axis, dtype):
    start, stop = np.array([[1.0], [-2.0]]), np.array([1000.0, 4.0, 2.0]) * [[1], [-1]]
    with nothing_computes():
        ends = [start, ga.from_array(stop, chunks=(1, 2))]
        ours = ga.geomspace(*ends, 5, axis=axis, dtype=dtype, chunks=3)
    assert_eq(ours, np.geomspace(start, stop, 5, axis=axis, dtype=dtype), rtol=1e-6)
    assert_eq(ga.geomspace([1, 2], 8, 3), np.geomspace([1, 2], 8, 3), rtol=1e-13)


def test_wrong_ends_that_are_lazy_are_told_when_computed():
    for stop, told in ((0.0, "cannot include zero"), (-2.0, "the same sign")):
        lazy = ga.geomspace(1, ga.asarray(stop), 3)
        with pytest.raises(ValueError, match=told):
            lazy.compute()
        with pytest.raises(ValueError, match=told):
            ga.geomspace(1, stop, 3)


@pytest.mark.parametrize("increasing", [False, True])
def test_vander(increasing):
    array = np.array([1.0, 2, 3, 5])
    x = ga.from_array(array, chunks=3)
    for n in (None, 0, 3):
        assert_eq(ga.vander(x, n, increasing), np.vander(array, n, increasing), rtol=1e-14)


def test_matrices_are_lazy():
    with nothing_computes():
        x = ga.tril(ga.ones((10**5, 10**5), chunks=1000))
        assert ga.trace(x).shape == ()
        assert ga.diag(x).shape == (10**5,)


def test_bad_input():
    with pytest.raises(ValueError, match="diag|at least two"):
        ga.diagonal(ga.ones(3))
    with pytest.raises(ValueError, match="1-?d|2-?d|dimension"):
        ga.diag(ga.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="zero|0"):
        ga.geomspace(0, 1)
    with pytest.raises(ValueError, match="one-dimensional"):
        ga.vander(ga.ones((2, 2)))


NOT_NUMBERS = [
    np.array([["ab", "c"], ["", "d"]]),
    np.array([[b"ab", b"c"], [b"", b"d"]]),
    np.array([["2020-01-01", "NaT"], ["1999-01-01", "2000-01-01"]], "M8[D]"),
    np.array([[1, 2], [3, "NaT"]], "m8[s]"),
    np.array([[None, "a"], [3, 2.5]], object),
    np.array([[(1, 2.0), (3, 4.0)]] * 2, [("x", "i4"), ("y", "f8")]),
]


@pytest.mark.parametrize("array", NOT_NUMBERS, ids=lambda array: str(array.dtype))
def test_triangles_and_diagonals_of_what_is_no_number(array):
    x = ga.from_array(array, chunks=1)
    for k in (-1, 0, 1):
        assert_eq(ga.tril(x, k), np.tril(array, k))
        assert_eq(ga.triu(x, k), np.triu(array, k))
        assert_eq(ga.diag(x[0], k), np.diag(array[0], k))
        assert_eq(ga.diagflat(x, k), np.diagflat(array, k))
