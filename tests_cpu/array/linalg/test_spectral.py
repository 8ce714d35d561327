"""Eigenvalues of stacks of matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import nothing_computes
from gpuscale.testing.matrices import close, lazily, matrix

stacks = st.sampled_from([(), (2,), (2, 3)])


@given(data=st.data())
@settings(max_examples=30)
def test_eig(data):
    n = data.draw(st.integers(1, 5))
    a = matrix(data, *data.draw(stacks), n, n)
    values, vectors = (each.compute(engine="sync") for each in ga.linalg.eig(lazily(data, a)))
    assert values.dtype == vectors.dtype == np.result_type(np.linalg.eigvals(a), "complex64")
    close(a.astype(vectors.dtype) @ vectors, vectors * values[..., None, :], 100)
    expected = np.linalg.eigvals(a).astype(values.dtype)
    close(ga.linalg.eigvals(lazily(data, a)), expected, 100)


@given(data=st.data())
@settings(max_examples=30)
def test_eigh(data):
    n, uplo = data.draw(st.tuples(st.integers(1, 5), st.sampled_from("LUlu")))
    a = matrix(data, *data.draw(stacks), n, n)
    x = lazily(data, a)
    values, vectors = (each.compute(engine="sync") for each in ga.linalg.eigh(x, uplo))
    expected = np.linalg.eigh(a, uplo)
    close(values, expected.eigenvalues, 100)
    close(abs(vectors), abs(expected.eigenvectors), 1e3)
    close(ga.linalg.eigvalsh(x, uplo), np.linalg.eigvalsh(a, uplo), 100)


def test_bad_input():
    with pytest.raises(np.linalg.LinAlgError, match="must be square"):
        ga.linalg.eig(ga.ones((2, 3)))
    with pytest.raises(ValueError, match="UPLO"):
        ga.linalg.eigh(ga.ones((2, 2)), "X")
    with nothing_computes():
        ga.linalg.eig(ga.eye(3)), ga.linalg.eigvalsh(ga.eye(3))
