import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.diagnostics import CacheProfiler, Profiler
from gpuscale.diagnostics.listening import active_listeners
from gpuscale.engines.sync import SyncEngine
from gpuscale.engines.threads import ThreadsEngine
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task

ENGINES = [SyncEngine(), ThreadsEngine(num_workers=2)]


def diamond():
    graph = {"x": Task("x", np.ones, (), (8,), label="ones")}
    graph["left"] = Task("left", np.negative, ("x",))
    graph["right"] = Task("right", np.sum, ("x",))
    graph["end"] = Task("end", np.add, ("left", "right"))
    return graph


def run(engine, *keys):
    return engine.run(diamond(), keys, listeners=active_listeners())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_profile_has_each_task_once(engine):
    with Profiler() as prof:
        run(engine, "end")
    assert sorted(data.key for data in prof.results) == ["end", "left", "right", "x"]
    for key, task, start, end, worker in prof.results:
        assert task.key == key
        assert prof.start_time <= start <= end <= prof.end_time
        assert worker in (0, 1)
    assert prof.results[0]._fields == ("key", "task", "start_time", "end_time", "worker_id")
    times = {data.key: data for data in prof.results}
    assert times["x"].end_time <= times["left"].start_time


def test_a_block_starts_afresh_and_registered_ones_go_on():
    prof = Profiler()
    for _ in range(2):
        with prof:
            run(ENGINES[0], "x")
        assert len(prof.results) == 1
    prof.register()
    run(ENGINES[0], "x")
    prof.unregister()
    assert len(prof.results) == 2
    prof.clear()
    assert prof.results == [] and prof.start_time is None


def test_tasks_that_fail_are_left_out():
    graph = {"x": Task("x", int), "y": Task("y", lambda x: 1 // x, ("x",))}
    with Profiler() as prof, pytest.raises(ZeroDivisionError):
        SyncEngine().run(graph, ["y"], listeners=active_listeners())
    assert [data.key for data in prof.results] == ["x"]


@pytest.mark.parametrize("engine", ENGINES)
def test_results_are_in_the_cache_until_their_last_use(engine):
    with CacheProfiler() as cprof, Profiler() as prof:
        run(engine, "end", "left")
    ends = {data.key: data.end_time for data in prof.results}
    found = {data.key: data for data in cprof.results}
    assert len(cprof.results) == len(found) == 4
    assert cprof.results[0]._fields == ("key", "task", "metric", "cache_time", "free_time")
    assert all(data.metric == 1 and data.cache_time == ends[key] for key, data in found.items())
    assert found["x"].free_time == max(ends["left"], ends["right"])
    assert found["right"].free_time == ends["end"]
    assert found["left"].free_time == found["end"].free_time > ends["end"]  # asked for


def test_a_metric_sees_results():
    with CacheProfiler(metric=lambda result: result.nbytes) as cprof:
        run(ENGINES[1], "end")
    assert {data.key: data.metric for data in cprof.results} == {
        "x": 64, "left": 64, "right": 8, "end": 64,
    }  # fmt: skip
    assert cprof.metric_name == "<lambda>"
    assert CacheProfiler().metric_name == "count"


def test_arrays_are_profiled_as_a_user_would():
    x = ga.ones((2000, 2000), chunks=500)
    with Profiler() as prof, CacheProfiler() as cprof:
        assert x.sum().compute() == 4e6
    assert len(prof.results) == len(cprof.results) > 0


def test_failures_are_kept_with_their_attempts():
    options = TaskOptions(retries=1, backoff=0.0)
    graph = {"x": Task("x", lambda: 1 // 0, label="bad", options=options), "y": Task("y", int)}
    with Profiler() as prof:
        SyncEngine().run(graph, ["x", "y"], listeners=active_listeners(), on_error="continue")
    assert [data.key for data in prof.results] == ["y"]
    first, last = prof.failures
    assert (first.attempt, first.is_retried) == (1, True)
    assert (last.attempt, last.is_retried) == (2, False)
    assert last.error == "ZeroDivisionError: integer division or modulo by zero"
    assert last.task.label == "bad" and last.start_time <= last.end_time
    prof.clear()
    assert prof.failures == []
