import threading
import time

import pytest

import gpuscale as gs
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


# what is computed from inside of a callback


@pytest.fixture(params=["sync", "threads"])
def engine(request):
    with gs.config.set(engine=request.param):
        yield request.param


class Computing(Callback):
    """Computes something in each of its methods."""

    def __init__(self):
        self.found = []

    def _compute(self, *_):
        self.found.append(gs.delayed(sum)([gs.delayed(abs)(-k) for k in range(9)]).compute())

    _start = _start_state = _pretask = _posttask = _finish = _compute


def test_what_a_callback_computes_is_not_told_to_it(engine):
    with Computing() as computing:
        assert gs.delayed(max)([gs.delayed(abs)(k) for k in range(5)]).compute() == 4
    assert computing.found == [36] * (3 + 2 * 6)


def test_what_a_callback_computes_is_told_to_others(engine):
    labels = []

    def compute(*_):
        gs.delayed(abs)(-1).compute()

    outer = Callback(start=compute)
    other = Callback(pretask=lambda key, graph, state: labels.append(graph[key].label))
    with other, outer:
        gs.delayed(max)(1, 2).compute()
    assert sorted(labels) == ["abs", "max"]


def test_callbacks_that_compute_do_not_call_each_other_for_ever(engine):
    counts = {"one": 0, "two": 0}

    def counting(name):
        def compute(*_):
            counts[name] += 1
            gs.delayed(abs)(-1).compute()

        return compute

    with Callback(start=counting("one")), Callback(start=counting("two")):
        gs.delayed(max)(1, 2).compute()
    assert counts == {"one": 2, "two": 2}  # each for itself, and once for what the other computes


def test_tasks_within_what_a_callback_computes_are_not_told_to_it_either(engine):
    labels = []

    def nested():
        return sum(gs.compute(*[gs.delayed(abs)(-k) for k in range(9)]))

    def compute(key, graph, state):
        labels.append(graph[key].label)
        assert gs.delayed(max)(*[gs.delayed(nested)() for _ in range(5)]).compute() == 36

    with Callback(pretask=compute):
        gs.delayed(min)(1, 2).compute()
    assert labels == ["min"]


def test_a_callback_hears_again_of_what_comes_after_it_computed_or_raised():
    started = []

    def compute(graph):
        started.append(sorted(task.label for task in graph.values()))
        gs.delayed(abs)(-1).compute()
        if len(started) == 1:
            raise ValueError("enough")

    with Callback(start=compute):
        with pytest.raises(ValueError, match="enough"):
            gs.delayed(max)(1, 2).compute()
        gs.delayed(min)(1, 2).compute()
    assert started == [["max"], ["min"]]


def test_what_a_callback_of_a_client_computes_is_not_told_to_it():
    told = []

    def compute(key, result, graph, state, worker):
        told.append(key)
        assert gs.delayed(sum)([gs.delayed(abs)(-k) for k in range(9)]).compute() == 36
        with gs.Client(threads_per_worker=1, set_as_default=False) as inner:
            assert inner.submit(abs, -3).result(20) == 3

    with gs.Client(threads_per_worker=1) as client, Callback(posttask=compute):
        assert client.submit(abs, -2, key="x").result(20) == 2
    assert told == ["x"]


@pytest.mark.parametrize("start", ["submit", "map", "compute"])
def test_what_a_callback_submits_to_its_client_is_told_to_others_alone(start):
    told, seen, found = [], [], []
    with gs.Client(threads_per_worker=1) as client:
        starts = {
            "submit": lambda: client.submit(abs, -7, key="saved"),
            "map": lambda: client.map(abs, [-7, -8], key=["saved", "more"])[0],
            "compute": lambda: client.compute(gs.delayed(abs)(-7, dask_key_name="saved")),
        }

        def save(key, result, graph, state, worker):
            told.append(key)
            found.append(starts[start]().result(20))
            found.append(client.submit(abs, -1, key="x").result(20))  # it is there already

        def see(key, result, graph, state, worker):
            seen.append(key)

        with Callback(posttask=see), Callback(posttask=save):
            x = client.submit(abs, -1, key="x")
            assert x.result(20) == 1
            deadline = time.monotonic() + 20
            while len(found) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert client.submit(abs, -2, key="y").result(20) == 2
        assert (told, found) == (["x", "y"], [7, 1, 7, 1])
        assert [key for key in seen if key in ("x", "y")] == ["x", "y"]
        assert "saved" in seen
