"""A progress bar for computations that last."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from dataclasses import dataclass
from typing import Any, TextIO

from gpuscale.base import config
from gpuscale.base.sizes import format_bytes
from gpuscale.diagnostics.listening import Runs, Watcher, active_listeners
from gpuscale.diagnostics.logs import run_log
from gpuscale.engines.events import (
    PERIOD,
    Event,
    Listener,
    Progressed,
    RunFinished,
    RunStarted,
    Spilled,
)
from gpuscale.engines.pool import in_worker

__all__ = ["ProgressBar", "default_listeners", "is_watched", "open_bar"]

# Seconds that a run has to last before a bar shows up that nobody asked for.
AUTO_MINIMUM = 0.5


@dataclass(slots=True)
class _Shown:
    """The bar of one run; there is none before the run has lasted for long enough."""

    started: RunStarted
    bar: Any = None
    spilled: int = 0
    drawn: float = 0.0  # when


class ProgressBar(Watcher):
    """Show how many tasks of a computation are done, and how many bytes they made.

    What a client runs while the bar is on counts as one computation, whose tasks are those that
    had not ended before and those submitted since. Several that go on at the same time have a bar
    each; those inside of tasks have none.

    Parameters
    ----------
    minimum : float
        Seconds that a run has to last before its bar shows up.
    width : int, optional
        Characters of the bar; by default as many as the line has room for.
    dt : float
        Seconds from one drawing to the next, at least 0.1.
    out : text file, optional
        Where to draw; standard error by default, a widget in a notebook.

    Raises
    ------
    ValueError
        A number is too small.

    Examples
    --------
    >>> import io
    >>> from gpuscale.engines import get_engine
    >>> from gpuscale.graph.task import Task
    >>> with ProgressBar(out=io.StringIO()) as bar:
    ...     get_engine("sync").run({"x": Task("x", int)}, ["x"], listeners=default_listeners())
    [0]
    >>> "1/1" in bar.out.getvalue()
    True
    """

    wants = (RunStarted, Progressed, Spilled, RunFinished)

    def __init__(
        self,
        minimum: float = 0.0,
        width: int | None = None,
        dt: float = PERIOD,
        out: TextIO | None = None,
    ) -> None:
        if not minimum >= 0:
            raise ValueError(f"minimum is a number of seconds, not {minimum!r}")
        if not dt > 0:
            raise ValueError(f"dt is the time between two drawings in seconds, so not {dt!r}")
        if width is not None and (not isinstance(width, int) or width < 1):
            raise ValueError(f"width is a number of characters, not {width!r}")
        self.minimum, self.width, self.dt, self.out = minimum, width, dt, out
        self._runs: Runs[_Shown] = Runs()

    def __call__(self, event: Event) -> None:
        """Draw what an event says."""
        if isinstance(event, RunStarted):
            self._runs.open(_Shown(event))
        elif (run := self._runs.current) is None:
            return
        elif isinstance(event, Spilled):
            run.spilled += event.nbytes
        elif isinstance(event, Progressed | RunFinished):
            if run.bar is None and event.time - run.started.time >= self.minimum:
                run.bar = self._open(run.started)
            if run.bar is not None:
                self._draw(event, run)
            if isinstance(event, RunFinished):
                self._runs.close()
                if run.bar is not None:
                    run.bar.close()

    def _open(self, started: RunStarted) -> Any:
        if in_worker():
            return None
        bar = open_bar(started.n_tasks, self.out, self.width)
        bar.start_t -= time.perf_counter() - started.time  # what passed before the bar counts
        return bar

    def _draw(self, event: Progressed | RunFinished, run: _Shown) -> None:
        run.bar.n = event.n_finished
        if isinstance(event, Progressed):
            run.bar.total = event.n_tasks
            if event.time - run.drawn < self.dt:
                return
        said = []
        if run.started.nbytes and not run.started.grows:
            said.append(f"{format_bytes(event.nbytes)} of {format_bytes(run.started.nbytes)}")
        elif run.started.grows and event.nbytes:  # how much is to come, nobody knows
            said.append(format_bytes(event.nbytes))
        if run.spilled:
            said.append(f"{format_bytes(run.spilled)} spilled")
        run.bar.set_postfix_str(", ".join(said), refresh=False)
        run.bar.refresh()
        run.drawn = event.time


def open_bar(total: int, out: TextIO | None = None, width: int | None = None) -> Any:
    """Make a bar of tqdm's: on standard error, in a notebook as a widget."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm's, of notebooks without ipywidgets
        if out is None and _in_notebook():
            from tqdm.auto import tqdm

            form = None
        else:
            from tqdm import tqdm

            form = None if width is None else f"{{l_bar}}{{bar:{width}}}{{r_bar}}"
        quiet = type("Bar", (tqdm,), {"monitor_interval": 0})  # no thread of tqdm's own
        return quiet(total=total, unit=" tasks", file=out or sys.stderr, bar_format=form)


def default_listeners() -> list[Listener]:
    """List who watches a computation: what the user has put on, the log, and a bar if it helps.

    The option ``progress`` decides about the bar. "auto" shows it if standard error is a terminal
    or the program a notebook; in the main thread only, so a computation inside a task
    has none of its own.
    """
    listeners = active_listeners() + run_log()
    if any(isinstance(each, ProgressBar) for each in listeners):
        return listeners
    wish = config.get("progress")
    if wish == "auto":
        is_main = threading.current_thread() is threading.main_thread()
        wish = is_main and is_watched()
    return [*listeners, ProgressBar(minimum=AUTO_MINIMUM)] if wish else listeners


def is_watched() -> bool:
    """Say whether standard error is a terminal, or the program a notebook."""
    return (sys.stderr is not None and sys.stderr.isatty()) or _in_notebook()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
