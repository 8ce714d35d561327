import numpy as np
import pytest

from gpuscale.engines.events import TaskFailed, TaskFinished, TaskStarted
from gpuscale.engines.job import Job
from gpuscale.graph.task import Task


def fail(x):
    raise ValueError("no")


GRAPH = {
    "x": Task("x", np.ones, (), (4,), nbytes=1),
    "y": Task("y", np.sum, ("x",), label="sum"),
    "z": Task("z", fail, ("x",), label="fail"),
}


def make_job(*keys, listeners=()):
    job = Job(GRAPH, keys, listeners, budget=1000)
    return job, {task.key: i for i, task in enumerate(job.graph.tasks)}


def test_a_task_reports_what_its_result_holds():
    job, at = make_job("y")
    job.state.start()
    assert job.perform(at["x"], worker=0) == 32
    job.finish([(at["x"], 32)])
    assert (job.state.alive, job.state.processed) == ([32, 0], 32)
    job.state.start()
    job.finish([(at["y"], job.perform(at["y"], worker=0))])
    assert job.requested() == [4.0]
    assert job.state.alive == [8, 0]


def test_watched_tasks_post_events():
    events = []
    job, at = make_job("z", listeners=[events.append])
    job.perform(at["x"], worker=2)
    with pytest.raises(ValueError, match="no"):
        job.perform(at["z"], worker=2)
    job.desk.deliver()
    kinds = [type(event) for event in events]
    assert kinds == [TaskStarted, TaskFinished, TaskStarted, TaskFailed]
    assert {event.worker for event in events} == {2}
    assert events[1].nbytes == 32


def test_blame():
    job, at = make_job("z")
    job.perform(at["x"], worker=0)
    error, interrupt = ValueError(), KeyboardInterrupt()
    job.blame(error, at["z"])
    job.blame(interrupt, at["z"])
    assert "fail" in error.__notes__[0] and "(4,)" in error.__notes__[0]
    assert not hasattr(interrupt, "__notes__")
