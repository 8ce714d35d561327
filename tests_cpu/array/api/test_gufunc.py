"""Generalized ufuncs against NumPy on whole arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.api.signatures import Signature
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks


def lazily(data, array):
    return ga.from_array(array, chunks=data.draw(chunks(array.shape)))


def numbers(*shape):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape) % 11


@given(data=st.data())
@settings(max_examples=25)
def test_loop_axes_broadcast(data):
    a, b = numbers(3, 1, 4, 5), numbers(2, 5)
    x, y = lazily(data, a), lazily(data, b)
    product = ga.apply_gufunc(
        lambda p, q: np.einsum("...mn,...n->...m", p, q), "(m,n),(n)->(m)", x, y, allow_rechunk=True
    )
    assert_eq(product, np.einsum("...mn,...n->...m", a, b))


@given(data=st.data())
@settings(max_examples=25)
def test_several_outputs(data):
    a = numbers(4, 3, 5)
    x = lazily(data, a)
    low, ends = ga.apply_gufunc(
        lambda b: (b.min(-1), np.stack([b[..., 0], b[..., -1]], -1) / 2),
        "(i)->(),(j)",
        x,
        output_sizes={"j": 2},
        allow_rechunk=True,
    )
    assert_eq(low, a.min(-1))
    assert_eq(ends, a[..., [0, -1]] / 2)
    alone, _ = ga.apply_gufunc(
        lambda b: (b.sum(-1), b), "(i)->(),(i)", x[0, 0], output_dtypes="ll", allow_rechunk=True
    )
    assert_eq(alone, a[0, 0].sum())


@given(data=st.data())
@settings(max_examples=25)
def test_places_of_core_axes(data):
    a = numbers(4, 3, 5)
    x = lazily(data, a)
    axis = data.draw(st.integers(-3, 2))
    options = {"allow_rechunk": True}

    def total(b):
        return b.sum(-1)

    assert_eq(ga.apply_gufunc(total, "(i)->()", x, axis=axis, **options), a.sum(axis))
    kept = ga.apply_gufunc(total, "(i)->()", x, axis=axis, keepdims=True, **options)
    assert_eq(kept, a.sum(axis, keepdims=True))
    axes = ga.apply_gufunc(total, "(i)->()", x, axes=[(axis,)], **options)
    assert_eq(axes, a.sum(axis))
    to = data.draw(st.integers(-3, 2))
    moved = ga.apply_gufunc(lambda b: b.cumsum(-1), "(i)->(i)", x, axes=[axis, to], **options)
    assert_eq(moved, np.moveaxis(a.cumsum(axis), axis, to))


def test_vectorized():
    x = ga.from_array(numbers(4, 3), chunks=(2, 3))

    def spread(v):
        assert v.ndim == 1
        return v.max() - v.min()

    expected = np.ptp(numbers(4, 3), -1)
    assert_eq(ga.apply_gufunc(spread, "(i)->()", x, vectorize=True), expected)
    half = ga.apply_gufunc(lambda v, w: (v / 2, w), "(),()->(),()", x, 1, vectorize=True)
    assert_eq(half[0], numbers(4, 3) / 2)
    assert_eq(half[1], np.ones((4, 3), int))


def test_gufunc_and_decorator():
    @ga.as_gufunc("(i)->()", output_dtypes=float, allow_rechunk=True)
    def mean(b):
        """Mean of vectors."""
        return b.mean(-1)

    assert mean.__doc__ == "Mean of vectors."
    x = ga.from_array(numbers(4, 3), chunks=2)
    assert_eq(mean(x), numbers(4, 3).mean(-1))
    assert_eq(mean(x, axis=0), numbers(4, 3).mean(0))
    total = ga.gufunc(lambda b: b.sum(-1), signature="(i)->()", output_dtypes=int)
    assert_eq(total(x, allow_rechunk=True), numbers(4, 3).sum(-1))


def test_dtypes():
    x = ga.ones((2, 3))
    assert_eq(
        ga.apply_gufunc(lambda b: b.sum(-1), "(i)->()", x, output_dtypes="float32"),
        np.full(2, 3, "float32"),
    )
    from_meta = ga.apply_gufunc(lambda b: b.sum(-1), "(i)->()", x, meta=np.empty(0, "int64"))
    assert_eq(from_meta, np.full(2, 3))


@pytest.mark.parametrize(
    "text", ["(i)->()", "(m,n),(n)->(m)", "()->(),()", "->(i)", "(3),(n)->(n)"]
)
def test_signatures(text):
    assert str(Signature.parse(text)) == text
    assert Signature.parse(text.replace(",", " , ")) == Signature.parse(text)


@pytest.mark.parametrize("text", ["", "(i)", "i->i", "(i)->", "(i,)->()", "(i)(j)->()"])
def test_no_signatures(text):
    with pytest.raises(ValueError, match="Not a valid gufunc signature"):
        Signature.parse(text)


def test_bad_input():
    x = ga.ones((4, 4), chunks=2)

    def total(b):
        return b.sum(-1)

    cases = [
        ("consists of 2 blocks", "(i)->()", (x,), {}),
        ("takes 2 arrays, got 1", "(i),(i)->()", (x,), {}),
        ("the lengths 4 and 3", "(i),(i)->()", (x[0], ga.ones(3)), {}),
        ("the length of 'j'", "(i)->(j)", (x,), {}),
        ("does not fit the signature", "(i,j)->()", (x[0],), {}),
        ("not both", "(i)->()", (x,), {"axis": 0, "axes": [0]}),
        ("single core axis", "(i,j)->()", (x,), {"axis": 0}),
        ("axes has 3 items", "(i)->(i)", (x,), {"axes": [0, 0, 0]}),
        ("with 1 core axes", "(i)->()", (x,), {"axes": [(0, 1)]}),
        ("keepdims=", "(i)->(i)", (x,), {"keepdims": True}),
        (
            "has 2 items for 1 outputs",
            "(i)->()",
            (x,),
            {"allow_rechunk": True, "output_dtypes": [int, int]},
        ),
    ]
    for message, signature, args, options in cases:
        with pytest.raises(ValueError, match=message):
            ga.apply_gufunc(total, signature, *args, **options)
    with pytest.raises(ValueError, match="last axes should be"):
        ga.apply_gufunc(total, "(i)->(i)", x, allow_rechunk=True, output_dtypes=float).compute()
    with pytest.raises(ValueError, match="tuple of 2 arrays"):
        ga.apply_gufunc(total, "(i)->(),()", x, allow_rechunk=True, output_dtypes=float)[
            0
        ].compute()
    with pytest.raises(TypeError, match="callable"):
        ga.apply_gufunc(1, "(i)->()", x)
    with nothing_computes():
        ga.apply_gufunc(total, "(i)->()", x, allow_rechunk=True)
