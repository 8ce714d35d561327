"""Distinct slices along an axis against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.memory import assert_room_is_enough
from gpuscale.testing.strategies import chunked

OF = {
    "f8": st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf")]),
    "c16": st.sampled_from([0.0, 1j, complex("nan"), complex(1, float("nan"))]),
    "M8[s]": st.sampled_from([np.datetime64(3, "s"), np.datetime64("NaT", "s")]),
    "i4": st.integers(-1, 1),
    "?": st.booleans(),
    "U2": st.sampled_from(["a", "b", "ab"]),
}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_unique(data):
    dtype = data.draw(st.sampled_from(list(OF)))
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6))
    array = data.draw(hnp.arrays(dtype, shape, elements=OF[dtype]))
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    x = data.draw(chunked(array))
    wanted = data.draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    equal_nan = data.draw(st.booleans())
    with config.set({"array.split-every": data.draw(st.sampled_from([2, 16]))}):
        found = ga.unique(x, *wanted, axis=axis, equal_nan=equal_nan)
    expected = np.unique(array, *wanted, axis=axis, equal_nan=equal_nan)
    if not any(wanted):
        found, expected = (found,), (expected,)
    for ours, theirs in zip(found, expected, strict=True):
        assert_eq(ours, theirs)


@pytest.mark.parametrize("dtype", ["i8", "f8"])
@pytest.mark.parametrize("wanted", [(False, False), (True, True)])
def test_no_task_takes_the_whole_array(wanted, dtype):
    x = (ga.arange(64_000, chunks=1000).reshape(32_000, 2) % 3).astype(dtype)
    with nothing_computes(), config.set({"array.split-every": 2}):
        results = ga.unique(x, False, *wanted, axis=0)
    first = results if isinstance(results, ga.Array) else results[0]
    with config.set({"memory-limit": 120_000}):  # the array takes 512,000
        assert first.compute().shape == (3, 2)
        if wanted[0]:
            assert_eq(results[1][:4], np.array([0, 2, 1, 0]))


def test_blocks_that_are_too_large_are_cut():
    x = ga.ones((100, 10), dtype="i8", chunks=(-1, 5)) + ga.arange(100)[:, None] % 7
    with config.set({"array.chunk-size": 1000}):
        values, counts = ga.unique(x, return_counts=True, axis=0)
    assert_eq(values, np.repeat(np.arange(1, 8)[:, None], 10, axis=1))
    assert_eq(counts, np.bincount(np.arange(100) % 7))


def test_the_axis_must_exist():
    with pytest.raises(np.exceptions.AxisError):
        ga.unique(ga.ones((2, 2)), axis=2)


@pytest.mark.parametrize("shape", [(5000, 2), (500, 30), (4, 1000)])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_tasks_take_what_is_projected(shape, axis):
    values = np.random.default_rng(0).random(shape)
    x = ga.from_array(values if axis == 0 else values.T, chunks={axis: -(-shape[0] // 8)})
    assert_room_is_enough(*ga.unique(x, True, False, True, axis=axis))
