import pytest

import gpuscale as gs
from gpuscale.diagnostics.record import Recorder
from gpuscale.diagnostics.troubles import count_outcomes, troubled_tasks


def flaky(k, failed):
    if k not in failed:
        failed.add(k)
        raise ValueError(f"not yet {k}")
    return k


def wrong():
    raise KeyError("never")


def test_what_failed_and_what_was_tried_again():
    failed = set()
    with gs.annotate(retries=2, backoff=0.0):
        good = [gs.delayed(flaky, traverse=False)(k, failed) for k in range(2)]
        bad = gs.delayed(wrong)()
    with Recorder() as recorder:
        results = gs.compute(good, bad + 1, gs.delayed(wrong)(), on_error="continue")
    assert results[0] == [0, 1]
    tasks = troubled_tasks(recorder.runs)
    assert [(t.label, t.finished, t.attempts) for t in tasks[:2]] == [
        ("wrong", False, 3), ("wrong", False, 1),
    ]  # fmt: skip
    assert [(t.label, t.finished, t.attempts) for t in tasks[2:]] == [("flaky", True, 2)] * 2
    assert {t.error for t in tasks[2:]} == {"ValueError: not yet 0", "ValueError: not yet 1"}
    assert tasks[0].error == "KeyError: 'never'"
    assert all(t.line.startswith("test_troubles.py:") for t in tasks)
    assert count_outcomes(recorder.runs) == (
        "4, 2 of them failed, 1 more did not run, 4 attempts failed and were repeated"
    )


def test_timeouts_are_failures():
    import time

    with gs.annotate(timeout=0.01):
        slow = gs.delayed(time.sleep)(0.2)
    with Recorder() as recorder, pytest.raises(TimeoutError):
        slow.compute()
    (task,) = troubled_tasks(recorder.runs)
    assert task.error.startswith("TaskTimeoutError: task")


def test_nothing_failed():
    with Recorder() as recorder:
        gs.delayed(int)("1").compute()
    assert troubled_tasks(recorder.runs) == []
    assert count_outcomes(recorder.runs) == "1"


def test_of_very_many_failures_only_some_texts_are_kept():
    calls = [gs.delayed(wrong)() for _ in range(1500)]
    with Recorder() as recorder:
        gs.compute(calls, on_error="continue")
    assert len(recorder.runs[0].troubles) == 1000
    tasks = troubled_tasks(recorder.runs)
    assert len(tasks) == 1500
    assert {task.line.split(":")[0] for task in tasks} == {"test_troubles.py"}
