"""Tasks of takes, scatters and choices of blocks, run by hand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.graph.layouts  # noqa: F401 - registers the layouts
from gpuscale.base.types import Unknown
from gpuscale.chunks.points import line_positions, line_sizes
from gpuscale.chunks.take import take_sizes
from gpuscale.engines.sync import SyncEngine
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.physical import BlockInput, Blockwise, Exchange, Source
from gpuscale.expr.plans import PickPlan, ScatterPlan, TakePlan
from gpuscale.graph.build import block_keys, build
from gpuscale.graph.join import join_blocks
from gpuscale.graph.task import validate
from gpuscale.io.memory import KeptChunks
from gpuscale.testing.strategies import chunks

MIB = 2**20


def source(array, sizes):
    """A node over blocks in memory."""
    meta = ArrayMeta(array.dtype, sizes)
    blocks = {index: array[meta.block_slices(index)] for index in np.ndindex(*meta.numblocks)}
    return Source(KeptChunks(blocks, meta), meta)


def run(node):
    graph = build([node])
    keys = block_keys(node)
    validate(graph, keys)
    return graph, join_blocks(SyncEngine().run(graph, keys), node.meta.numblocks)


def _same(chunk):
    return chunk


def counted(shape):
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@given(st.data(), st.sampled_from((1, MIB)))
@settings(max_examples=80, deadline=None)
def test_points_of_any_axes(data, budget):
    array = counted(data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=7)))
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, array.ndim - 1), min_size=1))))
    count = data.draw(st.integers(0, 12))
    points = [
        data.draw(hnp.arrays(np.int64, count, elements=st.integers(0, array.shape[axis] - 1)))
        for axis in axes
    ]
    x = source(array, data.draw(chunks(array.shape)))
    along = tuple(x.meta.chunks[axis] for axis in axes)
    index = line_positions(points, along)
    sizes = take_sizes(index, line_sizes(along))
    rest = [s for axis, s in enumerate(x.meta.chunks) if axis not in axes]
    rest.insert(axes[0], sizes)
    node = Exchange((x,), TakePlan(axes, index, budget), x.meta.with_(chunks=tuple(rest)))
    _, result = run(node)
    at_end = np.moveaxis(array, axes, range(-len(axes), 0))[(..., *points)]
    np.testing.assert_array_equal(result, np.moveaxis(at_end, -1, axes[0]))


def test_a_permutation_of_many_blocks_goes_through_groups():
    n = 400
    order = np.random.default_rng(0).permutation(n * 5)
    x = source(np.arange(n * 5), ((5,) * n,))
    node = Exchange((x,), TakePlan((0,), order, MIB), x.meta)
    graph, result = run(node)
    assert len(graph) < 4 * n
    assert sum(len(task.deps) for task in graph.values()) < 50 * n
    np.testing.assert_array_equal(result, order)


def test_only_wanted_blocks_are_taken():
    x = source(np.arange(40), ((10,) * 4,))
    take = Exchange((x,), TakePlan((0,), np.arange(39, -1, -1), MIB), x.meta)
    node = Exchange((take,), PickPlan(((1,),)), x.meta.with_(chunks=((10,),)))
    graph, result = run(node)
    assert len(graph) == 3
    np.testing.assert_array_equal(result, np.arange(29, 19, -1))


def test_tasks_say_how_large_their_results_are():
    x = source(np.arange(40.0), ((10,) * 4,))
    order = np.random.default_rng(0).permutation(40)
    graph = build([Exchange((x,), TakePlan((0,), order, MIB), x.meta)])
    assert {task.nbytes for task in graph.values() if task.label == "take"} == {80}


def test_a_task_holds_one_piece_besides_its_block():
    array = counted((16, 2**13))
    x = source(array, ((4,) * 4, (2**13,)))
    index = np.arange(16).reshape(4, 4).T.ravel()  # each block takes one row of every block
    node = Exchange((x,), TakePlan((0,), index, 2**30), x.meta)
    graph = build([node])
    task = graph[block_keys(node)[0]]
    blocks = SyncEngine().run(graph, task.deps)
    assert len(blocks) == 4
    tracemalloc.start()
    try:
        result = task.fn(*blocks, *task.args)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(result, array[index[:4]])
    assert peak < 1.5 * task.nbytes


def test_other_axes_may_have_unknown_sizes():
    array = counted((4, 6))
    known = source(array, ((4,), (3, 3)))
    meta = known.meta.with_(chunks=((Unknown("t", 0),), (3, 3)))
    kernel = FunctionKernel(_same)
    x = Blockwise(kernel, (BlockInput(known, axes=(0, 1)),), meta.chunks, meta)
    index = np.array([5, 0, 4, 4])
    node = Exchange((x,), TakePlan((1,), index, MIB), meta.with_(chunks=(meta.chunks[0], (3, 1))))
    _, result = run(node)
    np.testing.assert_array_equal(result, array[:, index])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_scatter(data):
    array = counted(data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)))
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, array.ndim - 1), min_size=1))))
    along = tuple(array.shape[axis] for axis in axes)
    chosen = sorted(data.draw(st.sets(st.integers(0, int(np.prod(along)) - 1), min_size=1)))
    points = np.unravel_index(chosen, along)
    x = source(array, data.draw(chunks(array.shape)))
    grid = tuple(x.meta.chunks[axis] for axis in axes)
    positions = line_positions(list(points), grid)
    order = np.argsort(positions)
    index = positions[order]
    ends = np.cumsum(line_sizes(grid))
    sizes = np.diff(np.searchsorted(index, [0, *ends]))
    rest = tuple(s for axis, s in enumerate(x.meta.chunks) if axis not in axes)
    new = -1 - counted((len(chosen), *map(sum, rest)))
    values = source(new, (tuple(int(s) for s in sizes if s), *rest))
    _, result = run(Exchange((x, values), ScatterPlan(axes, index), x.meta))
    expected = array.copy()
    moved = np.moveaxis(expected, axes, range(len(axes)))
    moved[tuple(p[order] for p in points)] = new
    np.testing.assert_array_equal(result, expected)


def test_blocks_without_points_are_handed_on():
    x = source(np.arange(9), ((3, 3, 3),))
    values = source(np.array([-1]), ((1,),))
    graph = build([Exchange((x, values), ScatterPlan((0,), np.array([4])), x.meta)])
    deps = sorted(len(task.deps) for task in graph.values() if task.label == "scatter")
    assert deps == [1, 1, 2]


@pytest.mark.parametrize("numbers", [((2, 0, 0), (1,)), ((0, 1, 2), (0, 1))])
def test_blocks_in_another_order(numbers):
    array = counted((6, 5))
    x = source(array, ((1, 2, 3), (2, 3)))
    sizes = tuple(
        tuple(s[k] for k in chosen) for s, chosen in zip(x.meta.chunks, numbers, strict=True)
    )
    _, result = run(Exchange((x,), PickPlan(numbers), x.meta.with_(chunks=sizes)))
    ranges = [np.split(np.arange(6), [1, 3]), np.split(np.arange(5), [2])]
    rows, columns = (
        np.concatenate([r[k] for k in n]) for r, n in zip(ranges, numbers, strict=True)
    )
    np.testing.assert_array_equal(result, array[np.ix_(rows, columns)])
