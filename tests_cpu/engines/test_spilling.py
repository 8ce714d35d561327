"""The state of a run that writes results to disk, driven by the simulator."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.engines import spilling
from gpuscale.engines.invariants import check
from gpuscale.engines.state import IllegalTransition, State, Status
from gpuscale.graph.numbering import number
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Task

from .simulator import Regions, Spiller, expected, some_read_regions, tree

rngs = st.integers(0, 2**32).map(Random)
budgets = st.sampled_from([0, 100, 200, 300, 400])


@pytest.fixture
def any_size(monkeypatch):
    monkeypatch.setattr(spilling, "SMALLEST", 1)
    monkeypatch.setattr(spilling, "_SOON", 1)


def test_every_run_ends_with_the_requested_results(any_size, random_graph):
    @settings(max_examples=100, deadline=None)
    @given(rngs, st.integers(1, 25), st.integers(1, 5), budgets, st.sampled_from([0, 0, 0.3, 1]))
    def run_one(rng, n, n_workers, budget, refuses):
        graph, keys = random_graph(rng, n)
        some_read_regions(graph, rng)
        lies = rng.random() < 0.5
        run = Spiller(graph, keys, rng, n_workers, budget, 1, lies=lies, refuses=refuses).run()
        assert set(run.starts.values()) == {1}
        right = expected(graph)
        assert run.results == {run.at[key]: right[key] for key in keys}
        assert run.state.reserved == [0, 0] and run.state.running == run.state.unfinished == 0
        spilled.append(run.n_spilled)

    spilled = []
    run_one()
    assert sum(spilled) > len(spilled) / 2


def test_a_failure_ends_the_run(any_size, random_graph):
    @settings(max_examples=100, deadline=None)
    @given(rngs, st.integers(1, 25), st.integers(1, 5), budgets)
    def run_one(rng, n, n_workers, budget):
        graph, keys = random_graph(rng, n)
        fails = {key: 1 for key in graph if rng.random() < 0.15}
        run = Spiller(graph, keys, rng, n_workers, budget, fails=fails).run()
        if run.state.cancelled:
            assert run.state.reserved == run.state.alive == [0, 0]
            assert run.results == {}

    run_one()


def exchange(n, reads_regions, nbytes=100):
    """Each of n results needs all of n others."""
    graph = {("x", k): Task(("x", k), int, nbytes=nbytes) for k in range(n)}
    function = Regions(max) if reads_regions else max
    for k in range(n):
        graph["y", k] = Task(("y", k), function, tuple(("x", i) for i in range(n)), nbytes=nbytes)
        graph["z", k] = Task(("z", k), abs, (("y", k),))
    return graph, [("z", k) for k in range(n)]


@pytest.mark.parametrize("n_workers", [1, 2])
def test_an_exchange_of_any_size_keeps_the_budget(any_size, n_workers):
    graph, keys = exchange(20, True)
    run = Spiller(graph, keys, Random(0), n_workers, budget=500).run()
    assert run.peak <= 500
    assert 15 <= run.n_spilled <= 20 + 2 * n_workers


def test_without_regions_all_inputs_of_a_task_are_in_memory(any_size):
    graph, keys = exchange(20, False)
    run = Spiller(graph, keys, Random(0), 2, budget=500).run()
    assert 2100 <= run.peak <= 2200
    graph, keys = exchange(20, False)
    assert Spiller(graph, keys, Random(0), 2, budget=2600).run().n_spilled == 0


def test_what_a_running_task_will_free_is_waited_for(any_size):
    graph, keys = tree(40)
    for n_workers in (1, 2, 3):
        run = Spiller(dict(graph), keys, Random(0), n_workers, 1001 * n_workers + 40).run()
        assert run.n_spilled == 0


def make_state(graph, keys, budget):
    numbered = number(graph, keys)
    state = State(numbered, depth_first(numbered), budget)
    state.spills = True
    return state


def test_the_result_that_is_needed_last_goes_first(any_size):
    graph = {k: Task(k, int, nbytes=100) for k in "abc"}
    graph["d"] = Task("d", int, ("b",), nbytes=100)
    graph["e"] = Task("e", int, ("d", "a"), nbytes=100)
    graph["f"] = Task("f", int, ("e", "c", "b"), nbytes=100)
    numbered = number(graph, ["f"])
    state = State(numbered, [0, 1, 2, 3, 4, 5], 300)
    state.spills = True
    for task in range(3):
        assert state.start() == [task]
        state.finish(task, 100)
    assert state.start() == []
    assert state.spill() == 2  # b is needed by d, and again as late as c
    assert state.status(2) == Status.SPILLING
    assert (state.start(), state.spill()) == ([], None)  # there will be room
    check(state, [5])
    assert state.spilled(2) == []
    assert state.alive == [200, 0]
    check(state, [5])
    assert state.start() == [3]
    state.finish(3, 100)
    assert state.start() == []
    assert state.spill() == 1
    state.spilled(1)
    assert state.start() == [4]
    assert state.finish(4, 100) == [3, 0]
    assert state.start() == [5]
    assert state.reserved == [300, 0]  # b and c are read again
    assert state.finish(5, 100) == [4, 2, 1]
    check(state, [5])
    assert state.done


def test_what_cannot_be_written_stays(any_size):
    graph, keys = exchange(3, True)
    state = make_state(graph, keys, 200)
    for _ in range(2):
        (task,) = state.start()
        state.finish(task, 100)
    state.spills = True
    victim = state.spill()
    state.unspilled(victim)
    assert state.status(victim) == Status.HELD
    another = state.spill()
    assert another not in (None, victim)
    state.unspilled(another)
    assert state.spill() is None
    assert len(state.start()) == 1  # beyond the budget, since nothing else is left


def test_a_run_that_must_not_exceed_the_budget_is_stuck(any_size):
    graph, keys = exchange(3, True)
    state = make_state(graph, keys, 200)
    for _ in range(2):
        (task,) = state.start()
        state.finish(task, 100)
    state.spills = state.may_exceed = False
    assert state.start() == []
    assert state.is_stuck
    state.budget[0] = 300
    assert not state.is_stuck
    assert len(state.start()) == 1


def test_cancelling_drops_what_is_on_disk(any_size):
    graph, keys = exchange(3, True)
    state = make_state(graph, keys, 200)
    for _ in range(2):
        (task,) = state.start()
        state.finish(task, 100)
    first = state.spill()
    state.spilled(first)
    (task,) = state.start()
    state.finish(task, 100)
    second = state.spill()
    assert sorted(state.cancel()) == [0, 1, 2]
    assert state.status(first) == state.status(second) == Status.RELEASED
    assert state.spilled(second) == [second]  # its writer comes late
    with pytest.raises(IllegalTransition, match="was spilled while it was RELEASED"):
        state.spilled(second)


def test_small_results_and_inputs_of_the_task_stay():
    graph = {"a": Task("a", int, nbytes=1000), "b": Task("b", int, ("a",), nbytes=1 << 20)}
    state = make_state(graph, ["a", "b"], 1 << 20)
    state.finish(*state.start(), 1000)
    assert state.spill() is None
    assert state.start() == [1]
