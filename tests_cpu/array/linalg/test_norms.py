"""Norms and condition numbers against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import nothing_computes
from gpuscale.testing.matrices import close, lazily, matrix, regular

VECTORS = (None, 0, 1, 2, 3, -1, -2, 0.5, np.inf, -np.inf)
MATRICES = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


@given(data=st.data())
@settings(max_examples=60)
def test_norms_of_vectors(data):
    shape = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    a = matrix(data, *shape)
    a[a == 0] = 1
    x = lazily(data, a)
    order, keepdims = data.draw(st.sampled_from(VECTORS)), data.draw(st.booleans())
    axis = data.draw(st.integers(-a.ndim, a.ndim - 1))
    close(ga.linalg.norm(x, order, axis, keepdims), np.linalg.norm(a, order, axis, keepdims), 100)
    close(ga.linalg.norm(x, keepdims=keepdims), np.linalg.norm(a, keepdims=keepdims), 100)
    if order is not None:
        options = {
            "ord": order,
            "keepdims": keepdims,
            "axis": data.draw(st.sampled_from([None, axis])),
        }
        close(ga.linalg.vector_norm(x, **options), np.linalg.vector_norm(a, **options), 100)


@given(data=st.data())
@settings(max_examples=60)
def test_norms_of_matrices(data):
    a = matrix(data, 2, *data.draw(st.tuples(st.integers(1, 5), st.integers(1, 5))))
    x = lazily(data, a)
    order, keepdims = data.draw(st.sampled_from(MATRICES)), data.draw(st.booleans())
    axes = data.draw(st.permutations([0, 1, 2]).map(lambda order: tuple(order[:2])))
    close(ga.linalg.norm(x, order, axes, keepdims), np.linalg.norm(a, order, axes, keepdims), 100)
    close(
        ga.linalg.norm(x[0], order, keepdims=keepdims),
        np.linalg.norm(a[0], order, keepdims=keepdims),
        100,
    )
    if order is not None:
        options = {"ord": order, "keepdims": keepdims}
        close(ga.linalg.matrix_norm(x, **options), np.linalg.matrix_norm(a, **options), 100)


@given(data=st.data())
@settings(max_examples=40)
def test_cond(data):
    order = data.draw(st.sampled_from(MATRICES))
    a = regular(data, 4, stack=data.draw(st.sampled_from([(), (2,)])))
    close(ga.linalg.cond(lazily(data, a), order), np.linalg.cond(a, order), 100)


def test_cond_of_singular_and_missing():
    a = np.zeros((2, 2, 2))
    a[1] = np.eye(2)
    assert ga.linalg.cond(ga.from_array(a)).compute().tolist() == [np.inf, 1]


def test_empty_vectors():
    assert ga.linalg.norm(ga.ones((0,)), np.inf).compute() == 0
    assert ga.linalg.norm(ga.ones((0,))).compute() == 0


def test_bad_input():
    x = ga.ones((2, 2, 2))
    with pytest.raises(ValueError, match="Invalid norm order 'nuc' for vectors"):
        ga.linalg.norm(x, "nuc", 0)
    with pytest.raises(ValueError, match="Invalid norm order for matrices"):
        ga.linalg.norm(x, 3, (0, 1))
    with pytest.raises(ValueError, match="Improper number of dimensions"):
        ga.linalg.norm(x, 1)
    with pytest.raises(TypeError, match="'axis' must be"):
        ga.linalg.norm(x, None, "a")
    with pytest.raises(np.linalg.LinAlgError, match="empty arrays"):
        ga.linalg.cond(ga.ones((0, 0)))
    with nothing_computes():
        ga.linalg.norm(x, axis=0), ga.linalg.cond(x), ga.linalg.matrix_norm(x, ord=2)
