"""Arrays joined and split, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, pairs


@st.composite
def several(draw):
    """Up to three arrays that differ along one axis, cut somehow, and that axis."""
    shape = draw(st.sampled_from([(4,), (3, 4), (2, 3, 2)]))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    arrays = []
    for k in range(draw(st.integers(1, 3))):
        lengths = list(shape)
        lengths[axis] = draw(st.integers(0, 4))
        dtype = draw(st.sampled_from(["int32", "float32", "float64"]))
        arrays.append(np.arange(np.prod(lengths)).reshape(lengths).astype(dtype) + 10 * k)
    return arrays, [draw(chunked(a)) for a in arrays], axis


@settings(max_examples=50)
@given(several())
def test_concatenate(case):
    arrays, lazy, axis = case
    expected = np.concatenate(arrays, axis=axis)
    assert_eq(ga.concatenate(lazy, axis=axis), expected)
    assert_eq(ga.concat(lazy, axis=axis), expected)
    assert_eq(ga.concatenate(lazy, axis=None), np.concatenate(arrays, axis=None))
    assert_eq(ga.append(lazy[0], lazy[-1], axis), np.append(arrays[0], arrays[-1], axis))
    assert_eq(ga.append(lazy[0], 3), np.append(arrays[0], 3))


@settings(max_examples=30)
@given(pairs(special=False), st.data())
def test_stack(pair, data):
    array, x = pair
    axis = data.draw(st.integers(-array.ndim - 1, array.ndim))
    y = data.draw(chunked(array))
    assert_eq(ga.stack([x, y, x + 1], axis), np.stack([array, array, array + 1], axis))
    for name in ("vstack", "hstack", "dstack"):
        assert_eq(getattr(ga, name)([x, y]), getattr(np, name)([array, array]))
    if array.ndim in (1, 2):
        assert_eq(ga.column_stack([x, y]), np.column_stack([array, array]))
    if array.ndim:
        assert_eq(ga.stack(ga.unstack(x)), array) if len(array) else None
        assert len(ga.unstack(x, axis=-1)) == array.shape[-1]


def test_block():
    a, b = np.ones((2, 2)), np.zeros((2, 3))
    x, y = ga.from_array(a, chunks=1), ga.from_array(b, chunks=2)
    assert_eq(ga.block([[x, y], [y, x]]), np.block([[a, b], [b, a]]))
    assert_eq(ga.block([x, y]), np.block([a, b]))
    assert_eq(ga.block([1, 2, [3][0]]), np.block([1, 2, 3]))


@settings(max_examples=40)
@given(pairs(min_dims=1), st.data())
def test_split(pair, data):
    array, x = pair
    axis = data.draw(st.integers(0, array.ndim - 1))
    length = array.shape[axis]
    cuts = data.draw(st.lists(st.integers(-1, length + 2), max_size=3).map(sorted))
    n = data.draw(st.integers(1, 5))
    for where in (cuts, n):
        theirs = np.array_split(array, where, axis)
        ours = ga.array_split(x, where, axis)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_eq(a, b)
    if length % n == 0:
        for a, b in zip(ga.split(x, n, axis), np.split(array, n, axis), strict=True):
            assert_eq(a, b)
    else:
        with pytest.raises(ValueError, match="equal division"):
            ga.split(x, n, axis)


@pytest.mark.parametrize("name", ["vsplit", "hsplit", "dsplit"])
def test_split_along_named_axes(name):
    array = np.arange(64).reshape(4, 4, 4)
    x = ga.from_array(array, chunks=3)
    for a, b in zip(getattr(ga, name)(x, 2), getattr(np, name)(array, 2), strict=True):
        assert_eq(a, b)
    with pytest.raises(ValueError, match="dimensions"):
        getattr(ga, name)(ga.asarray(1.0), 2)


def test_joining_is_lazy():
    x = ga.ones((10**6, 10), chunks=1000)
    with nothing_computes():
        assert ga.concatenate([x, x, x]).shape == (3 * 10**6, 10)
        assert len(ga.split(ga.stack([x, x]), 2)) == 2


def test_bad_input():
    x = ga.ones((2, 3))
    with pytest.raises(ValueError, match="at least one"):
        ga.concatenate([])
    with pytest.raises(ValueError, match="must match"):
        ga.concatenate([x, ga.ones((2, 4))])
    with pytest.raises(ValueError, match="dimension"):
        ga.concatenate([x, ga.ones(3)])
    with pytest.raises(np.exceptions.AxisError):
        ga.concatenate([x, x], axis=2)
    with pytest.raises(ValueError, match="same shape"):
        ga.stack([x, ga.ones(3)])
    with pytest.raises(ValueError, match="at least one|need"):
        ga.stack([])
    with pytest.raises(ValueError, match="zero-dimensional|0-d"):
        ga.concatenate([ga.asarray(1), ga.asarray(2)])


def test_numbers_of_parts_that_cannot_be():
    x = ga.arange(6, chunks=4)
    with pytest.raises(ZeroDivisionError):
        ga.split(x, 0)
    for function, parts in ((ga.split, 4), (ga.split, -1), (ga.array_split, 0)):
        with pytest.raises(ValueError, match="split|sections"):
            function(x, parts)


def test_joining_into_an_array():
    x, out = ga.arange(4, chunks=2), ga.zeros(8, chunks=3)
    assert np.concatenate([x, x], out=out) is out
    assert_eq(out, np.concatenate([np.arange(4.0), np.arange(4.0)]))
    assert_eq(np.stack([x, x], dtype="f4"), np.stack([np.arange(4), np.arange(4)], dtype="f4"))
    with pytest.raises(TypeError, match="Cannot cast"):
        ga.stack([x, x], dtype="i1", casting="safe")
