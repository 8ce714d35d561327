"""Einstein sums against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks

LENGTHS = {"i": 3, "j": 4, "k": 2, "l": 5, "m": 1}


def numbers(shape, dtype="int64"):
    return ((np.arange(np.prod(shape, dtype=int)) * 7 % 11) - 3).reshape(shape).astype(dtype)


def lazily(data, array):
    return ga.from_array(array, chunks=data.draw(chunks(array.shape)))


@st.composite
def subscripts(draw):
    """Up to three operands with letters of any kind, and perhaps an output."""
    letter = st.sampled_from("ijklm")
    terms = draw(st.lists(st.lists(letter, max_size=3).map("".join), min_size=1, max_size=3))
    if draw(st.booleans()):
        return ",".join(terms)
    there = sorted({x for term in terms for x in term})
    out = draw(st.lists(st.sampled_from(there), unique=True, max_size=3)) if there else []
    return f"{','.join(terms)}->{''.join(out)}"


@given(data=st.data())
@settings(max_examples=120)
def test_any_subscripts(data):
    text = data.draw(subscripts())
    arrays = [
        numbers([LENGTHS[x] for x in term], data.draw(st.sampled_from(["int64", "float64"])))
        for term in text.split("->")[0].split(",")
    ]
    assert_eq(ga.einsum(text, *(lazily(data, a) for a in arrays)), np.einsum(text, *arrays))


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 3)]),
        ("...ij,...jk", [(2, 3, 4), (4, 3)]),
        ("i...->...", [(3, 4, 5)]),
        ("...,...", [(3, 4), (4,)]),
        ("...i->...i", [(3,)]),
        ("bij,bjk,bkl->bil", [(2, 3, 4), (2, 4, 5), (2, 5, 3)]),
        ("ij,jk,kl,lm->im", [(3, 9), (9, 2), (2, 8), (8, 4)]),
        ("ii->i", [(4, 4)]),
        ("iij,jkk->ik", [(3, 3, 4), (4, 2, 2)]),
        ("ij,ij->", [(3, 4), (3, 4)]),
        ("ij,ij->", [(3, 1), (3, 4)]),
        ("ij,jk->ik", [(3, 1), (4, 2)]),
        (" i j , j k -> k i ", [(3, 4), (4, 2)]),
        ("aBc->cBa", [(2, 3, 4)]),
        ("", [()]),
        (",i->i", [(), (3,)]),
    ],
)
@pytest.mark.parametrize("optimize", [False, True, "optimal"])
def test_kinds_of_subscripts(text, shapes, optimize):
    arrays = [numbers(shape) for shape in shapes]
    lazy = [ga.from_array(a, chunks=2) for a in arrays]
    assert_eq(ga.einsum(text, *lazy, optimize=optimize), np.einsum(text, *arrays))


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32", "complex64"])
def test_dtypes_are_kept(dtype):
    a = numbers((4, 5), dtype)
    x = ga.from_array(a, chunks=2)
    for text in ("ij->", "ij->i", "ij,ij->ij"):
        operands = (a,) * (text.count(",") + 1)
        assert_eq(ga.einsum(text, *(x,) * len(operands)), np.einsum(text, *operands))
    assert_eq(ga.einsum("ij,kj->ik", x, x), np.einsum("ij,kj->ik", a, a))


def test_lists_of_letters_dtype_and_out():
    a, b = numbers((3, 4)), numbers((4, 2))
    x, y = ga.from_array(a, chunks=2), ga.from_array(b, chunks=1)
    assert_eq(ga.einsum(x, [0, 1], y, [1, 2], [2, 0]), np.einsum(a, [0, 1], b, [1, 2], [2, 0]))
    assert_eq(ga.einsum(x, [0, 1], y, [1, 2]), np.einsum(a, [0, 1], b, [1, 2]))
    assert_eq(ga.einsum(x, [..., 0], [..., 0]), a)
    assert_eq(ga.einsum("ij->i", x, dtype=float), a.sum(1).astype(float))
    held = ga.zeros(3, dtype=int)
    assert ga.einsum("ij->i", x, out=held) is held
    assert_eq(held, a.sum(1))
    path, _ = ga.einsum_path("ij,jk->ik", x, y)
    assert path == ["einsum_path", (0, 1)]


@pytest.mark.parametrize(
    ("text", "shapes", "message"),
    [
        ("ij", [(3,)], "do not fit an operand of shape"),
        ("i", [(3, 3)], "do not fit an operand of shape"),
        ("i,j", [(3,)], "fewer operands"),
        ("i", [(3,), (3,)], "more operands"),
        ("i->j", [(3,)], "never appeared"),
        ("i->ii", [(3,)], "repeatedly"),
        ("i,i", [(3,), (4,)], "different lengths along 'i'"),
        ("i1", [(3, 3)], "invalid part"),
        ("ii", [(1, 3)], "no diagonal along 'i'"),
        ("ii->i", [(3, 1)], "no diagonal along 'i'"),
        ("ii,i", [(1, 3), (3,)], "no diagonal along 'i'"),
        ("iii->i", [(2, 1, 2)], "no diagonal along 'i'"),
        ("...ii", [(2, 3, 1)], "no diagonal along 'i'"),
        ("...i->i", [(3, 3)], "must include the ellipsis"),
    ],
)
def test_bad_subscripts(text, shapes, message):
    with pytest.raises(ValueError, match=message):
        ga.einsum(text, *map(ga.ones, shapes))


def test_other_bad_input_and_laziness():
    x = ga.ones((4, 4), chunks=2)
    with pytest.raises(ValueError, match="must specify"):
        ga.einsum()
    with pytest.raises(TypeError, match="Cannot cast operand"):
        ga.einsum("ij->", x, dtype=int)
    with nothing_computes():
        ga.einsum("ij,jk->ik", x, x)
