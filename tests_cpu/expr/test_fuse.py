"""Fusion is asserted on structure: how many tasks there are, and what each of them does."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.expr.merge import LONGEST
from gpuscale.expr.physical import Blockwise, Exchange, Source, TreeReduce
from gpuscale.expr.walk import toposort
from gpuscale.memory.spaces import DEVICE, HOST
from gpuscale.run import graph_of, optimize
from gpuscale.testing import fake_device


def physical(*arrays):
    return list(toposort([a.expr for a in optimize(*arrays)]))


def kinds(*arrays):
    return [type(node) for node in physical(*arrays)]


@pytest.fixture
def stored():
    return ga.asarray(np.arange(36.0).reshape(6, 6), chunks=3)


def test_headline_is_two_passes_and_stores_nothing():
    x = ga.random((6, 6), chunks=3)
    y = (x + x.T) - x.mean(axis=0)
    assert kinds(y.std(axis=0)) == [Blockwise, TreeReduce, Blockwise, TreeReduce]
    first, _, second, _ = physical(y.std(axis=0))
    assert first.inputs == ()  # random numbers are made inside the pass that sums them
    assert [each.node.name for each in second.inputs] == ["mean"]


def test_elementwise_run_is_one_task_per_block(stored):
    y = ga.sqrt(stored * 2 + 1) - stored
    assert len(graph_of(y)) == 4


def test_view_is_merged_into_its_reader(stored):
    y = stored.T + stored[::-1]
    assert kinds(y) == [Source, Blockwise]
    np.testing.assert_array_equal(y.compute(), np.asarray(stored).T + np.asarray(stored)[::-1])


def test_shared_expensive_work_is_kept(stored):
    shared = ga.sin(ga.exp(ga.cos(stored)))
    y = shared + shared.sum()
    names = [node.name for node in physical(y)]
    assert names.count("cos+exp+sin") == 1


def test_expensive_work_whose_readers_become_one_is_merged(stored):
    x = ga.exp(ga.sin(stored))
    for _ in range(3):
        x = ga.sin(x) * ga.cos(x) + ga.tanh(x)  # three readers, all of them in one kernel
    assert kinds(x.sum()) == [Source, Blockwise, TreeReduce]
    y = np.exp(np.sin(np.asarray(stored)))
    for _ in range(3):
        y = np.sin(y) * np.cos(y) + np.tanh(y)
    np.testing.assert_allclose(x.compute(), y, rtol=1e-13)


def test_shared_cheap_work_on_memory_is_repeated(stored):
    shared = stored + 1
    y = shared * shared.sum()
    assert kinds(y) == [Source, Blockwise, TreeReduce, Blockwise]


def test_vector_work_is_not_repeated_for_every_row(stored):
    weights = ga.exp(stored.sum(axis=0))
    names = [node.name for node in physical(stored * weights)]
    assert "exp" in names


def test_one_reader_of_two_views_computes_its_input_once(stored):
    shared = ga.sin(ga.cos(stored.rechunk(2) + stored.rechunk(3).sum()))
    y = shared + shared.T
    sines = [node for node in physical(y) if node.name.endswith("sin")]
    assert len(sines) == 1


def test_rechunk_of_what_is_free_disappears(stored):
    y = (stored + ga.ones((6, 6), chunks=(2, 6)).rechunk((3, 1))).rechunk((6, 2))
    assert Exchange not in kinds(y)


def test_rechunk_of_computed_results_stays(stored):
    y = (stored - stored.sum(axis=0)).rechunk((6, 2))
    assert Exchange in kinds(y)


def test_slice_computes_only_what_it_shows(stored):
    y = ga.exp(stored - stored.mean())
    assert len(graph_of(y[:2, :2])) < len(graph_of(y))


def test_slice_moves_before_the_reduction(stored):
    y = stored.sum(axis=0)[:3]
    assert len(graph_of(y)) == 2  # the blocks of the first column at once, and their sum


def test_common_work_of_two_results_is_done_once(stored):
    total = (stored * 2).sum()
    first, second = total + 1, total + 2
    assert len(graph_of(first, second)) == len(graph_of(first)) + 1


def test_result_is_written_in_place(stored):
    result = (stored + 1).compute(engine="sync")
    np.testing.assert_array_equal(result, np.asarray(stored) + 1)
    assert result.flags.owndata


def test_long_work_on_index_functions_is_cut():
    x = ga.zeros(40, chunks=20)
    for k in range(60):
        x = x + x[k % 7] * 0.5  # twice as long each time, if nothing ended it
    longest = max(
        len(node.kernel.program.instrs) for node in physical(x) if isinstance(node, Blockwise)
    )
    assert longest <= 2 * LONGEST


def test_chains_of_functions_may_be_longer_than_the_stack():
    x = ga.ones(4, chunks=2)
    for _ in range(400):
        x = x.map_blocks(np.sqrt, dtype=float)
    np.testing.assert_array_equal(x.compute(engine="sync"), np.ones(4))


def test_what_leaves_a_device_is_computed_by_tasks_of_the_device():
    with fake_device.active():
        x = ga.ones(4, chunks=2, like="fake") + 1
        tasks = graph_of(x.to_backend("numpy")).values()
        assert [(task.space, task.nbytes) for task in tasks].count((DEVICE, 16)) == 2
        assert {task.workspace for task in tasks if task.space == HOST} <= {0, 16}
