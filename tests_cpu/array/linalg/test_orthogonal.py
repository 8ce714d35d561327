"""QR and singular values of stacks, and of matrices in any blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.matrices import close, lazily, matrix

side = st.integers(1, 12)
stacks = st.sampled_from([(), (), (), (2,), (2, 3)])


def check_qr(q, r, a):
    k = min(a.shape[-2:])
    eye = np.broadcast_to(np.eye(k), (*a.shape[:-2], k, k)).astype(q.dtype)
    close(q @ r, a.astype(q.dtype), 100)
    close(q.swapaxes(-1, -2).conj() @ q, eye, 10)
    assert_eq(np.triu(r), r)


@given(data=st.data())
@settings(max_examples=60)
def test_qr(data):
    a = matrix(data, *data.draw(stacks), data.draw(side), data.draw(side))
    x = lazily(data, a)
    with config.set({"array.split-every": 2}):
        result = ga.linalg.qr(x)
        q, r = (each.compute(engine="sync") for each in result)
        shapes = [each.shape for each in np.linalg.qr(a)]
        assert [q.shape, r.shape] == shapes and (result.Q.shape, result.R.shape) == (
            q.shape,
            r.shape,
        )
        check_qr(q, r, a)
        close(abs(ga.linalg.qr(x, mode="r")), abs(r), 100)


@given(data=st.data())
@settings(max_examples=20)
def test_other_modes(data):
    a = matrix(data, *data.draw(stacks), data.draw(side), data.draw(side))
    x = lazily(data, a)
    for found, expected in zip(
        ga.linalg.qr(x, "complete"), np.linalg.qr(a, "complete"), strict=True
    ):
        close(found, expected, 10)
    for found, expected in zip(ga.linalg.qr(x, "raw"), np.linalg.qr(a, "raw"), strict=True):
        close(found, expected, 10)


@given(data=st.data())
@settings(max_examples=60)
def test_svd(data):
    full = data.draw(st.booleans())
    a = matrix(data, *data.draw(stacks), data.draw(side), data.draw(side))
    x = lazily(data, a)
    with config.set({"array.split-every": 2}):
        u, s, vh = (each.compute(engine="sync") for each in ga.linalg.svd(x, full_matrices=full))
        expected = np.linalg.svd(a, full_matrices=full)
        assert [u.shape, s.shape, vh.shape] == [each.shape for each in expected]
        close(s, expected.S, 100)
        k = s.shape[-1]
        close(u[..., :k] * s[..., None, :] @ vh[..., :k, :], a.astype(u.dtype), 100)
        for q in (u, vh.swapaxes(-1, -2)):
            eye = np.broadcast_to(np.eye(q.shape[-1]), (*a.shape[:-2], *(q.shape[-1],) * 2))
            close(q.swapaxes(-1, -2).conj() @ q, eye.astype(q.dtype), 10)
        close(ga.linalg.svdvals(x), np.linalg.svdvals(a), 100)
        close(ga.linalg.svd(x, compute_uv=False), np.linalg.svdvals(a), 100)


def test_signs_do_not_depend_on_blocks():
    a = np.random.default_rng(0).normal(size=(20, 4))
    whole = ga.linalg.svd(ga.from_array(a), full_matrices=False)
    blocks = ga.linalg.svd(ga.from_array(a, chunks=(5, 2)), full_matrices=False)
    for one, other in zip(whole, blocks, strict=True):
        close(one, other.compute(engine="sync"))
    free = ga.linalg.svd(ga.from_array(a), full_matrices=False, coerce_signs=False)
    close(free.U, np.linalg.svd(a, full_matrices=False).U)


def test_hermitian():
    a = np.random.default_rng(0).normal(size=(4, 4))
    a = a + a.T
    u, s, vh = ga.linalg.svd(ga.from_array(a), hermitian=True)
    close(s, np.linalg.svdvals(a))
    close((u * s) @ vh, a)
    singular = np.array([[1.0, 2j], [-2j, 4.0]])  # one eigenvalue is zero
    u, s, vh = ga.linalg.svd(ga.from_array(singular), hermitian=True)
    close((u * s) @ vh, singular)
    close(vh @ vh.T.conj(), np.eye(2, dtype=complex))


def test_trees_of_tall_matrices():
    a = np.random.default_rng(0).normal(size=(100, 3))
    with config.set({"array.split-every": 2}):
        x = ga.from_array(a, chunks=(5, 3))
        q, r = ga.linalg.tsqr(x)
        assert q.chunks == x.chunks
        check_qr(q.compute(), r.compute(), a)
        assert ga.linalg.tsqr(x, compute_svd=True).Vh.shape == (3, 3)
        q, r = ga.linalg.sfqr(x.T)
        check_qr(q.compute(), r.compute(), a.T)
        assert ga.linalg.sfqr(x).R.shape == (3, 3)


def test_bad_input():
    with pytest.raises(ValueError, match="Unrecognized mode 'full'"):
        ga.linalg.qr(ga.ones((2, 2)), "full")
    with pytest.raises(np.linalg.LinAlgError, match="at least two-dimensional"):
        ga.linalg.svd(ga.ones(3))
    with pytest.raises(TypeError, match="unsupported in linalg"):
        ga.linalg.qr(ga.from_array(np.ones((2, 2), object)))
    with nothing_computes():
        ga.linalg.svd(ga.ones((9, 3), chunks=3)), ga.linalg.qr(ga.ones((9, 3), chunks=3))
