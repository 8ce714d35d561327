"""Largest elements and partitions, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.memory import assert_room_is_enough
from gpuscale.testing.strategies import pairs


def best(array, k, axis):
    ordered = np.moveaxis(np.sort(array, axis=axis), axis, -1)
    chosen = ordered[..., ::-1][..., :k] if k > 0 else ordered[..., :-k]
    return np.moveaxis(chosen, -1, axis)


@settings(max_examples=60)
@given(pairs(min_dims=1, max_side=9), st.integers(-5, 5), st.data())
def test_topk(pair, k, data):
    array, x = pair
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    split = data.draw(st.sampled_from([None, 2]))
    expected = best(array, k, axis)
    assert_eq(ga.topk(x, k, axis, split_every=split), expected)
    places = ga.argtopk(x, k, axis, split_every=split).compute(engine="sync")
    assert places.dtype == np.intp
    np.testing.assert_array_equal(np.take_along_axis(array, places, axis), expected)


def test_each_element_is_named_once():
    x = ga.asarray([2, 7, 7, 7, 1, 7], chunks=2)
    assert sorted(ga.argtopk(x, 4).compute().tolist()) == [1, 2, 3, 5]
    assert ga.topk(x, 6).compute().tolist() == [7, 7, 7, 7, 2, 1]


@settings(max_examples=20)
@given(pairs(min_dims=1, min_side=1), st.data())
def test_partition(pair, data):
    array, x = pair
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    kth = data.draw(st.integers(-array.shape[axis], array.shape[axis] - 1))
    at = np.take(np.partition(array, kth, axis=axis), kth, axis=axis)
    np.testing.assert_array_equal(np.take(ga.partition(x, kth, axis).compute(), kth, axis), at)
    places = ga.argpartition(x, kth, axis).compute()
    found = np.take(np.take_along_axis(array, places, axis), kth, axis)
    np.testing.assert_array_equal(found, at)
    assert np.sort(ga.partition(x, 0, None).compute()).shape == (array.size,)


def test_selecting_is_lazy():
    x = ga.ones((9, 9), chunks=4)
    with nothing_computes():
        assert ga.topk(x, 3).shape == (9, 3)
        assert ga.argtopk(x, -20, axis=0).shape == (9, 9)


def test_bad_input():
    x = ga.ones((3, 4))
    with pytest.raises(np.exceptions.AxisError):
        ga.topk(x, 2, axis=2)
    with pytest.raises(TypeError):
        ga.topk(x, 2.0)
    with pytest.raises(ValueError, match="split_every"):
        ga.topk(x, 2, split_every=1)
    with pytest.raises(ValueError, match="out of bounds"):
        ga.partition(x, 4)
    with pytest.raises(ValueError, match="out of bounds"):
        ga.argpartition(x, [0, -5], axis=-1)


@pytest.mark.parametrize("function", [ga.topk, ga.argtopk])
@pytest.mark.parametrize("k", [10, -10, 3000, 20_000])
def test_the_tasks_take_what_is_projected(function, k):
    x = ga.from_array(np.random.default_rng(0).random(30_000), chunks=4000)
    assert_room_is_enough(function(x, k))
    assert_room_is_enough(function(x.reshape(100, 300), k // 100, axis=0))


@pytest.mark.parametrize("shape", [(0,), (4, 0), (0, 3)])
def test_any_position_of_nothing(shape):
    array = np.empty(shape)
    for function in ("partition", "argpartition"):
        expected = getattr(np, function)(array, 5)
        assert_eq(getattr(ga, function)(ga.from_array(array), 5), expected)


@pytest.mark.parametrize("function", ["topk", "argtopk"])
def test_more_elements_than_a_block_has(function):
    values = np.random.default_rng(0).permutation(200_000)  # 1.6 MB
    x = ga.from_array(values, chunks=5_000).map_blocks(np.copy, dtype=values.dtype)
    with config.set({"memory-limit": "1.5 MB"}):
        found = getattr(ga, function)(x, 10_000)
        found = found if function == "topk" else values[found.compute()]
        assert_eq(found, np.arange(200_000)[:-10_001:-1])
        assert ga.topk(x, 10_000).sum().compute() == sum(range(190_000, 200_000))
