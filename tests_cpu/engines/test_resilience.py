"""Tasks that fail, wait or are scarce, on both engines; the simulator has the state alone."""

import threading
import time
import weakref
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.base import config
from gpuscale.base.errors import EngineError, TaskTimeoutError
from gpuscale.engines.events import RunFinished, TaskFailed, TaskRetried
from gpuscale.engines.failure import Failure
from gpuscale.engines.sync import SyncEngine
from gpuscale.engines.threads import ThreadsEngine
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task


@pytest.fixture(params=["sync", "threads"])
def engine(request):
    engine = SyncEngine() if request.param == "sync" else ThreadsEngine(num_workers=2)
    yield engine
    engine.close()


def others(n=10):
    """Enough tasks that a run needs threads."""
    return {i: Task(i, int, (), (i,)) for i in range(n)}


class Flaky:
    """Raises in its first calls."""

    def __init__(self, n_failures, error=ValueError, combine=False):
        self.n_failures, self.error, self.times = n_failures, error, []
        self.combine = combine

    def __call__(self, *args):
        self.times.append(time.perf_counter())
        if len(self.times) <= self.n_failures:
            raise self.error(f"attempt {len(self.times)}")
        return hash(args) if self.combine else len(self.times)


def test_a_task_is_tried_again_until_it_works(engine):
    flaky, events = Flaky(2), []
    graph = others() | {
        "x": Task("x", flaky, (3,), label="flaky", options=TaskOptions(retries=2, backoff=0.02)),
        "y": Task("y", lambda x: 10 * x, ("x",)),
    }
    assert engine.run(graph, ["y", *range(10)], listeners=[events.append]) == [30, *range(10)]
    first, second, third = flaky.times
    assert second - first >= 0.02 and third - second >= 0.04
    retried = [event for event in events if isinstance(event, TaskRetried)]
    assert [(e.key, e.label, e.attempt, e.delay) for e in retried] == [
        ("x", "flaky", 1, 0.02),
        ("x", "flaky", 2, 0.04),
    ]
    assert [str(e.error) for e in retried] == ["attempt 1", "attempt 2"]
    assert sum(isinstance(event, TaskFailed) for event in events) == 2
    assert events[-1].error is None


def test_the_last_attempt_ends_the_run(engine):
    flaky = Flaky(9)
    graph = others() | {"x": Task("x", flaky, options=TaskOptions(retries=2, backoff=0))}
    with pytest.raises(ValueError, match="attempt 3") as caught:
        engine.run(graph, list(graph))
    assert len(flaky.times) == 3
    assert "in operation 'x'\n  call: Flaky()" in caught.value.__notes__[0]


def test_ctrl_c_is_not_tried_again(engine):
    flaky = Flaky(1, KeyboardInterrupt)
    graph = others() | {"x": Task("x", flaky, options=TaskOptions(retries=5))}
    with pytest.raises(KeyboardInterrupt):
        engine.run(graph, list(graph), on_error="continue")
    assert len(flaky.times) == 1


def test_tasks_run_while_another_waits_for_its_next_attempt(engine):
    flaky = Flaky(1)
    graph = {"x": Task("x", flaky, priority=1, options=TaskOptions(retries=1, backoff=0.1))}
    ended = []
    graph |= {i: Task(i, lambda: ended.append(time.perf_counter())) for i in range(20)}
    engine.run(graph, list(graph))
    assert max(ended) < flaky.times[1]


def test_a_task_that_hangs_is_left_behind(engine):
    end, late = threading.Event(), weakref.WeakSet()

    def hang():
        end.wait(20)
        late.add(chunk := np.ones(3))
        return chunk

    graph = others() | {
        "x": Task("x", hang, label="hang", origin=("a.py", 3), options=TaskOptions(timeout=0.05))
    }
    with pytest.raises(
        TaskTimeoutError, match=r"^task hang \('x'\) took longer than .* 0.05 s"
    ) as caught:
        engine.run(graph, list(graph))
    assert "written at a.py:3" in caught.value.__notes__[0]
    assert engine.run(others(), [7]) == [7]
    end.set()
    for _ in range(100):
        time.sleep(0.005)
    assert not late


def test_a_task_that_hung_may_be_tried_again(engine):
    end, calls = threading.Event(), []

    def work():
        calls.append(1)
        return end.wait(20) if len(calls) == 1 else "done"

    options = TaskOptions(timeout=0.05, retries=1, backoff=0)
    graph = others() | {"x": Task("x", work, options=options)}
    assert engine.run(graph, ["x"]) == ["done"]
    end.set()


def test_a_timeout_that_is_kept_changes_nothing(engine):
    def divide(x):
        return np.ones(2) / (x * np.zeros(2))

    options = TaskOptions(timeout=20)
    graph = others() | {"x": Task("x", divide, (3,), options=options)}
    with np.errstate(divide="ignore"):
        assert np.isinf(engine.run(graph, ["x"])[0]).all()
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError) as caught:
        engine.run(graph, ["x"])
    assert caught.traceback[-1].name == "divide"


def test_what_fails_ends_only_what_needs_it(engine):
    events, alive = [], weakref.WeakSet()

    class Chunk:
        def __init__(self):
            alive.add(self)

    def fail(chunk):
        raise ValueError("no")

    graph = others() | {"chunk": Task("chunk", Chunk), "bad": Task("bad", fail, ("chunk",))}
    graph |= {("above", i): Task(("above", i), max, ("bad", i)) for i in range(3)}
    graph["top"] = Task("top", max, (("above", 0), 4), options=TaskOptions(retries=3))
    graph["fine"] = Task("fine", max, (5, 6))
    keys = ["top", "fine", 3, "bad", ("above", 2)]
    top, *fine, bad, above = engine.run(graph, keys, on_error="continue", listeners=[events.append])
    assert fine == [6, 3]
    assert isinstance(top, Failure) and top is bad is above
    assert (top.key, str(top.error)) == ("bad", "no")
    assert repr(top) == "<Failure of 'bad': ValueError('no')>"
    assert "in operation 'bad'\n  call: fail(<Chunk>)" in top.error.__notes__[0]
    assert not alive  # not even in the frames of the traceback
    assert isinstance(events[-1], RunFinished)
    assert (events[-1].error, events[-1].failures) == (None, (top,))


def test_every_failure_is_listed(engine):
    events = []
    graph = {i: Task(i, divmod, (), (1, i % 3)) for i in range(12)}
    results = engine.run(graph, list(graph), on_error="continue", listeners=[events.append])
    assert [i for i, each in enumerate(results) if isinstance(each, Failure)] == [0, 3, 6, 9]
    assert {failure.key for failure in events[-1].failures} == {0, 3, 6, 9}


def test_scarce_tasks_run_one_at_a_time_and_others_beside_them():
    lock, now, most = threading.Lock(), {"GPU": 0, "any": 0}, {"GPU": 0, "any": 0}

    def work(kind):
        with lock:
            now[kind] += 1
            now["any"] += kind != "any"
            for name, count in now.items():
                most[name] = max(most[name], count)
        time.sleep(2e-3)
        with lock:
            now[kind] -= 1
            now["any"] -= kind != "any"

    engine = ThreadsEngine(num_workers=4, resources={"GPU": 1})
    scarce = TaskOptions(resources={"GPU": 1})
    graph = {("gpu", i): Task(("gpu", i), work, (), ("GPU",), options=scarce) for i in range(10)}
    graph |= {i: Task(i, work, (), ("any",)) for i in range(10)}
    engine.run(graph, list(graph))
    assert most["GPU"] == 1 and most["any"] >= 2
    runs = [threading.Thread(target=engine.run, args=(graph, list(graph))) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(timeout=20)
    assert most["GPU"] == 1
    engine.close()


def test_tokens_come_back_from_failures(engine):
    scarce = TaskOptions(resources={"GPU": 1}, retries=1, backoff=0)
    graph = {i: Task(i, divmod, (), (1, i % 2), options=scarce) for i in range(10)}
    with config.set(resources={"GPU": 1}):
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                engine.run(graph, list(graph))
        results = engine.run(graph, list(graph), on_error="continue")
    assert [type(each) for each in results] == [Failure, tuple] * 5


def test_a_run_inside_of_a_scarce_task_has_what_the_task_has():
    engine = ThreadsEngine(num_workers=2, resources={"GPU": 1})
    scarce = TaskOptions(resources={"GPU": 1})
    inner = others() | {"x": Task("x", lambda: 5, options=scarce)}
    graph = others() | {"y": Task("y", lambda: engine.run(inner, ["x"]), options=scarce)}
    assert engine.run(graph, ["y"]) == [[5]]
    engine.close()


def test_what_asks_for_too_much_is_refused_before_anything_runs(engine):
    ran = []
    graph = {i: Task(i, ran.append, (), (i,)) for i in range(10)}
    graph["x"] = Task("x", int, options=TaskOptions(resources={"GPU": 2}))
    with (
        config.set(resources={"GPU": 1}),
        pytest.raises(EngineError, match="'x' asks for 2 of 'GPU', but there is 1; say how much"),
    ):
        engine.run(graph, list(graph))
    assert not ran


def test_larger_priorities_run_first():
    order = []
    graph = {i: Task(i, order.append, (), (i,), priority=i % 3) for i in range(9)}
    SyncEngine().run(graph, list(graph))
    assert order == [2, 5, 8, 1, 4, 7, 0, 3, 6]


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 4))
def test_threads_give_what_sync_gives(random_graph, seed, n, num_workers):
    rng = Random(seed)
    graph, keys = random_graph(rng, n)
    fails = {key: rng.randint(1, 3) for key in graph if rng.random() < 0.15}
    for task in graph.values():
        timeout = rng.choice([None, None, 30])
        resources = rng.choice([{}, {}, {"GPU": rng.choice([0.5, 1])}, {"GPU": 1, "disk": 1}])
        task.options = TaskOptions(rng.randint(0, 2), rng.choice([0, 1e-4]), timeout, resources)

    def results(engine, on_error):
        for key, task in graph.items():
            task.fn = Flaky(fails.get(key, 0), combine=True)
        try:
            found = engine.run(graph, keys, on_error=on_error)
        except ValueError:
            return "failed"
        return ["failed" if isinstance(each, Failure) else each for each in found]

    engine = ThreadsEngine(num_workers)
    with config.set(resources={"GPU": 1, "disk": 1}):
        for on_error in ("continue", "raise"):
            assert results(engine, on_error) == results(SyncEngine(), on_error)
    engine.close()
