"""A run to which tasks are added; the simulator drives it at random."""

import pytest

from gpuscale.base.errors import EngineError
from gpuscale.engines.growing import GrowingState
from gpuscale.engines.invariants import check
from gpuscale.engines.states import IllegalTransition, Status
from gpuscale.engines.tokens import Tokens
from gpuscale.graph.numbering import number
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Task


class Client:
    """Tasks by key, as a session keeps them."""

    def __init__(self, **options):
        self.state = GrowingState(number({}, []), [], on_error="continue", **options)
        self.at = {}
        self.wishes = []

    def add(self, *tasks, wanted=None):
        graph = {task.key: task for task in tasks}
        wanted = list(graph) if wanted is None else wanted
        numbered = number(graph, wanted, self.at)
        numbers = self.state.add(numbered, depth_first(numbered), self.at)
        self.at.update({task.key: i for task, i in zip(numbered.tasks, numbers, strict=True)})
        self.wishes += [self.at[key] for key in wanted]
        self.check()

    def check(self):
        check(self.state, self.wishes)

    def run(self):
        order = []
        while started := self.state.start():
            order.append(self.key(started[0]))
            self.state.finish(started[0], 10)
            self.check()
        return order

    def key(self, number):
        return next(key for key, i in self.at.items() if i == number)

    def release(self, key):
        self.wishes.remove(self.at[key])
        ended = self.state.release(self.at[key])
        self.check()
        return sorted(map(self.key, ended.released)), sorted(map(self.key, ended.ended))

    def forget(self, key):
        self.state.forget(self.at.pop(key))
        self.check()

    def status(self, key):
        return self.state.status(self.at[key])


def task(key, *deps, **options):
    return Task(key, max, deps, nbytes=10, **options)


def test_added_tasks_run_after_those_that_are_there_or_by_priority():
    client = Client()
    client.add(task("a"), task("b", "a"))
    client.add(task("c"), task("urgent", priority=2))
    client.add(task("low", priority=-1), task("inside"), task("also", "inside", priority=2))
    assert client.run() == ["urgent", "inside", "also", "a", "b", "c", "low"]


def test_a_task_may_need_what_ran_what_runs_and_what_will_run():
    client = Client()
    client.add(task("ran"))
    client.run()
    client.add(task("runs"), task("will", "runs"))
    (running,) = client.state.start()
    client.add(task("all", "ran", "runs", "will", "ran"))
    assert client.status("all") == Status.WAITING
    client.state.finish(running, 10)
    assert client.run() == ["will", "all"]


def test_nobody_waits_for_what_nobody_wants():
    client = Client()
    client.add(task("x"), task("y", "x"), wanted=["y"])
    assert client.release("y") == ([], ["x", "y"])
    assert (client.status("x"), client.run()) == (Status.CANCELLED, [])
    assert client.state.done


def test_a_result_goes_when_the_last_wish_does():
    client = Client()
    client.add(task("x"))
    client.run()
    client.state.retain(client.at["x"])
    client.wishes.append(client.at["x"])
    assert client.release("x") == ([], [])
    assert client.release("x") == (["x"], [])
    assert client.state.alive == [0, 0]
    with pytest.raises(IllegalTransition, match="'x' was released once more than it was wanted"):
        client.state.release(client.at["x"])
    with pytest.raises(IllegalTransition, match="'x' was wanted while it was RELEASED"):
        client.state.retain(client.at["x"])
    with pytest.raises(IllegalTransition, match="'x' is needed by 'y' while it was RELEASED"):
        client.add(task("y", "x"))


def test_a_result_that_comes_too_late_is_dropped():
    client = Client()
    client.add(task("x"))
    (running,) = client.state.start()
    assert client.release("x") == ([], [])
    assert client.state.finish(running, 10) == [running]
    assert client.status("x") == Status.RELEASED
    client.check()


def test_what_fails_when_nobody_needs_it_is_not_tried_again_nor_held_against_it():
    client = Client()
    client.add(task("x", options=TaskOptions(retries=1)))
    (running,) = client.state.start()
    client.release("x")
    assert client.state.fail(running) == ([], [running])
    assert (client.status("x"), client.state.done) == (Status.CANCELLED, True)
    client.check()


def test_numbers_of_forgotten_tasks_are_used_again():
    client = Client()
    for k in range(1000):
        client.add(task(("x", k)), task(k, ("x", k)), wanted=[k])
        client.run()
        client.release(k)
        client.forget(k)
        client.forget(("x", k))
    state = client.state
    columns = [each for each in vars(state).values() if hasattr(each, "__len__")]
    assert max(map(len, columns)) <= 3


def test_what_is_not_over_cannot_be_forgotten():
    client = Client()
    client.add(task("x"))
    with pytest.raises(IllegalTransition, match="'x' was to be forgotten while it was READY"):
        client.forget("x")


def test_a_number_is_free_once_nothing_counts_down_for_it():
    client = Client()
    client.add(task("x"), task("y", "x"), wanted=["x", "y"])
    (running,) = client.state.start()
    client.release("y")
    client.forget("y")
    client.add(task("z"))
    assert len(client.at) == 2 and client.at["z"] == 2
    client.state.finish(running, 10)
    client.add(task("new"))
    assert client.at["new"] == 1
    assert client.run() == ["z", "new"]


def test_revoking_ends_what_needs_a_task():
    client = Client()
    client.add(task("x"), task("y", "x"), task("z", "y"), task("other", "x"))
    ended = client.state.revoke(client.at["y"])
    assert [client.key(i) for i in ended.ended] == ["y", "z"]
    assert [client.status(key) for key in "yz"] == [Status.CANCELLED, Status.SKIPPED]
    client.check()
    assert client.run() == ["x", "other"]
    with pytest.raises(IllegalTransition, match="'x' was revoked while it was HELD"):
        client.state.revoke(client.at["x"])


def test_revoking_a_running_task_lets_it_run():
    client = Client()
    client.add(task("x"), task("y", "x"), task("twice", "x", "x"))
    (running,) = client.state.start()
    ended = client.state.revoke(running)
    assert sorted(client.key(i) for i in ended.ended) == ["twice", "y"]
    client.check()
    assert client.state.finish(running, 10) == []
    assert (client.status("x"), client.state.done) == (Status.HELD, True)


def test_what_needs_a_failed_task_is_skipped_at_once():
    client = Client()
    client.add(task("x"), task("fine"))
    client.state.fail(client.state.start()[0])
    client.add(task("only"), task("y", "x", "only"), task("z", "y", "fine"), wanted=["z"])
    assert [client.status(key) for key in "xyz"] == [Status.FAILED, Status.SKIPPED, Status.SKIPPED]
    assert client.status("only") == Status.CANCELLED
    assert client.run() == ["fine"]
    for key in ("x", "y", "z", "only"):
        client.forget(key)
    assert client.state.done


def test_tasks_that_cannot_be_added_leave_nothing_behind():
    client = Client(tokens=Tokens({"GPU": 1}))
    scarce = task("x", options=TaskOptions(resources={"GPU": 2}))
    with pytest.raises(EngineError, match="'x' asks for 2 of 'GPU', but there is 1"):
        client.add(scarce)
    assert (client.state.done, client.state.unfinished) == (True, 0)
    client.state.cancel()
    with pytest.raises(EngineError, match="cancelled"):
        client.add(task("y"))
