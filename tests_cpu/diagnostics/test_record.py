import threading
import time

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.diagnostics.joined import join_runs, plan_results
from gpuscale.diagnostics.listening import active_listeners
from gpuscale.diagnostics.record import Recorder
from gpuscale.diagnostics.rows import FAILED, FINISHED, UNFINISHED, Rows
from gpuscale.engines.events import RunFinished, RunStarted, TaskFinished, TaskStarted
from gpuscale.engines.sync import SyncEngine
from gpuscale.engines.threads import ThreadsEngine
from gpuscale.graph.task import Task


def run(graph, *keys, engine=None):
    return (engine or SyncEngine()).run(graph, keys, listeners=active_listeners())


def chain():
    graph = {"x": Task("x", np.ones, (), (1000,), nbytes=8000, workspace=5, label="ones")}
    graph["y"] = Task("y", np.sum, ("x",), nbytes=8, label="sum", origin=("/a/tour.py", 3))
    graph["z"] = Task("z", np.negative, ("y",), nbytes=8)
    return graph


@pytest.mark.parametrize("engine", [SyncEngine(), ThreadsEngine(num_workers=2)])
def test_rows_groups_and_memory_of_a_run(engine):
    with Recorder() as recorder:
        run(chain(), "z", engine=engine)
    (record,) = recorder.runs
    assert record.keys == ["x", "y", "z"]
    assert record.n_tasks == 3 and record.error is None
    assert [group.label for group in record.groups] == ["ones", "sum", "negative"]
    assert record.groups[1].origin == ("/a/tour.py", 3)
    assert record.nbytes.tolist() == [8000, 8, 8]
    assert record.critical == [0, 1, 2]
    assert (record.outcome == FINISHED).all()
    assert record.begin <= record.start.min() and record.stop.max() <= record.end
    # x and what y needs; and at the end nothing
    assert record.memory.used.max() == 8008
    assert record.memory.reserved.max() == 8005
    assert record.memory.used[-1] == 0


def test_the_record_keeps_no_tasks():
    with Recorder() as recorder:
        run(chain(), "z")
    assert not hasattr(recorder.runs[0], "tasks")
    assert recorder._under_way.close_all() == []


def test_a_run_whose_record_ctrl_c_interrupts_is_not_lost(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with Recorder() as recorder:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("gpuscale.diagnostics.record.longest_path", interrupt)
            run(chain(), "z")
        recorder.close(time.perf_counter())
    (record,) = recorder.runs
    assert record.keys == ["x", "y", "z"]
    assert record.memory.used.max() == 8008


def test_a_row_that_ctrl_c_interrupts_is_left_out(monkeypatch):
    labels = iter(["x", "y"])

    def group(self, key, label):
        if next(labels) == "y":
            raise KeyboardInterrupt
        return whole(self, key, label)

    whole = Rows._group
    with Recorder() as recorder:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Rows, "_group", group)
            run(chain(), "z")
        recorder.close(time.perf_counter())
    (record,) = recorder.runs
    assert record.keys == ["x"] and len(record.seconds) == len(record.group) == 1


def test_failed_tasks_are_rows_too():
    graph = {"x": Task("x", int), "y": Task("y", lambda x: 1 // x, ("x",), label="inverse")}
    with Recorder() as recorder, pytest.raises(ZeroDivisionError):
        run(graph, "y")
    (record,) = recorder.runs
    assert record.outcome.tolist() == [FINISHED, FAILED]
    assert record.critical == [0]
    assert isinstance(record.error, ZeroDivisionError)


def test_tasks_that_run_when_all_ends_are_unfinished():
    recorder = Recorder()
    recorder(RunStarted(2, 0, 1, 1e9, 0.0, [Task("x", int), Task("y", int)], ["x"]))
    recorder(TaskStarted("x", "int", 0, 1.0))
    recorder(TaskStarted("y", "int", 1, 1.5))
    recorder(TaskFinished("x", "int", 0, 1.0, 2.0, 8))
    recorder.close(3.0)
    (record,) = recorder.runs
    assert record.outcome.tolist() == [FINISHED, UNFINISHED]
    assert record.stop.tolist() == [2.0, 3.0]


def test_events_that_nobody_announced_are_let_be():
    recorder = Recorder()
    recorder(TaskFinished("x", "int", 0, 1.0, 2.0, 8))
    recorder(RunFinished(0, 0, 1.0))
    assert recorder.runs == []


def test_plans_meet_what_happened():
    x = ga.map_blocks(np.sort, ga.ones((40, 40), chunks=10), dtype=float)
    with Recorder() as recorder:
        (x + x.mean()).compute()
        run(chain(), "z")
    results = plan_results(recorder.runs)
    planned = [each for each in results if each.plan.kind != "Task"]
    assert [each.plan.tasks for each in planned] == [each.tasks for each in planned]
    assert sum(each.tasks for each in results) == sum(len(run.keys) for run in recorder.runs)
    assert planned[-1].plan.kind == "Sink"
    assert planned[-1].plan.written == x.nbytes
    assert all(each.plan.written == each.nbytes for each in planned[:-1])
    assert [each.plan.name for each in results[len(planned) :]] == ["ones", "sum", "negative"]
    assert results[-2].plan.line == "tour.py:3"


def test_the_same_plan_twice_is_one_row():
    x = ga.ones((40, 40), chunks=10).sum()
    with Recorder() as recorder:
        x.persist()
        once = plan_results(recorder.runs)
        x.persist()
    twice = plan_results(recorder.runs)
    assert len(once) == len(twice)
    assert [2 * each.tasks for each in once] == [each.tasks for each in twice]
    assert [2 * each.plan.tasks for each in once] == [each.plan.tasks for each in twice]


def test_runs_at_the_same_time_have_rows_of_their_own():
    barrier = threading.Barrier(2)
    with Recorder() as recorder:
        graphs = [{name: Task(name, lambda: barrier.wait() and None)} for name in "xy"]
        threads = [threading.Thread(target=run, args=(g, *g)) for g in graphs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run(chain(), "z")
    joined = join_runs(recorder.runs, 0.0)
    assert sorted(joined.worker[:2].tolist()) == [0, 1]
    assert joined.worker[2:].tolist() == [0, 0, 0]
    assert joined.critical.tolist() == [0, 1, 2, 3, 4]
    assert len(joined.keys) == len(joined.start) == 5


def test_tasks_without_a_plan_are_grouped_by_label():
    keys = [(f"f-{k}", 0) for k in range(5)]
    with Recorder() as recorder:
        run({key: Task(key, int, label="f") for key in keys}, *keys)
    (result,) = plan_results(recorder.runs)
    assert (result.plan.name, result.plan.kind, result.tasks, result.failed) == ("f", "Task", 5, 0)


def test_no_runs():
    assert plan_results([]) == []
    assert join_runs([], 0.0).keys == []


def test_what_is_on_disk_is_not_in_memory():
    size = 100_000
    graph = {("x", k): Task(("x", k), np.ones, (), (size // 8,), nbytes=size) for k in range(6)}
    graph |= {("n", k): Task(("n", k), np.sum, (("x", k),), nbytes=8) for k in range(6)}
    graph["n"] = Task("n", lambda *n: sum(n), tuple(("n", k) for k in range(6)), nbytes=8)
    graph |= {("y", k): Task(("y", k), np.dot, (("x", k), "n"), nbytes=size) for k in range(6)}
    graph["z"] = Task("z", lambda *y: len(y), tuple(("y", k) for k in range(6)), nbytes=8)
    with Recorder() as recorder, config.set({"memory-limit": 7 * size}):
        run(graph, "n")
        run(graph, "z")
    whole, spilled = recorder.runs
    assert not whole.spilled and not whole.loaded
    assert spilled.spilled and spilled.loaded
    assert spilled.memory.alive.max() <= 7.5 * size
    assert spilled.memory.used[-1] == 0
