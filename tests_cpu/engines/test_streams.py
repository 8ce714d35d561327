"""Each task that runs has a stream for itself, and what it hands on is ready."""

import threading
from functools import partial

import pytest

from gpuscale.backends.creation import namespace
from gpuscale.backends.devices import IN_USE, running
from gpuscale.base import config
from gpuscale.engines.base import get_engine
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import Stream, StreamOrderError, current_stream

NOT_TINY = 1 << 28  # bytes, so that the run has threads


@pytest.fixture
def xp(request):
    if request.config.getoption("--backend") == "fake":  # active for the whole run
        yield namespace("fake")
        return
    with fake_device.active():
        yield namespace("fake")


def graph_on_two_threads(xp, streams):
    """Two tasks that wait for one another, and one that reads what both have made."""
    both = threading.Barrier(2, timeout=60)

    def make(value):
        streams.append(current_stream())
        both.wait()
        return xp.full(1000, value)

    tasks = [
        Task("one", partial(make, 1), nbytes=NOT_TINY),
        Task("two", partial(make, 2), nbytes=NOT_TINY),
        Task("sum", lambda a, b: int((a + b).sum()), ("one", "two")),
    ]
    return {task.key: task for task in tasks}


def run(graph):
    with config.set({"num-workers": 2, "memory-limit": 4 * NOT_TINY}):
        return get_engine("threads").run(graph, ["sum"])


def test_tasks_at_the_same_time_have_different_streams(xp):
    streams = []
    assert run(graph_on_two_threads(xp, streams)) == [3000]
    assert len(set(streams)) == 2
    assert not any(stream.is_null for stream in streams)
    assert current_stream().is_null


def test_without_waiting_the_order_would_be_wrong(xp, monkeypatch):
    """So that the test above, and all others on this device, would notice."""
    monkeypatch.setattr(Stream, "synchronize", lambda self: None)
    with pytest.raises(StreamOrderError, match="without having waited"):
        run(graph_on_two_threads(xp, []))


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_a_task_with_a_timeout_has_a_stream_where_it_runs(xp, engine):
    streams = []

    def make():
        streams.append(current_stream())
        return xp.ones(10)

    graph = {
        "x": Task("x", make, options=TaskOptions(timeout=60)),
        "y": Task("y", lambda x: float(x.sum()), ("x",)),
    }
    assert get_engine(engine).run(graph, ["y"]) == [10.0]
    assert not streams[0].is_null


def test_a_process_without_devices_has_none_to_ask(monkeypatch):
    monkeypatch.setattr("gpuscale.backends.devices.IN_USE", {})
    with running("add") as nothing:
        assert nothing is None


def test_all_devices_in_use_are_around_a_task(xp, monkeypatch):
    calls = []

    class Other:
        def running(self, label):
            calls.append(label)
            return IN_USE["fake"].running(label)

    monkeypatch.setitem(IN_USE, "other", Other())
    with running("add"):
        assert not current_stream().is_null
    assert calls == ["add"]
    assert current_stream().is_null
