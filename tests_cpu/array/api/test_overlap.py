"""Halos against windows of the padded array."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.base.errors import ChunkError
from gpuscale.run import graph_of
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks

PAD = {"periodic": "wrap", "reflect": "symmetric", "nearest": "edge"}


def padded(array, axis, before, after, boundary):
    width = [(0, 0)] * array.ndim
    width[axis] = (before, after)
    if isinstance(boundary, int):
        return np.pad(array, width, constant_values=boundary)
    return np.pad(array, width, mode=PAD[boundary])


def window_sums(array, depth, boundaries):
    """Sum over the window of each element."""
    axes = range(array.ndim)
    # What is missing beyond an edge counts as zero, even where another axis has a boundary.
    for axis in sorted(axes, key=lambda k: boundaries[k] == "none"):
        boundary = 0 if boundaries[axis] == "none" else boundaries[axis]
        array = padded(array, axis, *depth[axis], boundary)
    for axis in axes:
        windows = np.lib.stride_tricks.sliding_window_view(array, sum(depth[axis]) + 1, axis)
        array = windows.sum(-1)
    return array


def sums_of_block(block, depth):
    """The same for a block: elements too near its edges come out wrong."""
    return window_sums(block, depth, ["none"] * block.ndim)


@given(data=st.data())
@settings(max_examples=60)
def test_map_overlap(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=2)))
    array = np.arange(np.prod(shape)).reshape(shape) % 7 + 1
    x = ga.from_array(array, chunks=data.draw(chunks(shape)))
    side = st.integers(0, 5)
    depth = data.draw(st.tuples(*[st.tuples(side, side)] * len(shape)))
    kind = st.sampled_from(["none", "periodic", "reflect", "nearest", 3])
    boundary = data.draw(st.tuples(*[kind] * len(shape)))
    result = x.map_overlap(
        lambda b: sums_of_block(b, depth), depth=depth, boundary=boundary, dtype=int
    )
    assert result.chunks == x.chunks
    assert_eq(result, window_sums(array, depth, boundary))


@given(data=st.data())
@settings(max_examples=30)
def test_overlap_and_trim(data):
    shape = tuple(data.draw(st.lists(st.integers(1, 8), min_size=1, max_size=2)))
    array = np.arange(np.prod(shape)).reshape(shape)
    x = ga.from_array(array, chunks=data.draw(chunks(shape)))
    side = st.integers(0, 3)
    depth = data.draw(st.tuples(*[st.tuples(side, side)] * len(shape)))
    boundary = data.draw(st.sampled_from(["none", "periodic", "reflect", "nearest", 3]))
    wide = ga.overlap.overlap(x, depth, boundary)
    assert wide.compute(engine="sync").shape == wide.shape
    assert_eq(ga.overlap.trim_internal(wide, depth, boundary), array)
    assert_eq(ga.overlap.trim_overlap(wide, depth, boundary), array)


def test_corners_are_those_of_the_last_axis():
    wide = ga.overlap.overlap(ga.ones((2, 2)), 1, {0: 5, 1: 7})
    expected = np.pad(
        np.pad(np.ones((2, 2)), [(1, 1), (0, 0)], constant_values=5),
        [(0, 0), (1, 1)],
        constant_values=7,
    )
    assert_eq(wide, expected)


def test_several_arrays():
    a, b = np.arange(24).reshape(4, 6), np.arange(6)
    x, y = ga.from_array(a, chunks=(2, 3)), ga.from_array(b, chunks=4)

    def shifted(p, q):
        return np.roll(p, 1, 1) + np.roll(q, -1)

    result = ga.map_overlap(shifted, x, y, depth=[{1: 1}, 1], boundary=["periodic", "periodic"])
    assert_eq(result, np.roll(a, 1, 1) + np.roll(b, -1))
    same = ga.map_overlap(shifted, x, y, depth={-1: 1}, boundary="periodic")
    assert_eq(same, np.roll(a, 1, 1) + np.roll(b, -1))


def test_an_axis_of_length_one_is_given_to_every_block():
    a, b = np.arange(6.0), np.array([2.0])
    x = ga.from_array(a, chunks=2)
    result = ga.map_overlap(
        lambda p, q: np.roll(p, 1) * q,
        x,
        ga.from_array(b),
        depth=[1, 0],
        boundary=["periodic", None],
    )
    assert_eq(result, np.roll(a, 1) * 2)


def test_function_after_the_array_and_options():
    x = ga.arange(6, chunks=2)
    expected = np.convolve(np.arange(6), [1, 1, 1], mode="same")

    def total(b, scale, block_id):
        assert len(block_id) == 1
        return np.convolve(b, [scale] * 3, mode="same")

    assert_eq(ga.map_overlap(x, total, depth=1, boundary=0, scale=1), expected)
    assert_eq(ga.map_overlap(total, x, depth=1, boundary=0, scale=1, name="total"), expected)
    weights = ga.ones(3, chunks=1)
    summed = x.map_overlap(
        lambda b, w: np.convolve(b, w, mode="same"), depth=1, boundary=0, w=weights
    )
    assert_eq(summed, expected.astype(float))


def test_without_trimming_and_with_other_sizes():
    x = ga.arange(6, chunks=3)
    untrimmed = x.map_overlap(lambda b: b, depth=1, boundary="none", trim=False)
    assert untrimmed.chunks == ((4, 4),)
    assert_eq(untrimmed, np.array([0, 1, 2, 3, 2, 3, 4, 5]))
    summed = x.map_overlap(
        lambda b: b.sum(keepdims=True), depth=1, boundary=0, trim=False, chunks=(1,)
    )
    assert_eq(summed, np.array([6, 14]))
    y = ga.ones((4, 6), chunks=(2, 3))
    dropped = y.map_overlap(lambda b: b.sum(1), depth={0: 1}, boundary=0, drop_axis=1)
    assert_eq(dropped, np.full(4, 6.0))
    new = x.map_overlap(lambda b: np.stack([b, b]), depth=1, boundary=0, new_axis=0, chunks=(2, 5))
    assert_eq(new, np.stack([np.arange(6)] * 2))


def test_one_task_for_each_block():
    x = ga.ones((8, 8), chunks=2).persist()
    graph = graph_of(x.map_overlap(lambda b: b, depth=1, boundary="periodic", dtype=float))
    assert len(graph) == 2 * 16  # the kept blocks and the results


def test_empty_axes():
    x = ga.ones((0, 3), chunks=2)
    assert_eq(x.map_overlap(lambda b: b + 1, depth=1, boundary=0, dtype=float), np.ones((0, 3)))


def test_bad_input():
    x = ga.ones(4, chunks=2)
    with pytest.raises(ValueError, match="number of elements"):
        x.map_overlap(lambda b: b, depth=-1)
    with pytest.raises(ValueError, match="boundary 'mirror'"):
        x.map_overlap(lambda b: b, depth=1, boundary="mirror")
    with pytest.raises(ValueError, match="depth is a list of 2 items for 1 arrays"):
        x.map_overlap(lambda b: b, depth=[1, 1])
    with pytest.raises(ValueError, match="at least one array"):
        ga.map_overlap(lambda b: b, 3)
    with pytest.raises(ChunkError, match="cannot be trimmed"):
        x.map_overlap(lambda b: b[:1], depth=1, boundary=0, chunks=(1,), dtype=float)
    with pytest.raises(ValueError, match="returned a block of shape"):
        x.map_overlap(lambda b: b[:1], depth=1, dtype=float).compute(engine="sync")
    with nothing_computes():
        x.map_overlap(lambda b: b, depth=1)
