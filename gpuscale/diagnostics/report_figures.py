"""The figures of a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gpuscale.diagnostics.curve import MOST_POINTS, Curve
from gpuscale.diagnostics.joined import Joined
from gpuscale.diagnostics.plan import owner_of
from gpuscale.diagnostics.plots import (
    FAILURE,
    MOST_FAILURES,
    OTHER,
    RETRY,
    WIDTH,
    figure,
    step_lines,
    task_stream,
)
from gpuscale.diagnostics.record import RunRecord
from gpuscale.diagnostics.resources import Sample
from gpuscale.diagnostics.rows import FAILED, FINISHED, RETRIED, UNFINISHED
from gpuscale.diagnostics.stream import Bars, merge_short_tasks
from gpuscale.diagnostics.wording import duration, line_of, short

__all__ = [
    "memory_figure",
    "operations_figure",
    "path_figure",
    "stream_figure",
    "traffic_figure",
]

MOST_OPERATIONS = 20
MARKS = {FAILED: FAILURE, UNFINISHED: FAILURE, RETRIED: RETRY}
ALIVE, USED, PROCESS, LIMIT = "#0072b2", "#e69f00", "#9aa5b1", "#c0392b"


def stream_figure(joined: Joined, paint: Mapping[str, str]) -> tuple[Any, str]:
    """Draw who did what when; say what was merged."""
    wrong = np.flatnonzero(joined.outcome != FINISHED)[:MOST_FAILURES].tolist()
    bars = merge_short_tasks(joined.start, joined.stop, joined.worker, alone=wrong)
    outcome = joined.outcome[bars.task]
    marks = {bar: MARKS[outcome[bar]] for bar in np.flatnonzero(outcome != FINISHED).tolist()}
    names = joined.worker_names
    drawn = task_stream(bars, _tips(joined, bars), paint, marks, title="", names=names)
    merged = int(bars.count[bars.count > 1].sum())
    note = (
        f"To stay readable, {merged:,} of {len(joined.keys):,} tasks, those shorter than "
        f"{duration(bars.cell)}, are merged: neighbours on one worker share a rectangle in the "
        "colour of the longest of them."
    )
    return drawn, note if merged else ""


def path_figure(joined: Joined, paint: Mapping[str, str]) -> tuple[Any, str]:
    """Draw the chain of tasks that decides how long it takes at least."""
    rows = joined.critical
    start, stop = joined.start[rows], joined.stop[rows]
    bars = merge_short_tasks(start, stop, np.zeros(len(rows), dtype=np.int64))
    bars.task = rows[bars.task]
    drawn = task_stream(bars, _tips(joined, bars), paint, title="", height=110)
    drawn.yaxis.visible = False
    note = (
        f"Of each run, the chain of tasks that need each other and take longest: {len(rows):,} "
        f"tasks, {duration(float((stop - start).sum()))}. More workers cannot make it shorter; "
        "in gaps it waited."
    )
    return drawn, note


def _tips(joined: Joined, bars: Bars) -> dict[str, list[str]]:
    groups = [joined.groups[k] for k in joined.group[bars.task].tolist()]
    return {
        "operation": [group.label for group in groups],
        "key": [short(str(joined.keys[task])) for task in bars.task.tolist()],
        "line": [line_of(group.origin) for group in groups],
        "bytes": [f"{size:,}" for size in joined.nbytes[bars.task].tolist()],
        "outcome": [_outcome(joined, task) for task in bars.task.tolist()],
    }


def _outcome(joined: Joined, task: int) -> str:
    if task in joined.troubles:
        return joined.troubles[task].text
    names = {FINISHED: "finished", UNFINISHED: "did not end"}
    return names.get(int(joined.outcome[task]), "failed")


def memory_figure(
    curve: Curve,
    runs: Sequence[RunRecord],
    samples: Sequence[Sample],
    begin: float,
    budgets: Sequence[float],
) -> Any:
    """Draw what the scheduler holds and reserves, what the process takes, and each run's limit."""
    drawn = _bytes_figure()
    lines = {"results": curve.alive, "results and reserved": curve.used}
    paint = {"results": ALIVE, "results and reserved": USED}
    step_lines(drawn, curve.time, lines, paint)
    own = [(each.time - begin, each.memory) for each in samples if each.memory is not None]
    if own:
        time, memory = zip(*own, strict=True)
        drawn.line(list(time), list(memory), color=PROCESS, legend_label="process")
    highest = max([int(curve.used.max(initial=0)), *(memory for _, memory in own)])
    # Limits far above would press all else to the ground.
    limits = zip(runs, budgets, strict=True)
    limited = [(run, budget) for run, budget in limits if budget <= 3 * highest]
    if limited:
        drawn.line(
            *limit_steps(limited, begin),
            color=LIMIT,
            line_dash="dashed",
            legend_label="memory limit",
        )
        drawn.y_range.end = 1.05 * max(highest, *(budget for _, budget in limited))
    return _with_legend(drawn)


def limit_steps(
    runs: Sequence[tuple[RunRecord, float]], begin: float
) -> tuple[list[float], list[float]]:
    """Line of the memory limit: of each run for as long as it lasts, with gaps between runs.

    Of runs at the same time with different limits, each has a line of its own.
    """
    time: list[float] = []
    limit: list[float] = []
    for run, budget in sorted(runs, key=lambda each: (each[1], each[0].begin)):
        start, stop = run.begin - begin, run.end - begin
        if limit and limit[-2] == budget and start <= time[-2]:
            time[-2] = max(time[-2], stop)
        else:
            time += [start, stop, stop]
            limit += [budget, budget, float("nan")]
    return time, limit


def traffic_figure(
    joined: Joined, runs: Sequence[RunRecord], samples: Sequence[Sample], begin: float
) -> Any:
    """Draw bytes that tasks read and made, and those of the process from and to disk."""
    drawn = _bytes_figure()
    order = np.argsort(joined.stop, kind="stable")
    time = joined.stop[order]
    made = np.cumsum(joined.nbytes[order])
    read = np.cumsum(_reads(joined, runs)[order])
    some = np.unique(np.linspace(0, len(order) - 1, MOST_POINTS).astype(np.int64))
    time = np.concatenate([[0.0], time[some]])
    lines = {"read by tasks, as planned": read, "results made": made}
    padded = {name: np.concatenate([[0], values[some]]) for name, values in lines.items()}
    paint = {"read by tasks, as planned": ALIVE, "results made": "#009e73"}
    step_lines(drawn, time, padded, paint)
    spilled = sorted((each for run in runs for each in run.spilled), key=lambda each: each.stop)
    if spilled:
        when = np.array([0.0, *(each.stop - begin for each in spilled)])
        total = np.cumsum([0, *(each.nbytes for each in spilled)])
        step_lines(drawn, when, {"spilled": total}, {"spilled": LIMIT})
    first = samples[0] if samples else None
    if first is not None and first.disk_read is not None and first.disk_written is not None:
        when = np.array([each.time - begin for each in samples])
        for name, colour, values in (
            ("process from disk", PROCESS, [each.disk_read or 0 for each in samples]),
            ("process to disk", "#5d6d7e", [each.disk_written or 0 for each in samples]),
        ):
            drawn.line(when, np.array(values) - values[0], color=colour, legend_label=name)
    return _with_legend(drawn)


def _reads(joined: Joined, runs: Sequence[RunRecord]) -> np.ndarray:
    """Bytes that each task reads from outside, as its node's plan says."""
    each = np.zeros(len(joined.groups))
    rows = {row.key: row for run in runs for row in run.plan}
    for k, group in enumerate(joined.groups):
        if (key := owner_of(group.name, rows)) is not None:
            each[k] = rows[key].read / rows[key].tasks
    return each[joined.group]


def operations_figure(seconds: Mapping[str, float], paint: Mapping[str, str]) -> Any:
    """Draw a bar for each operation, the longest on top."""
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.plotting import figure as bokeh_figure

    top = sorted(seconds, key=lambda name: -seconds[name])[:MOST_OPERATIONS]
    names = [f"{k + 1}. {short(name)[:50]}" for k, name in enumerate(top)]
    drawn = bokeh_figure(
        y_range=names[::-1], width=WIDTH, height=60 + 24 * len(names), tools="save"
    )
    drawn.toolbar.logo = None
    drawn.xaxis.axis_label = "seconds"
    data = {
        "name": names,
        "full": top,
        "right": [seconds[name] for name in top],
        "took": [duration(seconds[name]) for name in top],
        "fill": [paint.get(name, OTHER) for name in top],
    }
    glyph = drawn.hbar(
        y="name", left=0, right="right", height=0.8, fill_color="fill", line_color=None,
        source=ColumnDataSource(data),
    )  # fmt: skip
    drawn.add_tools(HoverTool(renderers=[glyph], tooltips=[("operation", "@full"), ("", "@took")]))
    drawn.x_range.start = 0
    return drawn


def _bytes_figure() -> Any:
    from bokeh.models import AdaptiveTicker, CustomJSTickFormatter

    drawn = figure("", "bytes")
    drawn.y_range.start = 0
    drawn.yaxis.ticker = AdaptiveTicker(base=1024, mantissas=[2**k for k in range(10)])
    drawn.yaxis.formatter = CustomJSTickFormatter(
        code="""
        const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
        let value = tick, k = 0;
        while (Math.abs(value) >= 1024 && k < 5) { value /= 1024; k += 1; }
        return (+value.toFixed(1)) + " " + units[k];
        """
    )
    return drawn


def _with_legend(drawn: Any) -> Any:
    """Move the legend out of the way of the lines; a click on a name hides its line."""
    (legend,) = drawn.legend
    drawn.add_layout(legend, "above")
    legend.orientation = "horizontal"
    legend.click_policy = "hide"
    legend.border_line_color = None
    return drawn
