"""Batches that need much of a worker's memory reserve it; on a cluster they take turns."""

import time

import pytest

import gpuscale as gs
from gpuscale.engines.reserving import LEAST_MEMORY, MEMORY, PROCESS, reserve_memory, room_for_tasks
from gpuscale.engines.sending import pack
from gpuscale.graph.task import Task
from gpuscale.memory.limits import within_workers
from gpuscale.memory.spaces import DEVICE


def worker(limit, threads=2):
    return {"nthreads": threads, "resources": {} if limit is None else {MEMORY: limit}}


def reserved(workers, **needs):
    ((parcel,), _) = pack({"x": Task("x", int, **needs)}, ["x"], 2)
    reserve_memory([parcel], {str(k): each for k, each in enumerate(workers)})
    return parcel.memory


@pytest.mark.parametrize(
    ("workers", "needs", "expected"),
    [
        ([worker(100)], {"workspace": 60}, 60),
        ([worker(100)], {"nbytes": 30, "workspace": 30}, 60),
        ([worker(100)], {"workspace": 50}, 0),
        ([worker(100, 1)], {"workspace": 100}, 0),
        ([worker(100), worker(80)], {"workspace": 45}, 45),
        ([worker(100), worker(80)], {"workspace": 95}, 80),  # it is as much as any has
        ([worker(100)], {"workspace": 60, "space": DEVICE}, 0),
        ([worker(100), worker(None)], {"workspace": 60}, 0),
        ([], {"workspace": 60}, 0),
    ],
)
def test_what_is_reserved(workers, needs, expected):
    assert reserved(workers, **needs) == expected


def test_a_batch_reserves_what_its_tasks_hold_together():
    tasks = [
        Task("a", int, nbytes=30 << 20),
        Task("b", abs, ("a",), nbytes=25 << 20),  # both are there until it has run
        Task("c", abs, ("b",), nbytes=15 << 20, workspace=5 << 20),
    ]
    with within_workers(8 << 30):
        parcels, _ = pack({task.key: task for task in tasks}, ["c"], 1)
    assert len(parcels) == 1
    reserve_memory(parcels, {"one": worker(100 << 20, threads=2)})
    assert parcels[0].memory == 55 << 20


@pytest.mark.parametrize("limit", [96, 160, 239, 240, 241, 300, 1024, 1 << 20])
def test_tasks_have_what_the_process_of_a_worker_leaves(limit):
    room = room_for_tasks(limit << 20)
    assert room <= room_for_tasks(limit + 1 << 20)
    assert room + PROCESS == limit << 20 or room == (limit << 20) // 3 > (limit << 20) - PROCESS


def test_workers_without_processes_of_their_own_are_for_tasks():
    assert room_for_tasks(LEAST_MEMORY - 1) == LEAST_MEMORY - 1


def nap(k):
    start = time.time()
    time.sleep(0.2)
    return start, time.time()


def test_annotated_calls_take_turns():
    pytest.importorskip("distributed", exc_type=ModuleNotFoundError)
    from gpuscale.cluster import Client, LocalCluster

    options = {"n_workers": 1, "threads_per_worker": 2, "dashboard_address": None}
    with LocalCluster(memory_limit="1 GiB", **options) as cluster, Client(cluster):
        for memory, most in (("600 MiB", 1), ("400 MiB", 2)):
            with gs.annotate(memory=memory):
                spans = gs.compute(*[gs.delayed(nap)(k) for k in range(4)])
            running = [sum(a <= start < b for a, b in spans) for start, _ in spans]
            assert max(running) == most, memory
        with gs.annotate(memory="600 MiB"):
            kept = gs.persist(*[gs.delayed(nap)(k) for k in range(3)])
        spans = gs.compute(*kept)
        assert max(sum(a <= start < b for a, b in spans) for start, _ in spans) == 1
