import gc
import weakref
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.base import config
from gpuscale.engines.sync import SyncEngine
from gpuscale.graph.task import GraphError, Task


def run(graph, keys, **kwargs):
    return SyncEngine().run(graph, keys, **kwargs)


def test_results_come_in_the_order_of_the_request():
    graph = {"x": Task("x", lambda: 2), "y": Task("y", pow, ("x", "x"), args=(3,))}
    assert run(graph, ["y", "x", "y"]) == [1, 2, 1]
    assert run(graph, []) == []


def test_persist_gives_results_by_key():
    graph = {"x": Task("x", lambda: 2), "y": Task("y", float, ("x",))}
    assert SyncEngine().persist(graph, ["y"]) == {"y": 2.0}


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_results_are_those_of_plain_recursion(random_graph, seed, n):
    graph, keys = random_graph(Random(seed), n)
    results = {}
    for key, task in graph.items():  # made in an order that works
        results[key] = task.fn(*[results[dep] for dep in task.deps], *task.args)
    assert run(graph, keys) == [results[key] for key in keys]


def test_a_result_is_gone_after_its_last_use():
    alive = weakref.WeakSet()

    seen = []

    class Chunk:
        pass

    def source():
        chunk = Chunk()
        alive.add(chunk)
        return chunk

    def last_use(chunk):
        seen.append(len(alive))
        return 1

    graph = {}
    for i in range(5):
        graph["x", i] = Task(("x", i), source, nbytes=100)
        graph["y", i] = Task(("y", i), last_use, (("x", i),), nbytes=1)
    run(graph, [("y", i) for i in range(5)])
    assert seen == [1] * 5
    gc.collect()
    assert len(alive) == 0


def test_the_budget_comes_from_the_configuration():
    events = []
    with config.set({"memory-limit": "3 GiB"}):
        run({"x": Task("x", int)}, ["x"], listeners=[events.append])
    assert events[0].budget == 3 << 30


def test_an_exception_ends_the_run_and_says_where():
    def fail(x):
        raise ZeroDivisionError("no")

    later = []
    graph = {
        "x": Task("x", lambda: np.ones((2, 3))),
        "y": Task("y", fail, ("x",), label="divide", origin=("model.py", 12)),
        "z": Task("z", later.append, ("y",)),
    }
    with pytest.raises(ZeroDivisionError, match="no") as caught:
        run(graph, ["z"])
    (note,) = caught.value.__notes__
    assert "divide" in note and "model.py:12" in note
    assert "call: fail(<ndarray float64 (2, 3)>)" in note and "48 B" in note
    assert caught.traceback[-1].name == "fail"
    assert later == []


def test_ctrl_c_is_nobodys_fault():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run({"x": Task("x", interrupt)}, ["x"])
    assert not hasattr(caught.value, "__notes__")


def test_what_a_listener_raises_is_not_the_tasks_fault():
    def listener(event):
        if type(event).__name__ == "TaskFinished":
            raise LookupError("listener")

    graph = {"x": Task("x", int, label="innocent")}
    with pytest.raises(LookupError) as caught:
        run(graph, ["x"], listeners=[listener])
    assert not hasattr(caught.value, "__notes__")


def test_a_run_inside_a_task():
    def nested():
        return run({"x": Task("x", int)}, ["x"])

    assert run({"x": Task("x", nested)}, ["x"]) == [[0]]


def test_an_incomplete_graph_is_refused():
    with pytest.raises(GraphError, match="'x' needs 'y'"):
        run({"x": Task("x", abs, ("y",))}, ["x"])
