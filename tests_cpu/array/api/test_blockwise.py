"""Functions of blocks aligned by letters, against einsum and NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.base.errors import ChunkError
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks


def lazily(data, array):
    return ga.from_array(array, chunks=data.draw(chunks(array.shape)))


def numbers(*shape):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape) % 11


@given(data=st.data())
@settings(max_examples=25)
def test_aligned_letters(data):
    a, b, c = numbers(5, 4), numbers(4, 5), numbers(5)
    x, y, z = (lazily(data, each) for each in (a, b, c))
    assert_eq(
        ga.blockwise(lambda p, q, r: p + q.T - r[:, None], "ij", x, "ij", y, "ji", z, "i"),
        a + b.T - c[:, None],
    )


@given(data=st.data())
@settings(max_examples=25)
def test_gathered_letters(data):
    a, b = numbers(5, 6, 3), numbers(6, 4)
    x, y = lazily(data, a), lazily(data, b)
    joined = ga.blockwise(
        lambda p, q: np.einsum("ikm,kj->ij", p, q), "ij", x, "ikm", y, "kj", concatenate=True
    )
    assert_eq(joined, np.einsum("ikm,kj->ij", a, b))

    def by_hand(rows, columns):
        parts = [np.concatenate(row, -1) for row in rows]
        return sum(np.einsum("ikm,kj->ij", p, q) for p, q in zip(parts, columns, strict=True))

    assert_eq(ga.blockwise(by_hand, "ij", x, "ikm", y, "kj"), np.einsum("ikm,kj->ij", a, b))


@given(data=st.data())
@settings(max_examples=15)
def test_lengths_of_one_broadcast(data):
    a, b = numbers(6, 4), numbers(6, 1)
    x, y = lazily(data, a), lazily(data, b)
    assert_eq(ga.blockwise(np.add, "ij", x, "ij", y, "ij"), a + b)


def test_new_and_adjusted_axes():
    x = ga.arange(6, chunks=4)
    tripled = ga.blockwise(lambda b: np.repeat(b[:, None], 3, 1), "ij", x, "i", new_axes={"j": 3})
    assert_eq(tripled, np.repeat(np.arange(6)[:, None], 3, 1))
    doubled = ga.blockwise(
        lambda b: np.tile(b, 2), "i", x, "i", adjust_chunks={"i": lambda n: 2 * n}
    )
    assert doubled.chunks == ((8, 4),)
    firsts = ga.blockwise(lambda b: b[:1], "i", x, "i", adjust_chunks={"i": 1})
    assert_eq(firsts, np.array([0, 4]))
    assert ga.blockwise(lambda b: b[:1], "i", x, "i", adjust_chunks={"i": (1, 1)}).chunks == (
        (1, 1),
    )


def test_values_and_whole_arrays():
    x = ga.arange(6, chunks=4)
    scale = ga.arange(4, chunks=1)
    result = ga.blockwise(
        lambda b, k, w, v: b * k + w.sum() + v.sum(), "i", x, "i", 2, None, scale, None, v=scale
    )
    assert_eq(result, np.arange(6) * 2 + 12)


def test_blocks_by_number():
    x, y = ga.arange(6, chunks=3), ga.arange(4, chunks=2)
    result = ga.blockwise(
        lambda a, b: a[:2] * b,
        "i",
        x,
        "i",
        y,
        "i",
        align_arrays=False,
        adjust_chunks={"i": 2},
        dtype=int,
    )
    assert_eq(result, np.array([0, 1, 6, 12]))
    with pytest.raises(ChunkError, match="different numbers of blocks"):
        ga.blockwise(np.add, "i", x, "i", ga.arange(6, chunks=1), "i", align_arrays=False)


def test_unify_chunks():
    x, y = ga.ones((4, 6), chunks=(2, 6)), ga.ones((6,), chunks=3)
    chunks, (p, q) = ga.unify_chunks(x, "ij", y, "j")
    assert chunks == {"i": (2, 2), "j": (3, 3)}
    assert p.chunks == ((2, 2), (3, 3)) and q.chunks == ((3, 3),)


def test_bad_input():
    x = ga.ones((4, 4))
    with pytest.raises(ValueError, match="repeated"):
        ga.blockwise(np.add, "ii", x, "ij")
    with pytest.raises(ValueError, match="do not name the axes"):
        ga.blockwise(np.add, "i", x, "i")
    with pytest.raises(ValueError, match="no array has the letter 'k'"):
        ga.blockwise(np.add, "ik", x, "ij")
    with pytest.raises(ValueError, match="different lengths along 'i'"):
        ga.blockwise(np.add, "i", ga.ones(3), "i", ga.ones(4), "i")
    with pytest.raises(ValueError, match="pairs"):
        ga.blockwise(np.add, "i", x)
    with pytest.raises(TypeError, match="callable"):
        ga.blockwise(None, "ij", x, "ij")
    with nothing_computes():
        ga.blockwise(np.sum, "i", x, "ij", axis=1, concatenate=True)
