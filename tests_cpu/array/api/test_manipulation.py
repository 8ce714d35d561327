"""Axes moved, added, removed and broadcast, against NumPy; all of it views."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.nodes.view import View
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks, pairs


def axis_of(data, ndim):
    return data.draw(st.integers(-ndim, ndim - 1))


@settings(max_examples=40)
@given(pairs(min_dims=1), st.data())
def test_axes_are_moved(pair, data):
    array, x = pair
    order = data.draw(st.permutations(range(array.ndim)))
    assert_eq(ga.transpose(x, order), array.transpose(order))
    assert_eq(ga.permute_dims(x, order), array.transpose(order))
    assert_eq(x.T, array.T)
    a, b = axis_of(data, array.ndim), axis_of(data, array.ndim)
    assert_eq(ga.swapaxes(x, a, b), np.swapaxes(array, a, b))
    assert_eq(ga.moveaxis(x, a, b), np.moveaxis(array, a, b))
    assert_eq(ga.rollaxis(x, a), np.rollaxis(array, a))
    assert_eq(ga.flip(x, a), np.flip(array, a))
    assert_eq(ga.flip(x), np.flip(array))


@settings(max_examples=25)
@given(pairs(min_dims=2), st.integers(-5, 5), st.data())
def test_planes_are_turned(pair, k, data):
    array, x = pair
    axes = data.draw(st.permutations(range(array.ndim)))[:2]
    assert_eq(ga.rot90(x, k, axes), np.rot90(array, k, axes))
    assert_eq(ga.flipud(x), np.flipud(array))
    assert_eq(ga.fliplr(x), np.fliplr(array))
    assert_eq(ga.matrix_transpose(x), np.matrix_transpose(array))
    assert_eq(x.mT, array.mT)


@settings(max_examples=25)
@given(pairs(), st.data())
def test_axes_are_added_and_removed(pair, data):
    array, x = pair
    axis = data.draw(st.integers(-array.ndim - 1, array.ndim))
    wider = ga.expand_dims(x, axis)
    assert_eq(wider, np.expand_dims(array, axis))
    assert_eq(ga.squeeze(wider, axis), array)
    assert_eq(ga.squeeze(x), np.squeeze(array))
    assert_eq(ga.expand_dims(x, (0, -1)), np.expand_dims(array, (0, -1)))
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        assert_eq(getattr(ga, name)(x), getattr(np, name)(array))


@settings(max_examples=25)
@given(pairs(max_dims=2), st.integers(1, 3), st.data())
def test_broadcasting(pair, n, data):
    array, x = pair
    shape = (n, *(5 if length == 1 else length for length in array.shape))
    y = ga.broadcast_to(x, shape)
    assert_eq(y, np.broadcast_to(array, shape))
    cut = data.draw(chunks(shape))
    if y.chunks != cut and 1 not in array.shape:
        cut = (cut[0], *x.chunks)
    assert_eq(ga.broadcast_to(x, shape, chunks=cut), np.broadcast_to(array, shape))
    other = np.ones((n, *(1,) * array.ndim))
    for ours, theirs in zip(
        ga.broadcast_arrays(x, other), np.broadcast_arrays(array, other), strict=True
    ):
        assert_eq(ours, theirs)
    assert ga.broadcast_shapes(x.shape, other.shape) == np.broadcast_shapes(
        array.shape, other.shape
    )


def test_views_of_views_are_one_view_and_lazy():
    x = ga.from_array(np.ones((4, 6)), chunks=2)
    with nothing_computes():
        y = ga.flip(ga.moveaxis(x[:, None], 0, 2).swapaxes(0, 1), 1)
        node = y.optimize("simplify").expr
    assert isinstance(node, View)
    assert node.x is x.expr


@settings(max_examples=15)
@given(pairs(min_dims=1), st.data())
def test_rechunk(pair, data):
    array, x = pair
    cut = data.draw(chunks(array.shape))
    y = ga.rechunk(x, cut)
    assert y.chunks == cut
    assert_eq(y, array)
    z = y.map_blocks(lambda block: block, dtype=array.dtype).rechunk(x.chunks)
    assert z.chunks == x.chunks
    assert_eq(z, array)
    assert y.rechunk(-1).numblocks == (1,) * array.ndim


def test_copies_are_independent():
    x = ga.arange(3)
    y = ga.copy(x)
    y[0] = 5
    assert_eq(x, np.arange(3))


def test_bad_input():
    x = ga.ones((2, 3))
    with pytest.raises(ValueError, match="repeated axis"):
        ga.transpose(x, (0, 0))
    with pytest.raises(np.exceptions.AxisError):
        ga.swapaxes(x, 0, 2)
    with pytest.raises(ValueError, match="squeeze|size"):
        ga.squeeze(x, 0)
    with pytest.raises(ValueError, match="broadcast"):
        ga.broadcast_to(x, (2, 4))
    with pytest.raises(ValueError, match="[Aa]xes|axis"):
        ga.rot90(x, 1, (0, 0))
    with pytest.raises(np.exceptions.AxisError):
        ga.flip(x, 5)
    with pytest.raises(ValueError, match="repeated"):
        ga.expand_dims(x, (0, 0))
