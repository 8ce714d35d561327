"""A progress bar for computations that last."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from typing import Any, TextIO

from gpuscale.base import config
from gpuscale.base.errors import format_bytes
from gpuscale.diagnostics.listening import Watcher, active_listeners
from gpuscale.diagnostics.logs import run_log
from gpuscale.engines.events import Event, Listener, Progressed, RunFinished, RunStarted, Spilled

__all__ = ["ProgressBar", "default_listeners"]

# Seconds that a run has to last before a bar shows up that nobody asked for.
AUTO_MINIMUM = 0.5


class ProgressBar(Watcher):
    """Show how many tasks of a computation are done, and how many bytes they made.

    Parameters
    ----------
    minimum : float
        Seconds that a run has to last before its bar shows up.
    out : text file, optional
        Where to draw; standard error by default, a widget in a notebook.

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

    def __init__(self, minimum: float = 0.0, out: TextIO | None = None) -> None:
        self.minimum = minimum
        self.out = out
        self._started: RunStarted | None = None
        self._bar: Any = None
        self._spilled = 0

    def __call__(self, event: Event) -> None:
        """Draw what an event says."""
        if isinstance(event, RunStarted):
            self._started, self._spilled = event, 0
        elif isinstance(event, Spilled):
            self._spilled += event.nbytes
        elif isinstance(event, Progressed | RunFinished) and self._started is not None:
            if self._bar is None and event.time - self._started.time >= self.minimum:
                self._bar = self._open(self._started)
            if self._bar is not None:
                self._draw(event, self._started)
            if isinstance(event, RunFinished):
                self._close()

    def _draw(self, event: Progressed | RunFinished, started: RunStarted) -> None:
        if started.nbytes:
            made = f"{format_bytes(event.nbytes)} of {format_bytes(started.nbytes)}"
            if self._spilled:
                made += f", {format_bytes(self._spilled)} spilled"
            self._bar.set_postfix_str(made, refresh=False)
        self._bar.n = event.n_finished
        self._bar.refresh()

    def _open(self, started: RunStarted) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm's, of notebooks without ipywidgets
            if self.out is None and _in_notebook():
                from tqdm.auto import tqdm
            else:
                from tqdm import tqdm
            quiet = type("Bar", (tqdm,), {"monitor_interval": 0})  # no thread of tqdm's own
            bar = quiet(total=started.n_tasks, unit=" tasks", file=self.out or sys.stderr)
        bar.start_t -= time.perf_counter() - started.time  # what passed before the bar counts
        return bar

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = self._started = None


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
        wish = is_main and (_is_terminal() or _in_notebook())
    return [*listeners, ProgressBar(minimum=AUTO_MINIMUM)] if wish else listeners


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
