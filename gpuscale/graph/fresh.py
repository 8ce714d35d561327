"""Tasks under keys of their own, whose results nobody takes for those of a computation before."""

from __future__ import annotations

from collections.abc import Container
from copy import copy

from gpuscale.base.types import Key
from gpuscale.graph.handle import new_key
from gpuscale.graph.task import Graph

__all__ = ["with_new_keys"]


def with_new_keys(graph: Graph, spared: Container[Key]) -> tuple[Graph, dict[Key, Key]]:
    """Copy a graph under new keys.

    Parameters
    ----------
    graph : Graph
    spared : container of Key
        Tasks that keep their keys.

    Returns
    -------
    Graph
    dict of Key to Key
        Its keys by those of the graph given.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> x, whole = Task(("x", 0), int), Task("whole-x", abs, (("x", 0),))
    >>> tasks = [x, whole, Task("f", abs, ("whole-x",))]
    >>> copied, keys = with_new_keys({task.key: task for task in tasks}, {"f"})
    >>> len({*copied, *keys}), list(copied)[-1], copied["f"].deps == (keys["whole-x"],)
    (5, 'f', True)
    """
    mark = new_key("now")
    keys: dict[Key, Key] = {key: key if key in spared else _marked(key, mark) for key in graph}
    copies = {}
    for key, task in graph.items():
        made = copies[keys[key]] = copy(task)
        made.key, made.deps = keys[key], tuple([keys[dep] for dep in task.deps])
    return copies, keys


def _marked(key: Key, mark: str) -> Key:
    return (f"{key[0]}-{mark}", *key[1:]) if isinstance(key, tuple) else f"{key}-{mark}"
