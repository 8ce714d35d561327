"""One page about everything that ran: ``with gpuscale.report("run.html"): ...``."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from gpuscale.base.interrupts import held_back
from gpuscale.base.types import PathLike
from gpuscale.diagnostics.page import check_bokeh, write_page
from gpuscale.diagnostics.record import Recorder
from gpuscale.diagnostics.resources import Sample, Sampler

__all__ = ["Report", "performance_report", "report"]

DT = 0.1  # seconds from one look at the process to the next


class Report(Recorder):
    """A recorder that writes a page when it is switched off; made by `report`.

    Parameters
    ----------
    path : str or path
    title : str
    """

    def __init__(self, path: PathLike, title: str) -> None:
        super().__init__()
        check_bokeh("gpuscale.report")
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"path is a file for the report, as a string or path, not {path!r}")
        self.path = Path(path)
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"there is no folder {self.path.parent} for the report")
        if self.path.is_dir():
            raise IsADirectoryError(f"{self.path} is a folder; name a file for the report")
        self.title = title
        self.samples: list[Sample] = []
        self.begin = self.end = 0.0
        self.error: BaseException | None = None
        self._sampler = Sampler(self._take, DT)

    def _take(self, sample: Sample) -> None:
        self.samples.append(sample)
        if len(self.samples) > 20_000:  # half an hour; then every other will do
            del self.samples[1:-1:2]

    def register(self) -> None:
        """Record from now on."""
        self.runs.clear()
        self.samples.clear()
        self.error = None
        self.begin = time.perf_counter()
        self._sampler.start()
        super().register()

    def unregister(self) -> None:
        """Stop recording, and write the page; a Ctrl-C meanwhile waits until it is there."""
        with held_back():
            super().unregister()
            self._sampler.stop()
            self.end = time.perf_counter()
            self.close(self.end, self.error)
            from gpuscale.diagnostics.report_page import parts

            write_page(self.path, self.title, parts(self))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.error = error
        try:
            self.unregister()
        except Exception as wrong:
            if error is None:
                raise
            with suppress(Exception):  # which takes no notes
                error.add_note(f"the report {self.path} could not be written: {wrong!r}")
        finally:
            self.error = None  # its traceback holds the frames of whoever uses this


def report(path: PathLike = "report.html", *, title: str = "gpuscale report") -> Report:
    """Write one page about everything that is computed inside a block.

    The page shows what each worker did when, memory against the budget, bytes read and written,
    the critical path, time by operation, and the plan with what came of it. It stands
    alone: no server, nothing to load. It is written when the block ends, also by an error or
    Ctrl-C, and is complete or not there. A Ctrl-C while it is written waits until it is there; a
    second one does not.

    Parameters
    ----------
    path : str or path
        The page, replaced if it exists.
    title : str

    Returns
    -------
    Report
        A context manager; ``register()`` and ``unregister()`` do the same without a block.

    Raises
    ------
    ModuleNotFoundError
        If bokeh is not installed: it comes with the extra ``report``.
    FileNotFoundError
        If the folder of the page does not exist. Both are told before anything is computed.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> with report("report.html"):  # doctest: +SKIP
    ...     total = ga.random.random((5000, 5000)).sum().compute()
    """
    return Report(path, title)


def performance_report(
    filename: PathLike = "report.html", stacklevel: int = 1, **options: Any
) -> Report:
    """Return `report` of a file, under the name that it has in dask.distributed.

    Parameters
    ----------
    filename : str or path
    stacklevel, **options
        Mean nothing here.

    Examples
    --------
    >>> performance_report("/tmp/page.html").path.name
    'page.html'
    """
    return report(filename)
