"""Batches: each task in one of them, each after those that it needs, none too large."""

from random import Random

import pytest

from gpuscale.graph.batches import ALONE, Cuts, batches
from gpuscale.graph.numbering import number
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Task


def random_graph(rng, n):
    tasks = {}
    for i in range(n):
        deps = tuple(rng.choices(range(i), k=rng.randint(0, min(i, 3)))) if i else ()
        tasks[i] = Task(i, max, deps, nbytes=rng.choice([0, 1, 10, 100]))
    keys = rng.sample(range(n), rng.randint(1, min(n, 5)))
    return number(tasks, keys)


@pytest.mark.parametrize("seed", range(200))
def test_batches_of_random_graphs(seed):
    rng = Random(seed)
    graph = random_graph(rng, rng.randint(1, 60))
    most, room = rng.choice([1, 2, 5, 100]), rng.choice([0, 5, 50, 1000])
    alone = {i for i in range(len(graph)) if rng.random() < 0.1}
    first = {i for i in range(len(graph)) if rng.random() < 0.1} - alone

    def cuts(i):
        return ALONE if i in alone else Cuts(before=i in first)

    found = batches(graph, depth_first(graph), most, room, cuts)
    taken = [i for batch in found for i in batch.tasks]
    assert sorted(taken) == list(range(len(graph)))
    place = {i: k for k, batch in enumerate(found) for i in batch.tasks}
    position = {i: k for k, i in enumerate(taken)}
    for i, deps in enumerate(graph.deps):
        assert all(position[dep] < position[i] for dep in deps)
    for k, batch in enumerate(found):
        in_sequence = [
            i
            for i, before in zip(batch.tasks[1:], batch.tasks, strict=False)
            if before in graph.deps[i]
        ]
        assert len(batch.tasks) - len(in_sequence) <= most + most // 2 + 1
        assert not alone.intersection(batch.tasks) or len(batch.tasks) == 1
        assert not first.intersection(batch.tasks[1:])
        wanted = [
            i
            for i in batch.tasks
            if i in graph.kept or any(place[user] != k for user in graph.users[i])
        ]
        assert batch.results == wanted


def test_a_chain_stays_together():
    graph = number({i: Task(i, abs, (i - 1,) if i else ()) for i in range(20)}, [19])
    assert len(batches(graph, range(20), 1, 0)) == 1


def test_what_does_not_fit_together_is_apart():
    graph = number({i: Task(i, int, nbytes=10) for i in range(6)}, range(6))
    found = batches(graph, range(6), 100, 15)
    assert [batch.tasks for batch in found] == [[0, 1], [2, 3], [4, 5]]


def test_a_large_result_that_the_next_task_uses_up_goes_with_it():
    tasks = {}
    for i in range(4):
        tasks[f"large {i}"] = Task(f"large {i}", int, nbytes=1000)
        tasks[f"small {i}"] = Task(f"small {i}", abs, (f"large {i}",), nbytes=1)
    graph = number(tasks, [f"small {i}" for i in range(4)])
    found = batches(graph, depth_first(graph), 4, 50)
    assert [len(batch.tasks) for batch in found] == [4, 4]


def test_what_a_batch_holds_at_once_has_room_where_it_runs():
    """What it reads of others stays until its end, and so does what others read of it."""
    tasks = {i: Task(i, int, nbytes=10) for i in range(6)}
    tasks |= {f"of {i}": Task(f"of {i}", abs, (i,), nbytes=10) for i in range(6)}
    tasks["all"] = Task("all", max, tuple(range(6)), nbytes=10)
    graph = number(tasks, [*(f"of {i}" for i in range(6)), "all"])
    assert len(batches(graph, range(len(graph)), 100, 1000)) == 1
    for batch in batches(graph, range(len(graph)), 100, 1000, holds=40):
        read = {dep for i in batch.tasks for dep in graph.deps[i]} - {*batch.tasks}
        held = [*batch.results, *read]
        assert len(batch.tasks) == 1 or sum(graph.tasks[i].nbytes for i in held) <= 40


def test_what_is_small_does_not_travel_with_what_is_large():
    """A sample of each block, which all are read with, and the blocks."""
    tasks = {}
    for k in range(3):
        tasks[f"made {k}"] = Task(f"made {k}", int, nbytes=10)
        tasks[f"block {k}"] = Task(f"block {k}", int, (f"made {k}",), nbytes=10)
        tasks[f"sample {k}"] = Task(f"sample {k}", int, (f"block {k}",), nbytes=1)
    tasks["cuts"] = Task("cuts", int, tuple(f"sample {k}" for k in range(3)), nbytes=1)
    for k in range(3):
        tasks[f"cut {k}"] = Task(f"cut {k}", int, (f"block {k}", "cuts"), nbytes=10)
    graph = number(tasks, [f"cut {k}" for k in range(3)])
    found = batches(graph, depth_first(graph), 100, 10)
    for batch in found:
        of_blocks = {graph.tasks[i].nbytes for i in batch.results}
        assert len(of_blocks) <= 1
    assert sorted(i for batch in found for i in batch.tasks) == list(range(len(graph)))
    roomy = batches(graph, depth_first(graph), 100, 1000)
    assert len(roomy) < len(found)
