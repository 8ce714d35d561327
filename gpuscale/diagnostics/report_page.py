"""What stands on the page of a report."""

from __future__ import annotations

import os
import platform
import traceback
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuscale.base.sizes import format_bytes
from gpuscale.base.version import FROM_SOURCE, own_version
from gpuscale.diagnostics.curve import Curve
from gpuscale.diagnostics.joined import Joined, PlanResult, join_runs, plan_results
from gpuscale.diagnostics.page import section, table
from gpuscale.diagnostics.plots import FAILURE, OTHER, RETRY, colours
from gpuscale.diagnostics.record import RunRecord
from gpuscale.diagnostics.report_figures import (
    memory_figure,
    operations_figure,
    path_figure,
    stream_figure,
    traffic_figure,
)
from gpuscale.diagnostics.rows import FAILED, FINISHED, RETRIED
from gpuscale.diagnostics.troubles import count_outcomes, troubled_tasks
from gpuscale.diagnostics.wording import duration, line_of, percent, short
from gpuscale.memory.projection import LIMITS
from gpuscale.memory.spaces import DEVICE, HOST

if TYPE_CHECKING:
    from gpuscale.diagnostics.report import Report

__all__ = ["parts"]

MOST_ROWS = 60  # of a table

# Tells whoever tests the page that all figures are drawn.
DRAWN = """<script>
(function look() {
  const open = window.Bokeh ? Bokeh.documents : [];
  if (open.length && open.every((each) => each.is_idle)) {
    document.body.dataset.figures = open.map((each) => each.roots().length).join("+");
  } else { setTimeout(look, 50); }
})();
</script>"""


def parts(report: Report) -> list[Any]:
    """List what stands on the page: texts and figures, in their order."""
    runs = report.runs
    joined = join_runs(runs, report.begin)
    results = plan_results(runs)
    head = [_summary(report, joined), _error(report)]
    if not len(joined.keys):
        return [*head, '<p class="note">No task ran while the report was on.</p>']
    seconds: dict[str, float] = defaultdict(float)
    spent = np.bincount(joined.group, weights=joined.seconds, minlength=len(joined.groups))
    for group, each in zip(joined.groups, spent.tolist(), strict=True):
        seconds[group.label] += each
    paint = colours(seconds)
    stream, note = stream_figure(joined, paint)
    budgets = [run.budget for run in runs]
    memory = memory_figure(joined.memory, runs, report.samples, report.begin, budgets)
    traffic = traffic_figure(joined, runs, report.samples, report.begin)
    path, path_note = path_figure(joined, paint)
    on_device = _on_device(joined, runs, report)
    for each in (memory, traffic, path, *on_device[1:]):
        each.x_range = stream.x_range  # they move together
    return [
        *head,
        section("Task stream", "A row for each worker. Point at a task to see what it is.", note),
        stream,
        _legend(paint, joined),
        *_troubles(runs),
        section("Memory", _memory_note(runs, joined.memory, HOST)),
        memory,
        *on_device,
        section("Bytes read and written", "In all since the beginning."),
        traffic,
        section("Critical path", path_note),
        path,
        _operations_table(joined, joined.critical),
        section("Time by operation", "Of all workers together."),
        operations_figure(seconds, paint),
        _operations_table(joined, np.arange(len(joined.keys))),
        section("Plan", "What was planned, and what came of it.", _plan_note(results)),
        _plan_table(results),
        DRAWN,
    ]


def _summary(report: Report, joined: Joined) -> str:
    runs = report.runs
    lasted = sum(run.end - run.begin for run in runs)
    room = sum((run.end - run.begin) * run.n_workers for run in runs)
    work = float(joined.seconds.sum())
    path = float(joined.seconds[joined.critical].sum())
    rows = [
        ("outcome", _outcome(report)),
        ("written", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S %z")),
        ("duration", f"{duration(report.end - report.begin)}, {duration(lasted)} of it in runs"),
        ("runs", _runs_note(runs)),
        ("tasks", count_outcomes(runs)),
        ("workers", _workers_note(runs)),
        ("work", f"{duration(work)} of tasks, {percent(work, room)} of what the workers could do"),
        ("critical path", f"{duration(path)}, {percent(path, lasted)} of the time in runs"),
        ("memory", _memory_note(runs, joined.memory, HOST)),
        ("results made", format_bytes(int(joined.nbytes.sum()))),
        ("results spilled", _spill_note(runs)),
        ("software", f"gpuscale {own_version() or FROM_SOURCE}, NumPy {np.__version__}, "
                     f"Python {platform.python_version()}"),
        ("machine", f"{platform.system()} {platform.machine()}, "
                    f"{len(os.sched_getaffinity(0))} cores"),
    ]  # fmt: skip
    return table(["", ""], rows, text=2)


def _what_failed(report: Report) -> BaseException | None:
    """Return what ended the block, or else the last run that failed."""
    return report.error or next((run.error for run in report.runs[::-1] if run.error), None)


def _outcome(report: Report) -> str:
    error = _what_failed(report)
    if error is None:
        wrong = any((run.outcome == FAILED).any() for run in report.runs)
        return "finished; tasks in it failed" if wrong else "finished"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"failed: {type(error).__name__}" if report.error else "finished; a run in it failed"


def _error(report: Report) -> str:
    error = _what_failed(report)
    if error is None:
        return ""
    lines = traceback.format_exception_only(error)
    return f'<pre class="error">{escape("".join(lines).rstrip())}</pre>'


def _runs_note(runs: Sequence[RunRecord]) -> str:
    clients = sum(run.grows for run in runs)
    return f"{len(runs):,}" + f", {clients:,} of them the work of a client" * bool(clients)


def _workers_note(runs: Sequence[RunRecord]) -> str:
    count = Counter(run.n_workers for run in runs)
    if len(count) < 2:
        return str(max(count, default=0))
    return ", ".join(f"{n:,} in {_times(count[n])}" for n in sorted(count))


def _on_device(joined: Joined, runs: Sequence[RunRecord], report: Report) -> list[Any]:
    """Show the memory of the device in the same way, if anything was there."""
    curve, budgets = joined.device_memory, [run.device_budget for run in runs]
    if not curve.used.any():
        return []
    drawn = memory_figure(curve, runs, (), report.begin, budgets)
    return [section("Memory of the device", _memory_note(runs, curve, DEVICE)), drawn]


def _memory_note(runs: Sequence[RunRecord], all_runs: Curve, space: int) -> str:
    """Say how much memory was in use, of which limit; runs may have different ones."""
    peaks: dict[float, list[int]] = defaultdict(list)
    for run in runs:
        curve, limit = ((run.memory, run.budget), (run.device_memory, run.device_budget))[space]
        peaks[limit].append(int(curve.used.max(initial=0)))
    highest = int(all_runs.used.max(initial=0))
    most = f"at most {format_bytes(highest)} held and reserved"
    if len(peaks) == 1 or not peaks:
        return f"{most}, {_of_limit(highest, next(iter(peaks), 0.0), space)}"
    parts = (
        f"{format_bytes(max(peaks[limit]))}, {_of_limit(max(peaks[limit]), limit, space)}, "
        f"in {_times(len(peaks[limit]))}"
        for limit in sorted(peaks)
    )
    return f"{most}: {'; '.join(parts)}"


def _of_limit(peak: int, limit: float, space: int) -> str:
    if not np.isfinite(limit):
        return "without a limit"
    return f"{percent(peak, limit)} of the {LIMITS[space]} of {format_bytes(limit)}"


def _times(count: int) -> str:
    return "one run" if count == 1 else f"{count:,} runs"


def _spill_note(runs: Sequence[RunRecord]) -> str:
    spilled = [each for run in runs for each in run.spilled]
    if not spilled:
        return "none"
    loaded = sum(each.nbytes for run in runs for each in run.loaded)
    return (
        f"{format_bytes(sum(each.nbytes for each in spilled))} in "
        f"{duration(sum(each.stop - each.start for each in spilled))}, "
        f"{format_bytes(sum(each.stored for each in spilled))} on disk; "
        f"{format_bytes(loaded)} read back whole, the rest in regions"
    )


def _troubles(runs: Sequence[RunRecord]) -> list[str]:
    """List what failed, if anything did."""
    tasks = troubled_tasks(runs)
    rows = [
        (
            task.label,
            short(str(task.key)),
            "finished" if task.finished else "failed",
            task.error,
            f"{task.attempts:,}",
            task.line,
        )
        for task in tasks[:MOST_ROWS]
    ]
    header = ["task", "key", "in the end", "exception", "attempts", "line"]
    title = section("Failures and retries", "Tasks of which an attempt failed.")
    return [title, table(header, rows, text=4) + _more(len(tasks))] if tasks else []


def _legend(paint: dict[str, str], joined: Joined) -> str:
    own = [(label, colour) for label, colour in paint.items() if colour != OTHER]
    if len(own) < len(paint):
        own.append((f"{len(paint) - len(own)} other operations", OTHER))
    if not np.isin(joined.outcome, (FINISHED, RETRIED)).all():
        own.append(("failed, or did not end", FAILURE))
    if (joined.outcome == RETRIED).any():
        own.append(("failed, and was tried again", RETRY))
    boxes = (
        f'<span style="white-space:nowrap"><span style="color:{colour}">&#9632;</span> '
        f"{escape(label)}</span>"
        for label, colour in own
    )
    return f"<p>{' &nbsp; '.join(boxes)}</p>"


def _operations_table(joined: Joined, tasks: np.ndarray) -> str:
    """Table of what some tasks did, by operation and line."""
    kinds: dict[tuple[str, str], int] = {}
    numbers = [
        kinds.setdefault((group.label, line_of(group.origin)), len(kinds))
        for group in joined.groups
    ]
    kind = np.array(numbers)[joined.group[tasks]]
    seconds = joined.seconds[tasks]
    count = np.bincount(kind, minlength=len(kinds))
    spent = np.bincount(kind, weights=seconds, minlength=len(kinds))
    nbytes = np.bincount(kind, weights=joined.nbytes[tasks], minlength=len(kinds))
    longest = np.zeros(len(kinds))
    np.maximum.at(longest, kind, seconds)
    order = [k for k in np.argsort(-spent, kind="stable").tolist() if count[k]]
    names = list(kinds)
    rows = [
        (
            names[k][0],
            f"{count[k]:,}",
            duration(spent[k]),
            percent(spent[k], float(spent.sum())),
            duration(spent[k] / count[k]),
            duration(longest[k]),
            format_bytes(int(nbytes[k])),
            names[k][1],
        )
        for k in order[:MOST_ROWS]
    ]
    header = ["operation", "tasks", "time", "share", "mean", "longest", "results", "line"]
    return table(header, rows) + _more(len(order))


def _plan_table(results: Sequence[PlanResult]) -> str:
    rows = []
    for each in results[:MOST_ROWS]:
        plan, planned = each.plan, each.plan.kind != "Task"
        rows.append(
            (
                plan.name,
                plan.kind,
                f"{plan.tasks:,}" if planned else "",
                f"{each.tasks - each.failed:,}",
                format_bytes(plan.read) if planned else "",
                format_bytes(plan.written) if planned else "",
                format_bytes(each.nbytes),
                format_bytes(plan.peak) if planned else "",
                duration(each.seconds),
                plan.line,
            )
        )
    header = [
        "operations", "node", "tasks planned", "done", "reads planned", "writes planned",
        "results held", "largest task planned", "time", "line",
    ]  # fmt: skip
    return table(header, rows, text=2) + _more(len(results))


def _plan_note(results: Sequence[PlanResult]) -> str:
    if any(each.plan.kind == "Sink" for each in results):
        return "Sinks write into files or into the arrays handed out and hold no results."
    return ""


def _more(count: int) -> str:
    rest = count - MOST_ROWS
    return f'<p class="note">and {rest:,} more</p>' if rest > 0 else ""
