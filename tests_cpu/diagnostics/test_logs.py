import logging
import subprocess
import sys

import pytest

import gpuscale.array as ga
from gpuscale.diagnostics.logs import run_log
from gpuscale.diagnostics.progress import default_listeners
from gpuscale.engines.sync import SyncEngine
from gpuscale.graph.task import Task


def messages(caplog):
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_nobody_listens_by_default():
    assert run_log() == []


def test_runs_are_told_at_info(caplog):
    caplog.set_level(logging.INFO, logger="gpuscale")
    ga.ones(4).sum().compute()
    (one, start), (other, end) = messages(caplog)
    assert one == other == "INFO"
    assert start.startswith("run of ") and "memory limit" in start
    assert end.startswith("run is over after ")


def test_tasks_are_told_at_debug_and_failures_as_warnings(caplog):
    caplog.set_level(logging.DEBUG, logger="gpuscale")
    graph = {"x": Task("x", int), "y": Task("y", lambda x: 1 // x, ("x",), label="inverse")}
    with pytest.raises(ZeroDivisionError):
        SyncEngine().run(graph, ["y"], listeners=default_listeners())
    levels, texts = zip(*messages(caplog), strict=True)
    assert levels == ("INFO", "DEBUG", "DEBUG", "DEBUG", "WARNING", "INFO")
    assert "failed at 'y' (inverse)" in texts[4]
    assert "ended with ZeroDivisionError" in texts[5]


def test_nothing_is_printed_unless_asked():
    script = (
        "import gpuscale.array as ga, logging\n"
        "ga.ones(3).sum().compute()\n"
        "logging.getLogger('gpuscale').warning('silent')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
