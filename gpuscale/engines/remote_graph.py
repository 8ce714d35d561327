"""Parcels as the scheduler of a cluster takes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from dask._expr import LLGExpr
from dask._task_spec import Task as RemoteTask
from dask._task_spec import TaskRef
from dask.tokenize import tokenize

from gpuscale.base.types import Key
from gpuscale.engines.remote import perform
from gpuscale.engines.reserving import MEMORY
from gpuscale.engines.sending import Parcel
from gpuscale.graph.shuffle import WaitForAll
from gpuscale.memory.remote import RemoteValue

__all__ = ["RemoteGraph", "graph_of"]


class RemoteGraph(LLGExpr):  # type: ignore[misc]
    """A dictionary of tasks, and what the scheduler has to know of some of them."""

    _parameters = ["dsk", "annotations"]  # noqa: RUF012 - as its class has them

    def __dask_tokenize__(self) -> str:
        # No other graph has these names; what tasks hold may have no name that can be told.
        self._determ_token = self._determ_token or tokenize(list(self.operand("dsk")))
        return self._determ_token

    def __dask_annotations__(self) -> dict[str, dict[Key, Any]]:
        annotations: dict[str, dict[Key, Any]] = self.operand("annotations")
        return annotations


def graph_of(parcels: Sequence[Parcel], data: Mapping[Key, Any]) -> RemoteGraph:
    """Write parcels down for the scheduler.

    Parameters
    ----------
    parcels : sequence of Parcel
    data : mapping
        For the names of parcels with data, the future that stands for these.
    """
    graph = {}
    annotations: dict[str, dict[Key, Any]] = defaultdict(dict)
    for parcel in parcels:
        needs: list[Any] = [_reference(each) for each in parcel.needs]
        if parcel.data:
            sent = data.get(parcel.name)
            whole = parcel.data if sent is None else TaskRef(sent.key)
            needs += [whole] * len(parcel.data)
        call = (parcel.name, perform, parcel.work, *needs)
        graph[parcel.name] = _task_of(call, parcel.waits)
        priority = max(task.priority for task in parcel.tasks)
        options = parcel.tasks[0].options  # tasks with options are alone
        if priority:
            annotations["priority"][parcel.name] = priority
        resources = {} if options is None else dict(options.resources)
        if parcel.memory:
            resources[MEMORY] = parcel.memory
        if resources:
            annotations["resources"][parcel.name] = resources
    return RemoteGraph(graph, dict(annotations))


def _task_of(call: tuple[Any, ...], waits: WaitForAll | None) -> RemoteTask:
    if waits is None:
        return RemoteTask(*call)
    from gpuscale.engines.remote_rechunk import barrier_of  # where dask.distributed can do it

    return barrier_of(call, waits)


def _reference(need: Any) -> TaskRef:
    return TaskRef(need.future.key if isinstance(need, RemoteValue) else need)
