import threading

import pytest

from gpuscale.diagnostics import Callback
from gpuscale.diagnostics.listening import active_listeners
from gpuscale.engines.sync import SyncEngine
from gpuscale.engines.threads import ThreadsEngine
from gpuscale.graph.task import Task

GRAPH = {"x": Task("x", int, label="x"), "y": Task("y", abs, ("x",)), "z": Task("z", abs, ("y",))}


def run(graph, *keys, engine=None):
    return (engine or SyncEngine()).run(graph, keys, listeners=active_listeners())


class Told(Callback):
    def __init__(self):
        self.calls = []  # without super().__init__(), as dask's users do it

    def _start(self, dsk):
        self.calls.append(("start", sorted(dsk)))

    def _start_state(self, dsk, state):
        self.calls.append(("start_state", sorted(state["waiting"])))

    def _pretask(self, key, dsk, state):
        self.calls.append(("pretask", key, dsk[key].deps))

    def _posttask(self, key, result, dsk, state, worker):
        self.calls.append(("posttask", key, result, worker))

    def _finish(self, dsk, state, errored):
        counts = {name: len(keys) for name, keys in state.items() if keys}
        self.calls.append(("finish", counts, errored))


@pytest.mark.parametrize("engine", [SyncEngine(), ThreadsEngine(num_workers=1)])
def test_hooks_are_called_in_dasks_order_with_dasks_arguments(engine):
    with Told() as told:
        assert run(GRAPH, "z", engine=engine) == [0]
    assert told.calls == [
        ("start", ["x", "y", "z"]),
        ("start_state", ["x", "y", "z"]),
        ("pretask", "x", ()),
        ("posttask", "x", 0, 0),
        ("pretask", "y", ("x",)),
        ("posttask", "y", 0, 0),
        ("pretask", "z", ("y",)),
        ("posttask", "z", 0, 0),
        ("finish", {"finished": 3}, False),
    ]


def test_functions_instead_of_methods():
    seen = []
    with Callback(pretask=lambda key, dsk, state: seen.append(key)):
        run(GRAPH, "y")
    assert seen == ["x", "y"]


def test_only_what_is_needed_is_asked_for():
    quiet = Callback(start=print)
    assert not quiet.wants_results
    assert len(quiet.wants) == 2
    assert Callback(posttask=print).wants_results


def test_a_failing_task_has_no_posttask_and_the_end_says_so():
    graph = {"x": Task("x", int), "y": Task("y", lambda x: 1 // x, ("x",))}
    with Told() as told, pytest.raises(ZeroDivisionError):
        run(graph, "y")
    assert [call[:2] for call in told.calls if call[0] == "posttask"] == [("posttask", "x")]
    assert told.calls[-1] == ("finish", {"finished": 1}, True)


def test_what_a_hook_raises_ends_the_computation():
    def stop(key, dsk, state):
        raise RuntimeError("enough")

    ended = []
    with (
        pytest.raises(RuntimeError, match="enough"),
        Callback(pretask=stop, finish=lambda dsk, state, errored: ended.append(errored)),
    ):
        run(GRAPH, "z")
    assert ended == [True]


def test_runs_within_runs_and_beside_them_keep_their_own_state():
    inner = {"inner": Task("inner", int)}
    outer = {"outer": Task("outer", lambda: run(inner, "inner")[0])}
    ends = []
    with Callback(finish=lambda dsk, state, errored: ends.append((*dsk, *state["finished"]))):
        run(outer, "outer")
        thread = threading.Thread(target=run, args=(outer, "outer"))
        thread.start()
        thread.join()
    assert ends == 2 * [("inner", "inner"), ("outer", "outer")]


def test_registered_callbacks_stay_until_they_are_unregistered():
    count = []
    callback = Callback(start=count.append)
    callback.register()
    run(GRAPH, "x")
    callback.unregister()
    run(GRAPH, "x")
    assert len(count) == 1
