"""Graphs as plain dictionaries: like make, where each task is a short Python function."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Any

from gpuscale.graph.handle import add_tasks, new_key, same
from gpuscale.graph.lazy_values import handle_of
from gpuscale.graph.packing import PackedCall, Slot
from gpuscale.graph.task import Graph, GraphError, Task

__all__ = ["tasks_of", "wanted_keys"]

_CONSTANTS = frozenset({type(None), bool, complex, bytes})


def tasks_of(plain: Mapping[Any, Any]) -> Graph:
    """Make tasks of a dictionary.

    Parameters
    ----------
    plain : mapping
        Each value is a call ``(function, *arguments)``, another key, a list, tuple or set of
        these, or a constant. Arguments are keys, calls, futures, lists, tuples and sets of these,
        and constants, such as dictionaries. Keys are strings, numbers or tuples.

    Raises
    ------
    GraphError
        It is no mapping, or lists are nested deeper than Python's stack.

    Examples
    --------
    >>> tasks = tasks_of({"x": 1, "y": (max, "x", 2), "z": (sum, ["x", (min, "y", 3)])})
    >>> tasks["y"].deps, tasks["y"].fn(1)
    (('x',), 2)
    """
    if not isinstance(plain, Mapping):
        raise GraphError(f"a graph is a dictionary of keys and tasks, not {type(plain).__name__}")
    reader = _Reader(plain)
    reader.waiting.extend(plain.items())
    try:
        while reader.waiting:  # no recursion: calls may be nested deeper than Python's stack
            reader.add(*reader.waiting.popleft())
    except RecursionError:
        raise _endless("graph") from None
    return reader.graph


def wanted_keys(keys: Any, graph: Graph) -> list[Any]:
    """List the keys in a list and the lists inside of it, each once.

    Raises
    ------
    GraphError
        One is not in the graph, or nothing that can be a key; or lists are nested deeper than
        Python's stack.

    Examples
    --------
    >>> wanted_keys(["x", ["y", "x"]], tasks_of({"x": 1, "y": 2}))
    ['x', 'y']
    """
    wanted: dict[Any, None] = {}
    try:
        _want(keys, graph, wanted)
    except RecursionError:
        raise _endless("list of keys") from None
    return list(wanted)


def _want(key: Any, graph: Graph, wanted: dict[Any, None]) -> None:
    if isinstance(key, list):
        for each in key:
            _want(each, graph, wanted)
        return
    try:
        is_there = key in graph
    except TypeError:
        raise GraphError(
            f"{key!r} cannot be a key: keys are strings, numbers and tuples of these; ask for "
            "several by a list of keys"
        ) from None
    if not is_there:
        names = ", ".join(repr(each) for each in islice(graph, 5))
        more = ", ..." if len(graph) > 5 else ""
        raise GraphError(f"the requested key {key!r} is not in the graph; it has {names}{more}")
    wanted[key] = None


def _endless(what: str) -> GraphError:
    return GraphError(f"the {what} holds itself, or lists nested some hundreds deep: flatten it")


class _Reader:
    """The tasks made so far; calls inside of calls become tasks of their own."""

    def __init__(self, plain: Mapping[Any, Any]) -> None:
        self.plain = plain
        self.graph: Graph = {}
        self.waiting: deque[tuple[Any, Any]] = deque()

    def add(self, key: Any, value: Any) -> None:
        """Make the task of one key."""
        if _is_call(value):
            function, args = value[0], value[1:]
        else:
            function, args = same, (value,)
        label = str(key[0] if type(key) is tuple and key else key)
        count = 0
        while count < len(args) and self._is_key(args[count]):
            count += 1
        rest = args[count:]
        if all(type(each) in _CONSTANTS for each in rest):
            self.graph[key] = Task(key, function, args[:count], rest, label=label)
            return
        slots: dict[Any, Slot] = {}
        template = tuple([self._template(each, slots) for each in args])
        self.graph[key] = Task(key, PackedCall(function, template, {}), tuple(slots), label=label)

    def _template(self, value: Any, slots: dict[Any, Slot]) -> Any:
        if self._is_key(value):
            return slots.setdefault(value, Slot(len(slots)))
        if _is_call(value):
            key = new_key(getattr(value[0], "__name__", "call"))
            self.waiting.append((key, value))
            return slots.setdefault(key, Slot(len(slots)))
        if type(value) in (list, tuple, set):
            return type(value)([self._template(each, slots) for each in value])
        return self._lazy(value, slots)

    def _lazy(self, value: Any, slots: dict[Any, Slot]) -> Any:
        """Put a slot in the place of a delayed value or a future, with the tasks behind it."""
        handle = handle_of(value)
        if handle is None:
            return value
        for each in add_tasks(self.graph, [handle]):
            raise GraphError(
                f"a {type(each).__name__} is behind a delayed value in the graph; say "
                "gpuscale.compute for what needs arrays and tables"
            )
        return slots.setdefault(handle.key, Slot(len(slots)))

    def _is_key(self, value: Any) -> bool:
        if type(value) in _CONSTANTS or _is_call(value):
            return False
        try:
            return value in self.plain
        except TypeError:  # nothing that can be a key
            return False


def _is_call(value: Any) -> bool:
    return type(value) is tuple and bool(value) and callable(value[0])
