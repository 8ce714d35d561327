"""A progress bar for computations that last."""

from __future__ import annotations

import os
import shutil
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

# Seconds between two drawings where each is a line that stays, as in a log.
LINE_PERIOD = 10.0


@dataclass(slots=True)
class _Shown:
    """The bar of one run; there is none before the run has lasted for long enough."""

    started: RunStarted
    bar: Any = None
    spilled: int = 0
    drawn: float = float("-inf")  # when


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
    dt : float, optional
        Seconds from one drawing to the next, at least 0.1; by default 0.1, and 10 where each
        drawing is a line of its own.
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
        dt: float | None = None,
        out: TextIO | None = None,
    ) -> None:
        if not minimum >= 0:
            raise ValueError(f"minimum is a number of seconds, not {minimum!r}")
        if dt is not None and not dt > 0:
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
        if in_worker() or (self.out is None and sys.stderr is None):
            return None
        bar = open_bar(started.n_tasks, self.out, self.width)
        bar.start_t -= time.perf_counter() - started.time  # what passed before the bar counts
        return bar

    def _draw(self, event: Progressed | RunFinished, run: _Shown) -> None:
        run.bar.n = event.n_finished
        if isinstance(event, Progressed):
            run.bar.total = event.n_tasks
            if event.time - run.drawn < (run.bar.period if self.dt is None else self.dt):
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
    """Make a bar: on standard error, in a notebook as a widget, on no terminal as lines."""
    form = None if width is None else f"{{l_bar}}{{bar:{width}}}{{r_bar}}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tqdm's, of notebooks without ipywidgets
        as_widget = out is None and _in_notebook()
        out = sys.stderr if out is None else out
        if as_widget:
            from tqdm.auto import tqdm
        else:
            from tqdm import tqdm

            if not _is_terminal(out):
                return _Lines(tqdm.format_meter, total, out, form)
        # No thread of tqdm's own.
        kind = type("Bar", (tqdm,), {"monitor_interval": 0, "period": PERIOD})
        if as_widget:
            return kind(total=total, unit=_UNIT)
        columns = _terminal_size(out).columns
        bar = kind(total=total, unit=_UNIT, file=out, bar_format=form, ncols=columns)
        bar.dynamic_ncols = lambda _: _terminal_size(out)  # it may be made wider
        return bar


_UNIT = " tasks"


class _Lines:
    """What a bar of tqdm's is where a line that was written stays: each drawing is a line."""

    period = LINE_PERIOD

    def __init__(self, meter: Any, total: int, out: TextIO, form: str | None) -> None:
        self.n, self.total, self.start_t = 0, total, time.time()
        self._meter, self._out, self._form, self._said = meter, out, form, ""
        self._ascii = not (getattr(out, "encoding", None) or "").lower().startswith("utf")

    def set_postfix_str(self, said: str, refresh: bool = False) -> None:
        """Say something at the end of the lines to come."""
        self._said = said

    def refresh(self) -> None:
        """Write a line."""
        elapsed = time.time() - self.start_t
        line = self._meter(
            self.n, self.total, elapsed, ascii=self._ascii, unit=_UNIT,
            postfix=self._said or None, bar_format=self._form,
        )  # fmt: skip
        self._out.write(f"{line}\n")
        self._out.flush()

    def close(self) -> None:
        """End; all lines are there."""


def _is_terminal(out: TextIO) -> bool:
    isatty = getattr(out, "isatty", None)
    return isatty is not None and isatty()


def _terminal_size(out: TextIO) -> os.terminal_size:
    """Columns and lines of a terminal, now; of one that does not know, 80 and 24."""
    try:
        there = os.get_terminal_size(out.fileno())
    except (AttributeError, OSError, ValueError):
        there = os.terminal_size((0, 0))
    return shutil.get_terminal_size((there.columns or 80, there.lines or 24))


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
    return (sys.stderr is not None and _is_terminal(sys.stderr)) or _in_notebook()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
