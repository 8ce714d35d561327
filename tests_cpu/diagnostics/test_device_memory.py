"""What plans, reports and logs say of the memory of a device."""

import gc
import logging

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.backends.creation import namespace
from gpuscale.base import config
from gpuscale.diagnostics.record import Recorder
from gpuscale.engines.events import (
    Loaded,
    Released,
    RunFinished,
    RunStarted,
    Spilled,
    TaskFinished,
)
from gpuscale.graph.task import Task
from gpuscale.memory.spaces import DEVICE, HOST
from gpuscale.testing import fake_device

SIZE = 512 << 10


@pytest.fixture
def x(request):
    gc.collect()
    if request.config.getoption("--backend") == "fake":  # active for the whole run
        namespace("fake")
        yield lazy()
        return
    with fake_device.active():
        yield lazy()


def lazy():
    data = ga.asarray(np.random.default_rng(3).random((1024, 1024)), chunks=256, like="fake")
    return data.T - data.mean(axis=0)


def test_a_plan_says_what_it_needs_on_the_device(x):
    with config.set({"device-memory-limit": "2 MiB"}):
        said = x.max(axis=1).explain()
        assert "; on the device " in said and ", device memory limit 2.0 MiB; the rest" in said
        assert "on the device" not in ga.ones(5, like="numpy").sum().explain()
        said = x.max(axis=1).explain(analyze=True)
    assert "peak on the device" in said and "device memory limit 2.0 MiB" in said


def test_records_keep_the_spaces_apart(x):
    with config.set({"device-memory-limit": "2 MiB", "num-workers": 2}), Recorder() as recorder:
        x.max(axis=1).compute()
    (run,) = recorder.runs
    assert run.device_budget == 2 << 20
    assert 0 < run.device_memory.used.max() <= 2 << 20
    assert run.memory.alive.max() >= SIZE, "what was spilled is on the host"
    for curve in (run.memory, run.device_memory):
        assert curve.alive.min() >= 0 and curve.used[-1] == 0


def test_bytes_wander_from_the_device_to_the_host_and_to_disk():
    recorder, task = Recorder(), Task("x", int, nbytes=8, space=DEVICE)
    events = [
        RunStarted(1, 8, 1, 100.0, 0.0, [task], ["x"], True, 50.0),
        TaskFinished("x", "", 0, 1.0, 2.0, 8, None, DEVICE),
        Spilled("x", "", 0, 3.0, 4.0, 8, 0, DEVICE),
        Spilled("x", "", 0, 5.0, 6.0, 8, 9, HOST),
        Loaded("x", "", 0, 7.0, 8.0, 8, True, DEVICE),
        Spilled("x", "", 0, 9.0, 10.0, 8, 0, DEVICE),
        Released("x", 11.0),
        RunFinished(1, 8, 12.0),
    ]
    for event in events:
        recorder(event)
    (run,) = recorder.runs
    steps = {2: (0, 8), 4: (8, 0), 6: (0, 0), 8: (0, 8), 10: (8, 0), 11: (0, 0)}
    for time, expected in steps.items():
        found = []
        for curve in (run.memory, run.device_memory):
            found.append(int(curve.alive[np.searchsorted(curve.time, time, side="right") - 1]))
        assert tuple(found) == expected, time


def test_a_report_shows_the_device_beside_the_host(x, tmp_path):
    pytest.importorskip("bokeh", reason="reports are drawn by bokeh")
    with config.set({"device-memory-limit": "2 MiB"}), gpuscale.report(tmp_path / "page.html"):
        x.max(axis=1).compute()
    text = (tmp_path / "page.html").read_text()
    assert "Memory of the device" in text and "of the device memory limit of 2.0 MiB" in text
    with gpuscale.report(tmp_path / "host.html"):
        ga.ones(5, like="numpy").sum().compute()
    assert "Memory of the device" not in (tmp_path / "host.html").read_text()


def test_the_log_names_both_limits_and_where_results_went(x, caplog):
    caplog.set_level(logging.DEBUG, logger="gpuscale.run")
    with config.set({"device-memory-limit": "2 MiB"}):
        x.max(axis=1).compute()
    assert any(", device memory limit 2.0 MiB" in text for text in caplog.messages)
    assert any(text.endswith("to the host") for text in caplog.messages)
