"""Run a graph to see how it goes: results are let go as soon as they are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.base.types import Key
from gpuscale.diagnostics.progress import default_listeners
from gpuscale.diagnostics.record import Recorder, RunRecord
from gpuscale.engines.base import get_engine
from gpuscale.graph.task import Graph, Task
from gpuscale.memory.limits import memory_limit
from gpuscale.memory.projection import check_fits

__all__ = ["DROP", "trial_run"]

#: First part of the keys of tasks that only let a result go.
DROP = "gpuscale-drop"


def trial_run(graph: Graph, keys: Sequence[Key], engine: Any = None) -> RunRecord:
    """Run a graph and return what happened, without the results.

    Parameters
    ----------
    graph : dict of Key to Task
    keys : sequence of Key
        What a computation would ask for.
    engine : str or Engine, optional
        By default the option ``engine``.

    Raises
    ------
    MemoryBudgetError
        If a task needs more than ``memory-limit``.

    Examples
    --------
    >>> record = trial_run({"x": Task("x", int, label="int")}, ["x"])
    >>> [group.label for group in record.groups]
    ['int', 'drop']
    """
    drops = [Task((DROP, k), _drop, (key,), label="drop") for k, key in enumerate(keys)]
    whole = {**graph, **{task.key: task for task in drops}}
    check_fits(whole, memory_limit())
    recorder = Recorder()
    wanted = [task.key for task in drops]
    get_engine(engine).run(whole, wanted, listeners=[recorder, *default_listeners()])
    return recorder.runs[-1]


def _drop(result: Any) -> None:
    return None
