"""Figures of what ran, drawn with bokeh."""

from __future__ import annotations

import webbrowser
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gpuscale.base.types import PathLike
from gpuscale.diagnostics.listening import Timed
from gpuscale.diagnostics.page import check_bokeh, section, write_page
from gpuscale.diagnostics.profile import (
    CacheData,
    CacheProfiler,
    FailureData,
    Profiler,
    TaskData,
)
from gpuscale.diagnostics.resources import ResourceData, ResourceProfiler
from gpuscale.diagnostics.stream import Bars, merge_short_tasks
from gpuscale.diagnostics.wording import duration, short

__all__ = [
    "FAILURE",
    "MOST_FAILURES",
    "OTHER",
    "RETRY",
    "WIDTH",
    "colours",
    "figure",
    "step_lines",
    "task_stream",
    "visualize",
]

WIDTH = 1120
# Okabe and Ito's, which people with any vision tell apart, and shades between them.
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7b5ea7",
    "#4d7f4d", "#a65628", "#5f9ea0", "#b05080", "#6b7a8f", "#c09050", "#3f51b5", "#88a050",
)  # fmt: skip
OTHER = "#9aa5b1"
FAILURE, RETRY = "#c0392b", "#f1948a"
MOST_FAILURES = 500  # that have a bar of their own among many tasks

# What says when the first of a profiler's results began, if it was not on for a block.
_BEGINS = {TaskData: "start_time", CacheData: "cache_time", ResourceData: "time"}


def visualize(
    profilers: Timed | Sequence[Timed],
    filename: PathLike = "profile.html",
    show: bool = True,
    save: bool = True,
    **options: Any,
) -> Any:
    """Draw what profilers recorded, below each other on one axis of time.

    Parameters
    ----------
    profilers : profiler, or sequence of profilers
    filename : str or path
        Page to write; it stands alone.
    show : bool
        Open the page in a browser.
    save : bool
        Write the page. Without it, the figure is only returned.
    **options
        Of bokeh's figures, such as ``height=200``.

    Returns
    -------
    bokeh.models.LayoutDOM
        A figure, or a column of them.

    Raises
    ------
    ModuleNotFoundError
        If bokeh is not installed: it comes with the extra ``report``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> from gpuscale.diagnostics import Profiler, ResourceProfiler
    >>> with Profiler() as prof, ResourceProfiler(dt=0.1) as rprof:
    ...     total = ga.ones(1000, chunks=100).sum().compute()
    >>> visualize([prof, rprof], "profile.html", show=False)  # doctest: +SKIP
    Column(...)
    """
    check_bokeh("visualize")
    from bokeh.layouts import column

    listed = [profilers] if isinstance(profilers, Timed) else list(profilers)
    if not listed:
        raise ValueError("there is no profiler to draw")
    begin = min(map(_begin, listed))
    figures = [_draw(each, begin, options) for each in listed]
    for each in figures[1:]:
        each.x_range = figures[0].x_range
    drawn = figures[0] if len(figures) == 1 else column(*figures)
    if save or show:
        write_page(filename, "Profile", [section(""), drawn])
    if show:
        webbrowser.open(Path(filename).resolve().as_uri())
    return drawn


def _begin(profiler: Timed) -> float:
    if profiler.start_time is not None:
        return profiler.start_time
    if not profiler.results:
        return 0.0
    first: Any = profiler.results[0]
    began: float = getattr(first, _BEGINS[type(first)])
    return began


def _draw(profiler: Timed, begin: float, options: Mapping[str, Any]) -> Any:
    if isinstance(profiler, ResourceProfiler):
        return _resources(profiler.results, begin, options)
    if isinstance(profiler, CacheProfiler):
        return _cache(profiler.results, profiler.metric_name, begin, options)
    assert isinstance(profiler, Profiler)
    return _tasks(profiler.results, profiler.failures, begin, options)


def _tasks(
    finished: Sequence[TaskData],
    failures: Sequence[FailureData],
    begin: float,
    options: Mapping[str, Any],
) -> Any:
    results: list[TaskData | FailureData] = [*finished, *failures]
    start = np.array([each.start_time for each in results]) - begin
    stop = np.array([each.end_time for each in results]) - begin
    worker = np.array([each.worker_id for each in results], dtype=int)
    first = len(finished)
    bars = merge_short_tasks(start, stop, worker, alone=range(len(results))[first:][:MOST_FAILURES])
    labels = [_label(each) for each in results]
    tips = {"operation": [labels[task] for task in bars.task]}
    tips["key"] = [str(results[task].key) for task in bars.task]
    marks = {}
    for bar, task in enumerate(bars.task.tolist()):
        if task >= first:
            marks[bar] = RETRY if failures[task - first].is_retried else FAILURE
    said = ["finished"] * first + [each.error for each in failures]
    tips["outcome"] = [said[task] for task in bars.task]
    seconds: Counter[str] = Counter()
    for label, one in zip(labels, stop - start, strict=True):
        seconds[label] += one
    return task_stream(bars, tips, colours(seconds), marks, **options)


def _label(data: TaskData | FailureData | CacheData) -> str:
    key, task = data.key, data.task
    return (task.label if task else "") or str(key[0] if isinstance(key, tuple) else key)


def _resources(results: Sequence[ResourceData], begin: float, options: Mapping[str, Any]) -> Any:
    from bokeh.models import LinearAxis, Range1d

    time = [each.time - begin for each in results]
    drawn = figure("Memory and processor", "memory (MB)", **options)
    drawn.line(time, [each.mem for each in results], color=PALETTE[0], legend_label="memory")
    most = max((each.cpu for each in results), default=0.0)
    drawn.extra_y_ranges = {"cpu": Range1d(0, max(100.0, 1.1 * most))}
    drawn.add_layout(LinearAxis(y_range_name="cpu", axis_label="processor (% of a core)"), "right")
    cpu = [each.cpu for each in results]
    drawn.line(time, cpu, color=PALETTE[1], y_range_name="cpu", legend_label="processor")
    return drawn


def _cache(
    results: Sequence[CacheData], metric_name: str, begin: float, options: Mapping[str, Any]
) -> Any:
    drawn = figure("Results in memory", metric_name, **options)
    total: Counter[str] = Counter()
    for each in results:
        total[_label(each)] += each.metric
    for label, colour in colours(total).items():
        own = [each for each in results if _label(each) == label]
        time = np.array([t - begin for e in own for t in (e.cache_time, e.free_time)])
        change = np.array([m for e in own for m in (e.metric, -e.metric)])
        order = np.argsort(time, kind="stable")
        step_lines(drawn, time[order], {label: np.cumsum(change[order])}, {label: colour})
    return drawn


def colours(weights: Mapping[str, float]) -> dict[str, str]:
    """Give each name a colour; the heaviest get one of their own, heaviest first.

    Examples
    --------
    >>> colours({"add": 1.0, "mean": 2.0})
    {'mean': '#0072b2', 'add': '#e69f00'}
    """
    names = sorted(weights, key=lambda name: (-weights[name], name))
    return {name: PALETTE[k] if k < len(PALETTE) else OTHER for k, name in enumerate(names)}


def figure(title: str, y_label: str, **options: Any) -> Any:
    """Empty figure with seconds across."""
    from bokeh.plotting import figure as bokeh_figure

    given = {
        "width": WIDTH,
        "height": 260,
        "tools": "xpan,xwheel_zoom,xbox_zoom,reset,save",
        "active_drag": "xpan",
        "min_border_left": 80,  # figures below each other are in line
    }
    drawn = bokeh_figure(title=title, **(given | options))
    drawn.toolbar.logo = None
    drawn.xaxis.axis_label = "seconds"
    drawn.yaxis.axis_label = y_label
    return drawn


def step_lines(
    drawn: Any, time: np.ndarray, lines: Mapping[str, np.ndarray], paint: Mapping[str, str]
) -> None:
    """Add lines that stay level until the next time."""
    for name, values in lines.items():
        drawn.step(time, values, mode="after", color=paint[name], line_width=1.5, legend_label=name)


def task_stream(
    bars: Bars,
    tips: Mapping[str, Sequence[str]],
    paint: Mapping[str, str],
    marks: Mapping[int, str] | None = None,
    title: str = "Task stream",
    names: Mapping[int, str] | None = None,
    **options: Any,
) -> Any:
    """Rectangles over time, a row for each worker.

    Parameters
    ----------
    bars : Bars
    tips : mapping of str to sequence of str
        What the pointer shows of each bar; "operation" decides about its colour.
    paint : mapping of str to str
        Colour of each operation.
    marks : mapping of int to str, optional
        Bars of another colour, such as those of tasks that failed.
    title : str
    names : mapping of int to str, optional
        Of workers; by default their numbers.
    """
    from bokeh.models import ColumnDataSource, HoverTool

    workers = int(bars.worker.max()) + 1 if len(bars.worker) else 1
    fill = [paint.get(name, OTHER) for name in tips["operation"]]
    for bar, colour in (marks or {}).items():
        fill[bar] = colour
    data = {
        "left": bars.left,
        "right": bars.right,
        "worker": bars.worker,
        "count": bars.count,
        "took": [duration(s) for s in bars.seconds],
        "fill": fill,
        **{name: list(values) for name, values in tips.items()},
    }
    drawn = figure(title, "worker", **({"height": 120 + 34 * min(workers, 16)} | options))
    drawn.yaxis.ticker = list(range(workers))
    drawn.yaxis.major_label_overrides = {k: short(name, 30) for k, name in (names or {}).items()}
    drawn.y_range.start, drawn.y_range.end = -0.6, workers - 0.4
    glyph = drawn.hbar(
        y="worker", left="left", right="right", height=0.8, source=ColumnDataSource(data),
        fill_color="fill", line_color="white", line_width=0.5,
    )  # fmt: skip
    shown = [(name, f"@{{{name}}}") for name in tips]
    shown += [("tasks", "@count"), ("took", "@took"), ("from", "@left{0.000} s")]
    drawn.add_tools(HoverTool(renderers=[glyph], tooltips=shown))
    return drawn
