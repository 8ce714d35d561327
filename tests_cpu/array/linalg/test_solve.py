"""Linear systems, inverses and determinants, by blocks and in one piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import nothing_computes
from gpuscale.testing.matrices import close, lazily, matrix, positive, regular


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=30)
def test_solve_and_inv(data):
    n = data.draw(st.integers(1, 8))
    a = regular(data, n)
    b = matrix(data, *data.draw(st.sampled_from([(n,), (n, 3)])))
    x, y = lazily(data, a), lazily(data, b)
    close(ga.linalg.solve(x, y), np.linalg.solve(a, b), 10)
    close(ga.linalg.inv(x), np.linalg.inv(a), 10)


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=20)
def test_pivots_come_from_whole_columns(data):
    """Blocks on the diagonal are singular on their own."""
    n = data.draw(st.integers(2, 8))
    a = np.roll(np.eye(n), data.draw(st.integers(1, n - 1)), 0) * 2
    x = lazily(data, a)
    close(ga.linalg.inv(x), np.linalg.inv(a))
    close(ga.linalg.det(x), np.linalg.det(a), 10)


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=20)
def test_solve_positive(data):
    n = data.draw(st.integers(1, 8))
    a, b = positive(data, n), matrix(data, n, 2)
    found = ga.linalg.solve(lazily(data, a), lazily(data, b), assume_a="pos")
    close(found, np.linalg.solve(a, b), 1e3)


@given(data=st.data())
@settings(max_examples=20)
def test_stacks(data):
    a, b = regular(data, 3, stack=(2, 1)), matrix(data, 4, 3, 2)
    x = lazily(data, a)
    close(ga.linalg.solve(x, lazily(data, b)), np.linalg.solve(a, b), 10)
    close(ga.linalg.inv(x), np.linalg.inv(a), 10)
    close(ga.linalg.det(x), np.linalg.det(a), 10)
    for found, expected in zip(ga.linalg.slogdet(x), np.linalg.slogdet(a), strict=True):
        close(found, expected, 10)


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=30)
def test_determinants(data):
    a = regular(data, data.draw(st.integers(1, 8)))
    x = lazily(data, a)
    close(ga.linalg.det(x), np.linalg.det(a), 100)
    found = ga.linalg.slogdet(x)
    close(found.sign, np.linalg.slogdet(a).sign, 10)
    close(found.logabsdet, np.linalg.slogdet(a).logabsdet, 10)


def test_singular_matrices(way):
    x = ga.from_array(np.ones((4, 4)), chunks=2)
    for function in (ga.linalg.inv, lambda a: ga.linalg.solve(a, ga.ones(4))):
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            function(x).compute(engine="sync")
    with np.errstate(divide="ignore"):
        close(ga.linalg.det(x), np.float64(0))


def test_tensors():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 6)), rng.normal(size=(2, 3))
    x, y = ga.from_array(a, chunks=2), ga.from_array(b, chunks=1)
    close(ga.linalg.tensorsolve(x, y), np.linalg.tensorsolve(a, b))
    moved = np.moveaxis(a, 2, 0).copy()
    close(
        ga.linalg.tensorsolve(ga.from_array(moved, chunks=2), y, axes=(0,)),
        np.linalg.tensorsolve(moved, b, axes=(0,)),
    )
    close(ga.linalg.tensorinv(x), np.linalg.tensorinv(a))
    close(ga.linalg.tensorinv(ga.from_array(moved, chunks=2), 1), np.linalg.tensorinv(moved, 1))


@given(data=st.data())
@settings(max_examples=20)
def test_matrix_power(data):
    a = regular(data, 3, stack=data.draw(st.sampled_from([(), (2,)])))
    n = data.draw(st.integers(-3, 5))
    close(ga.linalg.matrix_power(lazily(data, a), n), np.linalg.matrix_power(a, n), 10)


def test_bad_input():
    x = ga.eye(3)
    error = np.linalg.LinAlgError
    for function in (ga.linalg.inv, ga.linalg.det, ga.linalg.slogdet):
        with pytest.raises(error, match="must be square"):
            function(ga.ones((2, 3)))
    with pytest.raises(ValueError, match="assume_a"):
        ga.linalg.solve(x, x, assume_a="sym")
    with pytest.raises(ValueError, match="3 rows but the right-hand side has 2"):
        ga.linalg.solve(x, ga.ones((2, 2)))
    with pytest.raises(error, match="at least one-dimensional"):
        ga.linalg.solve(x, 1.0)
    with pytest.raises(TypeError, match="exponent must be an integer"):
        ga.linalg.matrix_power(x, 1.5)
    with pytest.raises(error, match="at least two-dimensional"):
        ga.linalg.matrix_power(x[0], 2)
    with pytest.raises(error, match="must satisfy the requirement"):
        ga.linalg.tensorsolve(ga.ones((2, 3)), ga.ones(2))
    with pytest.raises(ValueError, match="Invalid ind"):
        ga.linalg.tensorinv(x, 0)
    with pytest.raises(error, match="as many rows as columns"):
        ga.linalg.tensorinv(ga.ones((2, 3)), 1)
    with nothing_computes():
        ga.linalg.solve(x, x), ga.linalg.slogdet(x), ga.linalg.matrix_power(x, 3)
