import io
import os
import sys
import threading
import types

import pytest

from gpuscale.base import config
from gpuscale.diagnostics import progress
from gpuscale.diagnostics.progress import AUTO_MINIMUM, ProgressBar, default_listeners
from gpuscale.engines.events import Progressed, RunFinished, RunStarted, Spilled
from gpuscale.engines.sync import SyncEngine
from gpuscale.graph.task import Task


class Terminal(io.StringIO):
    def isatty(self):
        return True


def tell(bar, *events):
    for event in events:
        bar(event)


STARTED = RunStarted(n_tasks=10, nbytes=10 << 20, n_workers=2, budget=1e9, time=100.0)


def halfway(time):
    return Progressed(n_finished=5, n_tasks=10, nbytes=5 << 20, alive=0, time=time)


def test_a_bar_counts_tasks_and_bytes():
    out = io.StringIO()
    bar = ProgressBar(out=out)
    tell(bar, STARTED, halfway(101.0))
    assert "5/10" in out.getvalue()
    tell(bar, RunFinished(10, 10 << 20, 102.0))
    last = out.getvalue().split("\r")[-1]
    assert "100%" in last and "10/10" in last and "10.0 MiB of 10.0 MiB" in last
    assert last.endswith("\n")


@pytest.mark.parametrize("columns", [50, 90, 160])
def test_a_bar_is_as_wide_as_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Terminal()
    bar = ProgressBar(out=out)
    tell(bar, STARTED, halfway(101.0))
    assert len(out.getvalue().split("\r")[-1]) == columns
    monkeypatch.setenv("COLUMNS", str(columns + 10))  # it was made wider
    tell(bar, RunFinished(10, 10 << 20, 102.0))
    assert len(out.getvalue().split("\r")[-1].rstrip("\n")) == columns + 10


def test_a_terminal_that_does_not_know_its_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((0, 0)))
    out = Terminal()
    monkeypatch.setattr(out, "fileno", lambda: 2)
    tell(ProgressBar(out=out), STARTED, halfway(101.0), RunFinished(10, 0, 102.0))
    assert "10/10" in out.getvalue()
    assert max(len(line.rstrip("\n")) for line in out.getvalue().split("\r")) == 80


def test_the_width_that_was_asked_for_does_not_leave_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = Terminal()
    tell(ProgressBar(width=12, out=out), STARTED, halfway(101.0), RunFinished(10, 0, 102.0))
    assert "|######      |" in out.getvalue()
    out = Terminal()
    tell(ProgressBar(width=200, out=out), STARTED, halfway(101.0), RunFinished(10, 0, 102.0))
    assert max(len(line.rstrip("\n")) for line in out.getvalue().split("\r")) == 80


def test_a_log_gets_lines_and_few_of_them():
    out = io.StringIO()
    every = [halfway(100.0 + k / 10) for k in range(1, 601)]  # a minute
    tell(ProgressBar(out=out), STARTED, *every, RunFinished(10, 10 << 20, 160.1))
    assert "\r" not in out.getvalue()
    lines = out.getvalue().splitlines()
    assert len(lines) == 7
    assert all("5/10" in line for line in lines[:-1])
    assert "10/10" in lines[-1]
    assert out.getvalue().endswith("\n")


def test_a_short_run_shows_nothing():
    out = io.StringIO()
    tell(ProgressBar(minimum=0.5, out=out), STARTED, halfway(100.4), RunFinished(10, 0, 100.45))
    assert out.getvalue() == ""


def test_a_bar_appears_when_the_run_lasts():
    out = io.StringIO()
    bar = ProgressBar(minimum=0.5, out=out)
    tell(bar, STARTED, halfway(100.4))
    assert out.getvalue() == ""
    tell(bar, halfway(100.6))
    assert "5/10" in out.getvalue()
    tell(bar, RunFinished(10, 0, 101.0))


def test_an_error_closes_the_bar_where_it_stands():
    out = io.StringIO()
    bar = ProgressBar(out=out)
    graph = {i: Task(i, lambda i: 1 // (3 - i), (), (i,)) for i in range(10)}
    for _ in range(2):  # and the bar is good for another run
        out.seek(0)
        out.truncate()
        with pytest.raises(ZeroDivisionError):
            SyncEngine().run(graph, list(graph), listeners=[bar])
        assert "3/10" in out.getvalue()
        assert out.getvalue().endswith("\n")


def test_results_of_unknown_size_are_not_counted_in_bytes():
    out = io.StringIO()
    with ProgressBar(out=out):
        SyncEngine().run({"x": Task("x", int)}, ["x"], listeners=default_listeners())
    assert "1/1" in out.getvalue()
    assert " of " not in out.getvalue()


def test_arguments_of_dask(monkeypatch):
    out = io.StringIO()
    bar = ProgressBar(0.5, 12, 0.2, out)
    assert (bar.minimum, bar.width, bar.dt, bar.out) == (0.5, 12, 0.2, out)
    tell(bar, STARTED, halfway(101.0))
    assert "|######      |" in out.getvalue()
    before = out.getvalue()
    tell(bar, halfway(101.1))
    assert out.getvalue() == before  # not yet
    tell(bar, halfway(101.3))
    assert out.getvalue() != before
    tell(bar, RunFinished(10, 10 << 20, 101.35))
    assert "10/10" in out.getvalue()


@pytest.mark.parametrize(
    "wrong", [{"minimum": -1}, {"dt": 0}, {"width": 0}, {"width": 2.5}, {"minimum": float("nan")}]
)
def test_arguments_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match="not"):
        ProgressBar(**wrong)


def test_a_bar_says_what_was_spilled():
    out = io.StringIO()
    spilled = Spilled("x", "ones", 0, 0.5, 1.0, 2 << 20, 1 << 20)
    tell(ProgressBar(out=out), STARTED, spilled, halfway(101.0), RunFinished(10, 100, 102.0))
    assert ", 2.0 MiB spilled" in out.getvalue()


def test_a_bar_asks_for_no_events_of_tasks():
    assert set(ProgressBar.wants) == {RunStarted, Progressed, Spilled, RunFinished}


def kinds():
    return [type(listener) for listener in default_listeners()]


def test_the_option_decides(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert kinds() == []
    with config.set(progress=True):
        assert kinds() == [ProgressBar]
    monkeypatch.setattr(sys, "stderr", Terminal())
    (bar,) = default_listeners()
    assert bar.minimum == AUTO_MINIMUM
    with config.set(progress=False):
        assert kinds() == []


def test_one_bar_is_enough(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with ProgressBar() as mine:
        assert default_listeners() == [mine]
    assert kinds() == [ProgressBar]


def test_a_computation_in_another_thread_has_no_bar_of_its_own(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    found = []
    thread = threading.Thread(target=lambda: found.extend(default_listeners()))
    thread.start()
    thread.join()
    assert found == []


def test_no_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert kinds() == []
    tell(ProgressBar(), STARTED, halfway(101.0), RunFinished(10, 0, 102.0))


def test_notebooks(monkeypatch):
    class ZMQInteractiveShell:
        pass

    ipython = types.SimpleNamespace(get_ipython=ZMQInteractiveShell)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert kinds() == [ProgressBar]
    ipython.get_ipython = lambda: None
    assert not progress._in_notebook()
