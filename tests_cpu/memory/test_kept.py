"""What persist keeps and what a run takes stay within the limit together; kept chunks go first."""

import gc
import pickle
import tracemalloc

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.engines.spilling import KEPT_CHUNKS
from gpuscale.engines.state import State
from gpuscale.graph.numbering import number
from gpuscale.graph.task import Task
from gpuscale.io.memory import KeptChunks
from gpuscale.memory.kept import kept_bytes, let_kept_leave
from gpuscale.memory.spaces import DEVICE, HOST
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import POOL

LIMIT = 8_000_000


@pytest.fixture(autouse=True)
def nothing_is_kept_yet():
    gc.collect()
    let_kept_leave(1 << 60, HOST)


def shuffled(n, like=None):
    """A computation that takes what there is: all columns, each of which is sorted."""
    x = ga.random.default_rng(1).random((n, 200), chunks=(n // 40, 200), like=like)
    columns = x.map_blocks(lambda chunk: chunk.copy(), dtype=float).rechunk((n, 5))
    return columns.map_blocks(lambda chunk: chunk - chunk.max(axis=0), dtype=float).max()


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_together_they_keep_to_the_limit(engine):
    options = {"memory-limit": LIMIT, "num-workers": 4, "codegen.min-elements": 1 << 60}
    with config.set(options), config.set(engine=engine):
        alone = shuffled(10_000).compute()  # what is imported counts no more
        tracemalloc.start()
        try:
            kept = ga.random.default_rng(2).random((3_000, 200), chunks=(75, 200)).persist()
            data = kept.sum().compute()
            assert kept_bytes()[HOST] == kept.nbytes
            tracemalloc.reset_peak()
            assert shuffled(10_000).compute() == alone
            peak = tracemalloc.get_traced_memory()[1]
            assert peak < 1.3 * LIMIT, "without the kept chunks it is about as much"
            assert kept_bytes()[HOST] < kept.nbytes
            tracemalloc.reset_peak()
            np.testing.assert_allclose(kept.sum().compute(), data)
            assert tracemalloc.get_traced_memory()[1] < LIMIT
        finally:
            tracemalloc.stop()


def test_what_has_room_stays():
    with config.set({"memory-limit": LIMIT}):
        kept = ga.random.random((1_000, 200), chunks=(50, 200)).persist()
        shuffled(1_000).compute()
        assert kept_bytes()[HOST] == kept.nbytes and kept.expr.reader.cost == "view"


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_on_a_device_they_leave_for_the_host(engine):
    with fake_device.active():
        gc.collect()
        options = {"device-memory-limit": LIMIT, "num-workers": 2, "engine": engine}
        with config.set(options), POOL.limited_to(LIMIT):
            kept = ga.random.random((3_000, 200), chunks=(75, 200), like="fake").persist()
            assert kept_bytes()[DEVICE] == kept.nbytes
            before = POOL.emptied
            assert shuffled(10_000, like="fake").compute() == 0
            assert kept_bytes()[DEVICE] < kept.nbytes
            assert sum(kept_bytes()) == kept.nbytes
            assert POOL.emptied == before, "the device ran out of memory"
            assert 290_000 < kept.sum().compute() < 310_000


def test_what_was_kept_before_leaves_for_what_is_kept_now():
    # In one thread: another may ask for room while the first is still being written.
    with config.set({"memory-limit": LIMIT + kept_bytes()[HOST], "engine": "sync"}):
        first = ga.random.random((3_000, 200), chunks=(75, 200)).persist()
        used = ga.random.random((1_000, 200), chunks=(50, 200)).persist()
        last = ga.random.random((3_000, 200), chunks=(75, 200)).persist()
        assert [x.expr.reader.cost for x in (first, used, last)] == ["copy", "view", "view"]
        assert kept_bytes()[HOST] <= LIMIT


def test_those_that_nobody_has_read_for_longest_leave_first():
    x, y = (ga.random.random(1_000, chunks=1_000).persist() for _ in range(2))
    x.sum().compute()
    assert let_kept_leave(1, HOST) == 8_000
    assert [each.expr.reader.cost for each in (x, y)] == ["view", "copy"]


def test_chunks_that_somebody_uses_stay():
    kept = ga.random.random(1_000, chunks=1_000).persist()
    chunk = kept.expr.reader.whole((0,))
    assert let_kept_leave(1, HOST) == 0
    del chunk
    assert let_kept_leave(1, HOST) == 8_000


def test_without_a_disk_to_go_to_they_stay():
    with config.set({"memory-limit": LIMIT, "spill": False}):
        kept = ga.random.random((3_000, 200), chunks=(75, 200)).persist()
        assert shuffled(2_000).compute() == 0
        assert kept_bytes()[HOST] == kept.nbytes


def test_they_count_as_long_as_they_are_there():
    before = kept_bytes()[HOST]
    kept = ga.random.random(1_000, chunks=100).persist()
    copy = pickle.loads(pickle.dumps(kept.expr.reader))
    assert isinstance(copy, KeptChunks)
    assert kept_bytes()[HOST] - before == 16_000
    del copy
    gc.collect()
    assert kept_bytes()[HOST] - before == 8_000
    del kept
    gc.collect()
    assert kept_bytes()[HOST] == before


def test_the_plan_says_what_is_there_already():
    assert "persist keeps" not in str((ga.ones(9) + 1).explain())
    kept = ga.random.random((3_000, 200), chunks=(75, 200)).persist()
    with config.set({"memory-limit": LIMIT}):
        assert "beside 4.6 MiB that persist keeps, memory limit 7.6 MiB" in str(kept.explain())
        assert "7.6 MiB; the rest goes to disk" in str(shuffled(3_000).explain())


def test_they_leave_before_results_of_the_run():
    graph = {k: Task(k, int, nbytes=10_000) for k in "abc"}
    graph["d"] = Task("d", max, ("a", "b", "c"), nbytes=10_000)
    state = State(number(graph, ["d"]), range(4), 40_000)
    state.spills, state.kept, state.budget = True, [25_000, 0], [15_000, 0]
    assert state.start() == [0]
    assert state.spill() is None  # the first may free memory
    state.finish(0, 10_000)
    assert state.start() == []
    assert state.spill() == KEPT_CHUNKS and state.leaving == (5_000, HOST)
    assert (state.start(), state.spill()) == ([], None)
    state.kept_left(9_000)
    assert state.start() == [1]
    state.finish(1, 10_000)
    assert state.spill() == KEPT_CHUNKS
    state.kept_left(0)  # no more may leave
    assert state.spill() == 1
