"""Tasks that failed, or succeeded after they had: a row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gpuscale.base.types import Key
from gpuscale.diagnostics.record import RunRecord
from gpuscale.diagnostics.rows import FAILED, FINISHED, RETRIED
from gpuscale.diagnostics.wording import line_of

__all__ = ["TroubledTask", "count_outcomes", "troubled_tasks"]


class TroubledTask(NamedTuple):
    """One task of which an attempt failed."""

    label: str
    key: Key
    finished: bool  #: in the end
    attempts: int
    error: str  #: what the last attempt that failed raised
    line: str


def troubled_tasks(runs: Sequence[RunRecord]) -> list[TroubledTask]:
    """List the tasks of which attempts failed, those first that never succeeded."""
    found = [task for run in runs for task in _of_run(run)]
    return sorted(found, key=lambda task: task.finished)


def _of_run(run: RunRecord) -> list[TroubledTask]:
    failed = np.flatnonzero((run.outcome == FAILED) | (run.outcome == RETRIED)).tolist()
    rows: dict[Key, list[int]] = {}
    for row in failed:
        rows.setdefault(run.keys[row], []).append(row)
    finished = set()
    if rows:
        done = np.flatnonzero(run.outcome == FINISHED).tolist()
        finished = {run.keys[row] for row in done}.intersection(rows)
    tasks = []
    for key, own in rows.items():
        group = run.groups[run.group[own[-1]]]
        told = [run.troubles[row] for row in own if row in run.troubles]
        line = line_of(told[-1].origin or group.origin) if told else line_of(group.origin)
        attempts, text = len(own) + (key in finished), told[-1].text if told else ""
        tasks.append(TroubledTask(group.label, key, key in finished, attempts, text, line))
    return tasks


def count_outcomes(runs: Sequence[RunRecord]) -> str:
    """Say how many tasks there were, and what became of those that did not finish.

    Examples
    --------
    >>> count_outcomes([])
    '0'
    """
    finished, failed, unfinished, retried = (
        sum(int((run.outcome == outcome).sum()) for run in runs) for outcome in range(4)
    )
    ran = finished + failed + unfinished
    # A client may run what failed once more, under the same key.
    idle = sum(max(0, run.n_tasks - int((run.outcome != RETRIED).sum())) for run in runs)
    parts = [
        f"{ran:,}",
        f"{failed:,} of them failed" * bool(failed),
        f"{unfinished:,} of them did not end" * bool(unfinished),
        f"{idle:,} more did not run" * bool(idle),
        f"{retried:,} attempts failed and were repeated" * bool(retried),
    ]
    return ", ".join(filter(None, parts))
