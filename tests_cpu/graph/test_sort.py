"""Tasks of sorts: their number, and what they hold."""

import re

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.expr import stages
from gpuscale.graph import sort as module
from gpuscale.graph import sort_sizes
from gpuscale.graph.build import block_keys
from gpuscale.graph.numbering import number
from gpuscale.graph.order import depth_first
from gpuscale.memory.limits import memory_limit
from gpuscale.memory.projection import peak_bytes, task_bytes
from gpuscale.run import graph_of
from gpuscale.testing import fake_device
from gpuscale.testing.memory import assert_room_is_enough

DATA = {
    "random": np.random.default_rng(0).random(200_000),
    "ties": np.random.default_rng(0).integers(0, 5, 200_000),
    "ascending": np.arange(200_000),
    "descending": np.arange(200_000)[::-1],
    "NaN": np.where(np.arange(200_000) % 3, np.sin(np.arange(200_000.0)), np.nan),
}


@pytest.mark.parametrize("name", DATA)
def test_cuts_of_samples_are_exact(name, monkeypatch):
    monkeypatch.setattr(sort_sizes, "MOST_RUNS", 20)  # two levels, and two blocks of each run
    array = DATA[name]
    x = ga.from_array(array, chunks=5_001)
    assert x.numblocks == (40,)
    np.testing.assert_array_equal(ga.sort(x), np.sort(array))
    np.testing.assert_array_equal(ga.argsort(x), np.argsort(array, kind="stable"))
    np.testing.assert_array_equal(ga.sort(x)[70_000:70_100], np.sort(array)[70_000:70_100])


@pytest.mark.parametrize("blocks", [8, 100, 1000])
@pytest.mark.parametrize("function", [ga.sort, ga.argsort])
def test_no_task_takes_more_than_a_few_blocks(blocks, function):
    x = ga.random.random(blocks << 17, chunks=1 << 17)
    y = function(x)
    graph = graph_of(y)
    assert len(graph) < 5 * blocks + 260
    itemsize = 8 if function is ga.sort else 16
    width = -(-blocks // 256)
    (find,) = [task for task in graph.values() if task.key[0].endswith("-cuts")]
    largest = max(task_bytes(graph, task) for task in graph.values() if task is not find)
    assert largest < 4 * width * itemsize << 17
    (root,) = stages.optimize([y.expr])
    numbered = number(graph, block_keys(root))
    order = [numbered.tasks[i].key for i in depth_first(numbered)]
    peak = peak_bytes(graph, order)
    data = x.size * itemsize
    assert data < peak < 1.08 * data + find.workspace + 2 * largest


@pytest.mark.parametrize("function", [ga.sort, ga.argsort])
def test_the_sample_does_not_grow_with_the_square_of_the_chunks(function):
    for blocks in (50, 200, 250):
        graph = graph_of(function(ga.random.random(blocks * 250_000, chunks=250_000)))
        assert max(task_bytes(graph, task) for task in graph.values()) < 27e6


@pytest.mark.parametrize("function", [ga.sort, ga.argsort])
def test_tasks_take_what_is_projected(function):
    x = ga.from_array(DATA["random"], chunks=20_000)
    assert_room_is_enough(function(x))


@pytest.mark.parametrize("function", ["sort", "argsort"])
@pytest.mark.parametrize("limit", ["6 MiB", "20 MiB"])
def test_the_sample_keeps_to_the_memory_limit(function, limit):
    array = np.random.default_rng(0).integers(0, 10**5, 400_000)
    with config.set({"memory-limit": limit}):
        y = getattr(ga, function)(ga.from_array(array, chunks=400))
        graph = graph_of(y)
        assert max(task_bytes(graph, task) for task in graph.values()) < memory_limit()
        found = y[::1000].compute()
    expected = np.sort(array) if function == "sort" else np.argsort(array, kind="stable")
    np.testing.assert_array_equal(found, expected[::1000])


def test_a_device_needs_room_beside_a_run_to_sort_it():
    rooms = {}
    with fake_device.active():
        for backend in ("numpy", "fake"):
            x = ga.asarray(np.arange(4000.0), chunks=1000, like=backend)
            tasks = graph_of(np.sort(x)).values()
            rooms[backend] = [t.workspace for t in tasks if isinstance(t.fn, module._SortedRun)]
    assert [b - a for a, b in zip(rooms["numpy"], rooms["fake"], strict=True)] == [8000] * 4


@pytest.mark.parametrize("function", ["sort", "argsort"])
@pytest.mark.parametrize("chunk", [2_000, 10_000])
def test_small_blocks_are_sorted_together_where_memory_is_small(function, chunk):
    array = np.random.default_rng(0).random(1_000_000)
    with config.set({"memory-limit": array.nbytes // 10}):
        found = getattr(ga, function)(ga.from_array(array, chunks=chunk))[::1000].compute()
    expected = getattr(np, function)(array, kind="stable")
    np.testing.assert_array_equal(found, expected[::1000])


def test_a_device_sorts_by_two_keys_of_which_it_has_room_for_a_tenth():
    host = np.random.default_rng(0).random(200_000)
    other = (host * 10).astype(int)
    with fake_device.active(), config.set({"device-memory-limit": host.nbytes // 3}):
        x, y = (ga.asarray(each, chunks=2_000, like="fake") for each in (host, other))
        found = ga.lexsort((x, y))[::200].compute()
    np.testing.assert_array_equal(found, np.lexsort((host, other))[::200])


def argsort_refused(n, chunk, limit):
    """Return why finding the order of numbers is refused, or nothing."""
    with config.set({"memory-limit": limit}):
        plan = ga.argsort(ga.random.random(n, chunks=chunk)).max().explain()
    return str(plan).partition("refuses this: ")[2]


@pytest.mark.parametrize(
    ("n", "chunk", "limit"),
    [
        (1_000_000, 100_000, "1 MiB"),
        (1_000_000, 10_000, "200 KiB"),
        (30_000_000, 300_000, "10 MiB"),
        (300_000_000, 100_000, "10 MiB"),
        (300_000_000, 30_000_000, "800 MiB"),
        (20, 7, 100),
    ],
)
def test_the_advice_where_a_sort_takes_too_much_helps(n, chunk, limit):
    said = argsort_refused(n, chunk, limit)
    (advice,) = re.finditer(r"use chunks of ([\d,]+) elements(?: and a limit of (.*))?, or", said)
    assert not argsort_refused(n, int(advice[1].replace(",", "")), advice[2] or limit)
