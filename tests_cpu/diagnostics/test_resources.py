import threading
import time

import numpy as np
import pytest

from gpuscale.diagnostics import ResourceProfiler
from gpuscale.diagnostics.listening import active_listeners
from gpuscale.diagnostics.resources import Sample
from gpuscale.engines.sync import SyncEngine
from gpuscale.graph.task import Task


def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_memory_and_processor_are_seen():
    with ResourceProfiler(dt=0.02) as rprof:
        block = np.ones(8_000_000)
        burn(0.2)
        block[0] = 2
    assert rprof.results[0]._fields == ("time", "mem", "cpu")
    assert rprof.results[-1].mem - rprof.results[0].mem > 50  # 64 MB
    assert max(data.cpu for data in rprof.results) > 20  # of a core that others use as well
    times = [data.time for data in rprof.results]
    assert len(times) > 3 and times == sorted(times)
    assert rprof.start_time <= times[0] and times[-1] <= rprof.end_time


def test_its_thread_ends_with_the_block():
    with pytest.raises(RuntimeError), ResourceProfiler(dt=10):
        assert "gpuscale-sampler" in [thread.name for thread in threading.enumerate()]
        raise RuntimeError
    assert "gpuscale-sampler" not in [thread.name for thread in threading.enumerate()]


def test_registered_it_watches_runs_only():
    rprof = ResourceProfiler(dt=10)
    rprof.register()
    try:
        assert rprof.results == []
        SyncEngine().run({"x": Task("x", int)}, ["x"], listeners=active_listeners())
    finally:
        rprof.unregister()
    assert len(rprof.results) == 2  # at the start and at the end
    rprof.close()
    rprof.clear()
    assert rprof.results == []


@pytest.mark.parametrize("dt", [0, -1, float("nan")])
def test_the_interval_is_positive(dt):
    with pytest.raises(ValueError, match="seconds"):
        ResourceProfiler(dt=dt)


def test_a_system_that_tells_nothing(monkeypatch):
    def closed(*args):
        raise PermissionError("no")

    monkeypatch.setattr("builtins.open", closed)
    sample = Sample.take()
    assert sample.memory is sample.disk_read is sample.disk_written is None
    assert sample.cpu > 0
