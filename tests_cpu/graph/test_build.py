"""Layout of physical nodes as tasks: which blocks, which bytes, what they read."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale
import gpuscale.array as ga
from gpuscale.base.types import Unknown
from gpuscale.expr.meta import ArrayMeta
from gpuscale.graph.order import order
from gpuscale.graph.task import validate
from gpuscale.memory.projection import peak_bytes
from gpuscale.run import graph_of

sizes = st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple)


@given(st.lists(sizes, max_size=3).map(tuple))
@settings(max_examples=60)
def test_sizes_of_many_blocks_are_those_of_each(chunks):
    meta = ArrayMeta(np.dtype("i4"), chunks)
    blocks = list(np.ndindex(*meta.numblocks))
    assert meta.block_sizes(blocks) == [meta.block_nbytes(b) // 4 for b in blocks]


def test_sizes_that_depend_on_data_are_not_guessed():
    meta = ArrayMeta(np.dtype("i4"), ((3, Unknown("t", 1)),))
    assert meta.block_sizes([(0,)]) is None


def test_each_block_has_one_task_that_reads_its_own_inputs():
    x = ga.from_array(np.arange(12.0).reshape(3, 4), chunks=(1, 2)).cumsum(axis=0)
    graph = graph_of(x.T + 1)
    validate(graph)
    last = [task for task in graph.values() if "add" in task.label]
    assert len(last) == 6
    for task in last:
        _, i, j = task.key
        assert [dep[1:] for dep in task.deps] == [(j, i)]
        assert task.nbytes == 2 * 8


def test_blocks_that_nobody_wants_get_no_task():
    x = ga.from_array(np.arange(100.0), chunks=10).cumsum()
    labels = [task.label for task in graph_of(x[:10] * 2).values()]
    assert sum("multiply" in label for label in labels) == 1
    assert len(labels) < 10


def test_what_is_evaluated_inside_a_task_counts_as_its_workspace():
    x = ga.from_array(np.arange(64.0), chunks=16).cumsum() * 2
    y = x.map_blocks(np.sort)
    (task, *_) = [t for t in graph_of(y).values() if t.label.startswith("sort")]
    assert task.nbytes == 16 * 8
    assert task.workspace == 2 * 16 * 8


def test_who_reads_joined_arrays_reads_their_blocks():
    f = ga.random.random(12, chunks=4).map_blocks(np.copy, dtype=float)
    graph = graph_of(ga.concatenate([f, ga.concatenate([f, f + 1])]).cumsum())
    validate(graph)
    made = {key for key, task in graph.items() if task.label == "copy"}
    assert len(made) == 3
    assert not [task for task in graph.values() if task.label == "concatenate"]
    scans = [task for task in graph.values() if task.label == "cumsum" and task.nbytes == 4 * 8]
    assert sum(not made.isdisjoint(task.deps) for task in scans) == 6


def test_blocks_of_tiles_are_done_with_one_after_the_other():
    f = ga.random.random(4_000, chunks=100).map_blocks(np.copy, dtype=float)
    plan = ga.tile(f, 3).sum()
    graph = graph_of(plan)
    places = order(graph, [key for key in graph if not any(key in t.deps for t in graph.values())])
    assert peak_bytes(graph, places) < 10 * 800


@given(
    st.lists(st.sampled_from(["x", "y", "both"]), min_size=1, max_size=5),
    st.sampled_from(["sum", "cumsum", "itself", "sort", "again", "write"]),
)
@settings(max_examples=60, deadline=None)
def test_joins_of_the_same_blocks_are_those_of_numpy(names, use):
    x, y = np.arange(9.0)[::-1], np.arange(4.0)
    lazy = {"x": ga.asarray(x, chunks=4).cumsum(), "y": ga.asarray(y, chunks=3) * 2}
    lazy["both"] = ga.concatenate([lazy["y"], lazy["x"]])
    own = {"x": x.cumsum(), "y": y * 2}
    own["both"] = np.concatenate([own["y"], own["x"]])
    joined, expected = (np.concatenate([a[n] for n in names]) for a in (lazy, own))
    want = {
        "sum": lambda a: (a.sum(),),
        "cumsum": lambda a: (a.cumsum(),),
        "itself": lambda a: (a,),
        "sort": lambda a: (np.sort(a),),
        "again": lambda a: (a, a.sum(), a[::-1] + a, np.concatenate([a, a])),
        "write": _with_zeros,
    }[use]
    for found, right in zip(gpuscale.compute(*want(joined)), want(expected), strict=True):
        np.testing.assert_allclose(found, right)


def _with_zeros(a):
    a[[0, 2]] = 0
    return a, np.concatenate([a, a]).sum()
