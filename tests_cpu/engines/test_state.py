"""The state of a run, step by step; test_simulator.py drives it at random."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.base.errors import EngineError
from gpuscale.engines.invariants import check
from gpuscale.engines.state import SMALL, TRANSITIONS, IllegalTransition, State, Status
from gpuscale.engines.tokens import Tokens
from gpuscale.graph.numbering import number
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Task

from .simulator import Simulator, chunk, tree


def make_state(graph, keys, budget=float("inf"), **options):
    numbered = number(graph, keys)
    return numbered, State(numbered, depth_first(numbered), budget, **options)


# Seeds instead of Hypothesis' own random numbers: a run draws hundreds, each of them slow there.
rngs = st.integers(0, 2**32).map(Random)
workers = st.integers(1, 5)


@settings(max_examples=50)
@given(rngs, st.integers(1, 40), workers)
def test_a_reduction_keeps_the_budget_of_one_chunk_per_worker(rng, n, n_workers):
    graph, keys = tree(n)
    budget = 1001 * n_workers + n
    run = Simulator(graph, keys, rng, n_workers, budget, thorough=False).run()
    assert run.peak <= budget


def test_a_task_starts_when_its_inputs_are_there():
    _, state = make_state(chunk("x") | chunk("y", "x") | chunk("z", "xy"), ["z"])
    assert state.start(3) == [0]
    assert state.start() == []
    assert state.status(1) == Status.WAITING
    assert state.finish(0, 10) == []
    assert state.start(3) == [1]
    assert state.finish(1, 10) == []
    assert state.start(3) == [2]
    assert state.finish(2, 10) == [1, 0] or state.status(0) == Status.RELEASED
    assert state.done
    assert state.alive == [10, 0]


def test_a_result_goes_at_its_last_use():
    graph = chunk("x") | chunk("a", "x") | chunk("b", "x")
    _, state = make_state(graph, ["a", "b"])
    state.start()
    assert state.finish(0, 10) == []
    assert state.start(2) == [1, 2]
    assert state.finish(1, 10) == []
    assert state.finish(2, 10) == [0]
    assert state.status(0) == Status.RELEASED
    assert state.status(1) == Status.HELD


def test_a_task_waits_for_room():
    graph = chunk("x", nbytes=30, workspace=30) | chunk("y", nbytes=40) | chunk("z", "xy", 1)
    _, state = make_state(graph, ["z"], budget=90)
    assert state.start() == [0]
    assert state.start() == []  # 60 + 40 > 90
    state.finish(0, 30)  # the workspace is free again
    assert state.start() == [1]
    assert state.alive[0] + state.reserved[0] == 70


def test_sources_are_withheld_and_what_frees_memory_overtakes_them():
    graph = chunk("x", nbytes=60) | chunk("big", nbytes=60) | chunk("end", ["big", "sx"], 1)
    graph |= chunk("sx", "x", 5)
    numbered = number(graph, ["end"])
    by_key = {task.key: i for i, task in enumerate(numbered.tasks)}
    order = [by_key[key] for key in ("x", "big", "sx", "end")]
    state = State(numbered, order, budget=100)
    assert state.start() == [by_key["x"]]
    assert state.start() == []
    state.finish(by_key["x"], 60)
    # big's turn, but it does not fit; sx, whose turn is later, replaces x by less
    assert state.start() == [by_key["sx"]]
    assert state.start() == []
    assert state.finish(by_key["sx"], 5) == [by_key["x"]]
    assert state.start() == [by_key["big"]]


def test_a_task_that_adds_bytes_does_not_overtake():
    graph = chunk("x", nbytes=50) | chunk("big", nbytes=90) | chunk("small", nbytes=1)
    _, state = make_state(graph, ["x", "big", "small"], budget=100)
    assert state.start() == [0]
    assert state.start() == []


def test_a_task_larger_than_the_budget_runs_alone():
    graph = chunk("x", nbytes=50) | chunk("huge", nbytes=500) | chunk("y", nbytes=50)
    _, state = make_state(graph, ["x", "huge", "y"], budget=100)
    assert state.start() == [0]
    assert state.start() == []
    state.finish(0, 50)
    assert state.start() == [1]
    assert state.start() == []
    state.finish(1, 500)
    assert state.start() == [2]


def test_a_budget_may_change():
    _, state = make_state(chunk("x") | chunk("y"), "xy", budget=10)
    assert state.start(2) == [0]
    assert not state.can_start()
    state.budget[0] = 20
    assert state.can_start()
    assert state.start() == [1]


def test_a_batch_holds_one_large_task_at_most():
    graph = chunk("a", nbytes=SMALL + 1) | chunk("b", nbytes=SMALL) | chunk("c", nbytes=SMALL + 1)
    _, state = make_state(graph, "abc")
    assert state.start(10) == [0, 1]
    assert state.start(10) == [2]


def test_chains_stay_with_their_worker():
    graph = {}
    for i in range(4):
        graph |= chunk((i, 0))
        for step in range(1, 10):
            graph |= chunk((i, step), [(i, step - 1)])
    numbered, state = make_state(graph, [(i, 9) for i in range(4)])
    running = {worker: state.start()[0] for worker in range(4)}
    for _ in range(9):
        for worker in (2, 0, 3, 1):
            state.finish(running[worker], 10)
            (running[worker],) = state.start()
    assert {numbered.tasks[i].key[0] for i in running.values()} == set(range(4))
    assert [numbered.tasks[i].key for i in running.values()] == [(i, 9) for i in range(4)]


def test_larger_priorities_start_first():
    graph = {k: Task(k, int, priority=p) for k, p in (("low", -1), ("mid", 0), ("high", 1))}
    _, state = make_state(graph, list(graph))
    assert [state.start()[0] for _ in range(3)] == [2, 1, 0]


def test_cancel_drops_everything():
    graph = chunk("x") | chunk("y", "x") | chunk("z")
    _, state = make_state(graph, ["x", "y", "z"])
    state.start()
    state.finish(0, 10)
    running = state.start()
    assert state.cancel() == [0]
    assert (state.alive, state.n_ready, state.start()) == ([0, 0], 0, [])
    assert not state.done
    assert state.finish(running[0], 10) == running
    assert state.done
    check(state, ())


def test_an_illegal_move_tells_the_story():
    _, state = make_state(chunk("x") | chunk("y", "x"), ["y"])
    with pytest.raises(IllegalTransition, match="task 'x' finished while it was READY"):
        state.finish(0, 10)
    with pytest.raises(IllegalTransition, match="'y' failed while it was WAITING.*1 results"):
        state.fail(1)
    state.start()
    with pytest.raises(IllegalTransition, match="withdrawn while it was RUNNING"):
        state.withdraw(0)
    state.finish(0, 10)
    with pytest.raises(IllegalTransition, match=r"HELD.*only become RELEASED \(its last use"):
        state.finish(0, 10)


def test_the_check_notices_a_wrong_count():
    _, state = make_state(chunk("x"), ["x"])
    check(state, [0])
    state.reserved[0] += 1
    with pytest.raises(AssertionError):
        check(state, [0])


def with_options(key, deps=(), **options):
    return {key: Task(key, max, tuple(deps), nbytes=10, options=TaskOptions(**options))}


def test_a_task_is_tried_again_after_its_back_off():
    _, state = make_state(with_options("x", retries=2, backoff=1) | chunk("y"), "xy")
    state.start()
    assert state.fail(0, now=10) == ([], [])
    assert (state.status(0), state.reserved, state.next_due) == (Status.RETRYING, [0, 0], 11)
    assert state.start(2) == [1]
    state.finish(1, 10)
    assert (state.due(10.9), state.start(), state.done) == ([], [], False)
    assert (state.due(11), state.next_due, state.start()) == ([0], None, [0])
    state.fail(0, now=20)
    assert state.next_due == 22
    assert (state.due(30), state.start()) == ([0], [0])
    assert state.fail(0, now=40) == ([1], [0])
    assert (state.status(0), state.cancelled, state.done) == (Status.FAILED, True, True)


def test_inputs_stay_for_the_next_attempt():
    _, state = make_state(chunk("x") | with_options("y", "x", retries=1, backoff=0), "y")
    state.start()
    state.finish(0, 10)
    state.start()
    state.fail(1)
    check(state, [1])
    assert state.status(0) == Status.HELD
    assert (state.due(0), state.start(), state.finish(1, 10)) == ([1], [1], [0])


def test_a_cancelled_run_tries_nothing_again():
    _, state = make_state(with_options("x", retries=5) | chunk("y"), "xy")
    state.start(2)
    state.fail(0)
    state.fail(1)
    assert (state.status(0), state.next_due, state.done) == (Status.CANCELLED, None, True)


def test_a_failure_ends_what_needs_it_and_nothing_else():
    graph = chunk("bad") | chunk("held") | chunk("only") | chunk("fine", ["held"])
    graph |= chunk("skipped", ["bad", "held", "only"]) | chunk("also", ["skipped", "bad"])
    numbered, state = make_state(graph, ["also", "fine"], on_error="continue")
    at = {task.key: i for i, task in enumerate(numbered.tasks)}
    done = set()
    while started := state.start():
        key = numbered.tasks[started[0]].key
        done.add(key)
        if key == "bad":
            ended = state.fail(started[0])
            assert {at["bad"], at["skipped"], at["also"]} <= set(ended.ended)
        else:
            state.finish(started[0], 10)
        check(state, numbered.kept)
    assert {"bad", "held", "fine"} <= done
    assert state.status(at["also"]) == state.status(at["skipped"]) == Status.SKIPPED
    assert state.status(at["only"]) in (Status.CANCELLED, Status.RELEASED)
    assert state.status(at["fine"]) == Status.HELD
    assert (state.alive, state.cancelled, state.done) == ([10, 0], False, True)


def test_scarce_tasks_wait_and_others_overtake_them():
    graph = with_options("a", resources={"GPU": 1}) | with_options("b", resources={"GPU": 1})
    numbered, state = make_state(graph | chunk("c"), "abc", tokens=Tokens({"GPU": 1}))
    assert state.start(5) == [0]  # alone in its batch: it gives its token back soon
    assert state.start(5) == [2]
    assert (state.start(5), state.can_start()) == ([], False)
    check(state, numbered.kept)
    state.finish(0, 10)
    assert state.start(5) == [1]
    state.fail(1)
    assert state.finish(2, 10) == [2]
    assert state.done


def test_runs_share_tokens():
    tokens = Tokens({"GPU": 1})
    graph = with_options("a", resources={"GPU": 1})
    _, one = make_state(graph, "a", tokens=tokens)
    _, other = make_state(graph, "a", tokens=tokens)
    assert (one.start(), other.start(), other.done) == ([0], [], False)
    one.cancel()
    one.withdraw(0)
    assert other.start() == [0]


def test_what_is_too_scarce_is_refused_before_the_run():
    with pytest.raises(EngineError, match="there is none"):
        make_state(with_options("a", resources={"GPU": 1}), "a")


def test_every_status_can_be_left_and_reached():
    assert {at for at, _ in TRANSITIONS} == set(Status)
    assert {to for _, to in TRANSITIONS} == set(Status)
    assert all(TRANSITIONS.values())


def test_tasks_come_alone_where_a_device_has_a_budget():
    graph = number({k: Task(k, int, nbytes=8) for k in range(4)}, range(4))
    assert len(State(graph, range(4)).start(most=4)) == 4
    graph = number({k: Task(k, int, nbytes=8) for k in range(4)}, range(4))
    assert State(graph, range(4), device_budget=100).start(most=4) == [0]
