"""Cholesky and LU by blocks and in one piece."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.run import graph_of
from gpuscale.testing import nothing_computes
from gpuscale.testing.matrices import close, lazily, matrix, positive, regular


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=30)
def test_cholesky(data):
    a = positive(data, data.draw(st.integers(1, 8)))
    x = lazily(data, a)
    # One triangle is read, so what is in the other does not matter.
    close(ga.linalg.cholesky(ga.tril(x)), np.linalg.cholesky(a), 10)
    close(ga.linalg.cholesky(ga.triu(x), upper=True), np.linalg.cholesky(a, upper=True), 10)
    close(ga.linalg.cholesky(x, lower=False), np.linalg.cholesky(a, upper=True), 10)


@given(data=st.data())
@settings(max_examples=10)
def test_stacks(data):
    a = positive(data, 3, stack=(2, 3))
    close(ga.linalg.cholesky(lazily(data, a)), np.linalg.cholesky(a), 10)


def test_not_positive_definite(way):
    x = ga.from_array(-np.eye(4), chunks=2)
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        ga.linalg.cholesky(x).compute(engine="sync")


@pytest.mark.usefixtures("way")
@given(data=st.data())
@settings(max_examples=30)
def test_solve_triangular(data):
    n, lower, unit = data.draw(st.tuples(st.integers(1, 8), st.booleans(), st.booleans()))
    t = regular(data, n)
    shape = data.draw(st.sampled_from([(n,), (n, 3)]))
    x = matrix(data, *shape, dtypes=("float64", "complex128"))
    triangle = (np.tril(t) if lower else np.triu(t)).astype(np.result_type(t, float))
    if unit:
        np.fill_diagonal(triangle, 1)
        triangle = triangle / 1000 + np.eye(n) * 0.999
        t = triangle
    found = ga.linalg.solve_triangular(
        lazily(data, t), lazily(data, triangle @ x), lower, unit_diagonal=unit
    )
    close(found, x.astype(np.result_type(triangle, x)), 1e4)


@given(data=st.data())
@settings(max_examples=50)
def test_lu(data):
    m, n = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    a = matrix(data, m, n)
    if data.draw(st.booleans()):
        a[:, data.draw(st.integers(0, n - 1))] = 0
    p, lower, upper = ga.linalg.lu(lazily(data, a))
    k = min(m, n)
    assert (p.shape, lower.shape, upper.shape) == ((m, m), (m, k), (k, n))
    p, lower, upper = (each.compute(engine="sync") for each in (p, lower, upper))
    close(p @ lower @ upper, a.astype(p.dtype), 10)
    assert np.array_equal(np.tril(lower), lower) and np.array_equal(np.triu(upper), upper)
    assert np.abs(lower).max() <= 1 + 1e-6 and np.array_equal(p @ p.T, np.eye(m))


def test_one_task_for_each_block():
    x = ga.from_array(np.eye(12), chunks=3)
    with config.set({"array.chunk-size": 1}):
        graph = graph_of(ga.linalg.cholesky(x))
        assert len(graph) == 16 + 10  # blocks of the factor, and of the lower triangle read


def test_bad_input():
    x = ga.ones((3, 4))
    with pytest.raises(np.linalg.LinAlgError, match="must be square"):
        ga.linalg.cholesky(x)
    with pytest.raises(np.linalg.LinAlgError, match="at least two-dimensional"):
        ga.linalg.cholesky(x[0])
    with pytest.raises(np.linalg.LinAlgError, match="takes one matrix"):
        ga.linalg.lu(ga.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="3 rows but the right-hand side has 2"):
        ga.linalg.solve_triangular(ga.ones((3, 3)), ga.ones(2))
    with pytest.raises(TypeError, match="float16 is unsupported"):
        ga.linalg.cholesky(ga.ones((2, 2), dtype="float16"))
    with nothing_computes():
        ga.linalg.lu(x), ga.linalg.cholesky(ga.eye(3))
