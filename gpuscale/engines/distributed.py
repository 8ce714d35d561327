"""The distributed engine: tasks on the workers of a dask.distributed cluster."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.base import Engine, OnError
from gpuscale.engines.events import PERIOD, EventDesk, Listener
from gpuscale.engines.failure import Failure
from gpuscale.engines.remote import BLAMED, RemoteCall, perform
from gpuscale.expr.detached import dumps
from gpuscale.expr.physical import Source
from gpuscale.graph.task import Graph, Task, check_dependencies, toposort

__all__ = ["DistributedEngine"]


class DistributedEngine(Engine):
    name: ClassVar[str] = "distributed"

    def __init__(self, client: Any = None) -> None:
        if client is None:
            from distributed import default_client

            client = default_client()
        self.client = client

    def run(self, graph, keys, *, listeners=(), on_error="raise"):
        run = _Run(self.client, graph, keys)
        return run.results(on_error)


class _Run:
    def __init__(self, client, graph, keys):
        self.client, self.keys = client, keys
        self.mark = uuid.uuid4().hex[:8]
        self.programs = {}
        self.graph = graph
        check_dependencies(graph)
        from dask._task_spec import Task as DaskTask, TaskRef

        self.names = {}
        dsk = {}
        shipped = {}
        for key, task in graph.items():
            if _reads_here(task):
                shipped[key] = task.fn(*task.args)
        if shipped:
            futures = client.scatter(list(shipped.values()), hash=False)
            self.shipped = dict(zip(shipped, futures))
        else:
            self.shipped = {}
        for key, task in graph.items():
            if key in shipped:
                continue
            refs = [TaskRef(self.name(dep)) for dep in task.deps]
            call = RemoteCall(self.program(task), key, task.label, task.origin, task.options)
            new = self.name(key)
            dsk[new] = DaskTask(new, perform, call, len(refs), *refs, *task.args)
        self.dsk = dsk
        self.futures = client.get(dsk, [self.name(k) for k in keys], sync=False)

    def program(self, task):
        found = self.programs.get(id(task.fn))
        if found is None:
            found = self.programs[id(task.fn)] = dumps(task.fn)
        return found

    def name(self, key):
        if key in self.shipped:
            return self.shipped[key].key
        if isinstance(key, tuple):
            return (f"{key[0]}-{self.mark}", *key[1:])
        return f"{key}-{self.mark}"

    def results(self, on_error):
        return self.client.gather(self.futures)


def _reads_here(task):
    source = getattr(task.fn, "__self__", None)
    return isinstance(source, Source) and source.reader.may_change
