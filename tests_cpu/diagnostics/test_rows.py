import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.diagnostics.record import Recorder
from gpuscale.diagnostics.rows import FAILED, FINISHED, RETRIED
from gpuscale.engines.events import (
    Loaded,
    Released,
    RunFinished,
    RunStarted,
    Spilled,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TasksAdded,
    TaskStarted,
)
from gpuscale.graph.task import Task

STEPS = st.lists(
    st.tuples(st.sampled_from(["finish", "spill", "load", "release"]), st.integers(0, 4)),
    max_size=60,
)


@given(STEPS)
def test_what_is_in_memory_is_what_was_told(steps):
    recorder = Recorder()
    recorder(RunStarted(0, 0, 1, 1e9, 0.0, grows=True))
    memory, disk, expected = {}, {}, []
    for now, (what, k) in enumerate(steps, start=1):
        size = 10 * 2**k
        if what == "finish" and k not in memory and k not in disk:
            recorder(TasksAdded([Task(k, int)], now - 0.5))
            recorder(TaskFinished(k, "int", 0, now - 0.5, now, size))
            memory[k] = size
        elif what == "spill" and k in memory:
            recorder(Spilled(k, "int", 0, now - 0.5, now, size, size))
            disk[k] = memory.pop(k)
        elif what == "load" and k in disk:
            recorder(Loaded(k, "int", 0, now - 0.5, now, size, stays=True))
            memory[k] = disk.pop(k)
        elif what == "release":
            recorder(Released(k, now))
            memory.pop(k, None)
            disk.pop(k, None)
        expected.append(sum(memory.values()))
    recorder(RunFinished(0, 0, len(steps) + 1.0))
    (run,) = recorder.runs
    times = np.arange(1, len(steps) + 1)
    found = np.searchsorted(run.memory.time, times, side="right") - 1
    alive = [int(run.memory.alive[k]) if k >= 0 else 0 for k in found.tolist()]
    assert alive == expected
    assert run.memory.alive.size == 0 or run.memory.alive[-1] == 0


def test_attempts_tasks_that_come_later_and_keys_that_come_again():
    recorder, error = Recorder(), ValueError("no")
    recorder(RunStarted(1, 0, 2, 1e9, 0.0, [Task("x", int, label="first")], grows=True))
    recorder(TaskStarted("x", "first", 0, 1.0))
    recorder(TaskFailed("x", "first", 0, 1.0, 2.0, error))
    recorder(TaskRetried("x", "first", 0, 2.0, 1, 0.0, error))
    recorder(TaskFinished("x", "first", 0, 2.0, 3.0, 8))
    recorder(TasksAdded([Task("y", abs, ("x",), label="second")], 3.0))
    recorder(TaskFinished("y", "second", 1, 3.0, 5.0, 8))
    recorder(Released("x", 5.0))
    recorder(TasksAdded([Task("x", int, label="first")], 5.0))
    recorder(TaskFailed("x", "first", 0, 5.0, 6.0, error))
    recorder(RunFinished(2, 16, 7.0))
    (run,) = recorder.runs
    assert run.keys == ["x", "x", "y", "x"]
    assert run.outcome.tolist() == [RETRIED, FINISHED, FINISHED, FAILED]
    assert run.critical == [1, 2]
    assert run.n_tasks == 3
    assert {row: trouble.text for row, trouble in run.troubles.items()} == {
        0: "ValueError: no", 3: "ValueError: no",
    }  # fmt: skip
