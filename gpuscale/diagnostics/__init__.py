"""Diagnostics: those who watch what engines do, and pictures of plans.

============ ===============================================================================
`listening`  listeners that are on for a while
`progress`   a bar while a run lasts
`logs`       the same through `logging`
`callback`   functions of the user's, called as a run goes on
`profile`    what ran when, and which results were in memory for how long
`resources`  memory, processor time and disk traffic of the process
`record`     what happened in runs, in columns; `rows` gathers it while they last, `critical`,
             `curve`, `stream` and `troubles` (what failed) work it out
`report`     one page about all of it, `joined` for several runs: `report_page` says what stands on
             it, `report_figures` and `plots` draw, `page` writes it
`plan`       the plan as rows
`explain`    stages and plans as text; `wording` is how they say it
`analysis`   a plan and what came of it; `trial` runs it for that
`drawing`    the same as pictures, placed by `layered`, coloured by `colouring`
============ ===============================================================================

Engines send the events of `gpuscale.engines.events`; a listener is a callable that takes one, with
an attribute ``wants`` that names the events it needs.

May import: everything below. bokeh is imported where figures are drawn and nowhere else.

To add to it: one file for one thing to watch, with a context manager that puts it among the
listeners (`listening.Watcher`).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gpuscale.diagnostics.callback import Callback as Callback
    from gpuscale.diagnostics.plots import visualize as visualize
    from gpuscale.diagnostics.profile import CacheProfiler as CacheProfiler
    from gpuscale.diagnostics.profile import Profiler as Profiler
    from gpuscale.diagnostics.progress import ProgressBar as ProgressBar
    from gpuscale.diagnostics.resources import ResourceProfiler as ResourceProfiler

# Public name -> module that has it; loaded at first use.
_WHERE = {
    "CacheProfiler": "profile",
    "Callback": "callback",
    "Profiler": "profile",
    "ProgressBar": "progress",
    "ResourceProfiler": "resources",
    "visualize": "plots",
}

__all__ = [
    "CacheProfiler",
    "Callback",
    "Profiler",
    "ProgressBar",
    "ResourceProfiler",
    "visualize",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
