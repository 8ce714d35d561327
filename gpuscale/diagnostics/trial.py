"""Run a graph to see how it goes: results are let go as soon as they are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.base.types import Key
from gpuscale.diagnostics.plan import PlanRow
from gpuscale.diagnostics.progress import default_listeners
from gpuscale.diagnostics.record import Recorder, RunRecord
from gpuscale.engines.base import get_engine
from gpuscale.graph.task import Graph, Task
from gpuscale.memory.limits import limits_for
from gpuscale.memory.projection import check_fits

__all__ = ["DROP", "trial_run"]

#: Label of tasks that only let a result go, and first part of their keys.
DROP = "gpuscale-drop"


def trial_run(graph: Graph, keys: Sequence[Key], plan: Sequence[PlanRow] = ()) -> RunRecord:
    """Run a graph and return what happened, without the results.

    Parameters
    ----------
    graph : dict of Key to Task
    keys : sequence of Key
        What a computation would ask for.
    plan : sequence of PlanRow
        What is expected of it, for the record.

    Raises
    ------
    MemoryBudgetError
        If a task needs more than ``memory-limit``.

    Examples
    --------
    >>> record = trial_run({"x": Task("x", int, label="int")}, ["x"])
    >>> [group.label for group in record.groups]
    ['int', 'gpuscale-drop']
    """
    drops = [Task((DROP, k), _drop, (key,), label=DROP) for k, key in enumerate(keys)]
    whole = {**graph, **{task.key: task for task in drops}}
    check_fits(whole, limits_for(whole.values()))
    recorder = Recorder()
    recorder.take_plan(list(plan))
    wanted = [task.key for task in drops]
    get_engine().run(whole, wanted, listeners=[recorder, *default_listeners()])
    return recorder.runs[-1]


def _drop(result: Any) -> None:
    return None
