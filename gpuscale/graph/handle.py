"""A lazy value that is the result of one task, and the tasks behind it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from gpuscale.base.errors import GraphError
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Key
from gpuscale.graph.task import Graph, Task
from gpuscale.memory.spilled import OnDisk

__all__ = ["Handle", "add_tasks", "kept", "new_key", "same", "whole_key"]


class Handle:
    """One task, and what its arguments come from.

    Nothing is checked here: there may be a million of them.

    Parameters
    ----------
    task : Task
    parents : tuple
        Handles, and collections whose whole value is an argument: the task's `deps` are the keys
        of the former and `whole_key` of the latter.
    """

    __slots__ = ("__weakref__", "_parents", "_task")

    _gives = "compute() gives"
    _stands_for: Handle | None = None  # another one whose value this one has as well

    def __init__(self, task: Task, parents: tuple[Any, ...] = ()) -> None:
        self._task = task
        self._parents = parents

    @property
    def key(self) -> Key:
        """Name of the result."""
        return self._task.key

    def __index__(self) -> NoReturn:
        raise self._is_no_number()

    def __float__(self) -> NoReturn:
        raise self._is_no_number()

    def _is_no_number(self) -> TypeError:
        name = type(self).__name__
        return TypeError(f"a {name} is no number before it is computed; {self._gives} its value")

    def _kept(self, value: Any) -> Handle:
        """Return a handle of the same key whose value is there already."""
        return Handle(Task(self.key, kept, (), (value,), label="kept"))

    def __gpuscale_tokenize__(self) -> Key:
        return self._task.key

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> str:
        return known[self._task.key]


def same(value: Any) -> Any:
    """Return what is given: the function of tasks that have their value."""
    return value


def kept(value: Any) -> Any:
    """Return what is given, read if it is on disk: the function of tasks that have been called."""
    return value.load() if isinstance(value, OnDisk) else value


_numbers = itertools.count()
_process = ""


def _begin_process() -> None:
    global _process
    _process = os.urandom(4).hex()


_begin_process()
os.register_at_fork(after_in_child=_begin_process)


def new_key(name: str) -> str:
    """Make a key that no other process makes either.

    Examples
    --------
    >>> new_key("add") == new_key("add")
    False
    """
    return f"{name}-{_process}-{next(_numbers)}"


def whole_key(collection: Any) -> str:
    """Key under which the whole value of a collection is an argument of tasks."""
    return f"whole-{collection.expr.task_prefix}"


def add_tasks(graph: Graph, handles: Iterable[Handle]) -> Iterator[Any]:
    """Add the tasks of handles and of all they need; yield the collections among these.

    A chain may be longer than Python's stack is deep.

    Raises
    ------
    GraphError
        Two different calls have the same key.
    """
    stack = list(handles)
    while stack:
        handle = stack.pop()
        if not isinstance(handle, Handle):
            yield handle
            continue
        task = handle._task
        known = graph.get(task.key)
        if known is None or (task.fn is kept and known.fn is not kept):
            graph[task.key] = task
            if task.deps:
                stack += handle._parents
        elif known is not task and handle._stands_for is None and kept not in (known.fn, task.fn):
            _check_same(known, task)


def _check_same(known: Task, task: Task) -> None:
    """Refuse a key of two calls; copies of one call are fine, as unpickling makes them."""
    meanings = {tokenize(each.fn, each.deps, each.args) for each in (known, task)}
    if len(meanings) > 1:
        raise GraphError(
            f"two different calls have the key {task.key!r}; give each a name of its own, or none"
        )
