"""Least squares, pseudo-inverses, ranks, approximations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.matrices import close, lazily, matrix

side = st.integers(1, 9)


def low_rank(data, m, n, rank, dtypes):
    return matrix(data, m, rank, dtypes=dtypes) @ matrix(data, rank, n, dtypes=dtypes)


@given(data=st.data())
@settings(max_examples=40)
def test_lstsq(data):
    m, n = data.draw(st.tuples(side, side))
    rank = data.draw(st.integers(1, min(m, n)))
    a = low_rank(data, m, n, rank, ("float64", "complex128"))
    b = matrix(data, *data.draw(st.sampled_from([(m,), (m, 3)])), dtypes=("float64", "int64"))
    found = ga.linalg.lstsq(lazily(data, a), lazily(data, b), rcond=1e-10)
    expected = np.linalg.lstsq(a, b, rcond=1e-10)
    # Nearly singular systems magnify rounding.
    large = np.linalg.svdvals(a)
    scale = 1e2 * (large[0] / large[rank - 1]) ** 2
    close(found[0], expected[0], scale)
    close(found[1], expected[1], scale)
    assert found[2].compute(engine="sync") == expected[2] == rank
    close(found[3], expected[3], 100)


def test_residuals_and_shares():
    a = np.random.default_rng(0).normal(size=(8, 3))
    x, b = ga.from_array(a, chunks=(2, 3)), ga.ones(8, chunks=3)
    for rcond in (None, -1, 0.5):
        found, expected = ga.linalg.lstsq(x, b, rcond), np.linalg.lstsq(a, np.ones(8), rcond)
        close(found[0], expected[0])
        close(found[1], expected[1])
        assert found[1].shape == expected[1].shape


@given(data=st.data())
@settings(max_examples=40)
def test_pinv_and_rank(data):
    m, n = data.draw(st.tuples(side, side))
    rank = data.draw(st.integers(1, min(m, n)))
    a = low_rank(data, m, n, rank, ("float64", "complex128"))
    x = lazily(data, a)
    large = np.linalg.svdvals(a)
    scale = 1e2 * (large[0] / large[rank - 1]) ** 2
    close(ga.linalg.pinv(x, rcond=1e-9), np.linalg.pinv(a, rcond=1e-9), scale)
    close(ga.linalg.pinv(x, rtol=1e-9), np.linalg.pinv(a, rtol=1e-9), scale)
    assert_eq(ga.linalg.matrix_rank(x, rtol=1e-9), np.int64(rank))
    assert_eq(ga.linalg.matrix_rank(x, 1e-6), np.linalg.matrix_rank(a, 1e-6))


def test_stacks():
    a = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    a[0, 0] = 1
    x = ga.from_array(a, chunks=2)
    close(ga.linalg.pinv(x), np.linalg.pinv(a), 10)
    close(ga.linalg.pinv(x, rtol=None), np.linalg.pinv(a, rtol=None), 10)
    close(ga.linalg.pinv(x, np.full((2, 3), 1e-3)), np.linalg.pinv(a, np.full((2, 3), 1e-3)), 10)
    assert_eq(ga.linalg.matrix_rank(x), np.linalg.matrix_rank(a))
    assert_eq(ga.linalg.matrix_rank(x, np.ones((2, 3))), np.linalg.matrix_rank(a, np.ones((2, 3))))


def test_small_and_empty():
    assert ga.linalg.matrix_rank(ga.zeros(3)).compute() == 0
    assert ga.linalg.matrix_rank(ga.ones(3)).compute() == 1
    assert ga.linalg.matrix_rank(ga.ones((0, 3))).compute() == 0
    assert ga.linalg.pinv(ga.ones((0, 3))).shape == (3, 0)


@pytest.mark.parametrize("iterator", ["power", "QR"])
@pytest.mark.parametrize("compute", [False, True])
@pytest.mark.parametrize("shape", [(60, 30), (30, 60)])
def test_svd_compressed(iterator, compute, shape):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(shape[0], 4)) @ rng.normal(size=(4, shape[1]))
    x = ga.from_array(a, chunks=(20, 15))
    u, s, vh = ga.linalg.svd_compressed(x, 4, iterator, 1, seed=1, compute=compute)
    assert (u.shape, s.shape, vh.shape) == ((shape[0], 4), (4,), (4, shape[1]))
    close(s, np.linalg.svdvals(a)[:4], 100)
    close((u * s) @ vh, a, 100)


def test_bad_input():
    x = ga.ones((3, 2))
    error = np.linalg.LinAlgError
    with pytest.raises(error, match="Incompatible dimensions"):
        ga.linalg.lstsq(x, ga.ones(2))
    with pytest.raises(error, match="takes two matrices"):
        ga.linalg.lstsq(ga.ones((2, 2, 2)), ga.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="can't be both set"):
        ga.linalg.pinv(x, 1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="can't be both set"):
        ga.linalg.matrix_rank(x, 1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="iterator"):
        ga.linalg.svd_compressed(x, 1, "qr")
    with pytest.raises(ValueError, match="k must be positive"):
        ga.linalg.svd_compressed(x, 0)
    with pytest.raises(error, match="takes one matrix"):
        ga.linalg.svd_compressed(ga.ones((2, 2, 2)), 1)
    with nothing_computes():
        ga.linalg.lstsq(x, ga.ones(3)), ga.linalg.pinv(x), ga.linalg.svd_compressed(x, 1)
