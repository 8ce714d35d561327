"""A graph with numbers instead of keys, which is what orders and schedulers work on."""

from __future__ import annotations

import gc
from collections.abc import Container, Generator, Mapping, Sequence
from dataclasses import dataclass

from gpuscale.base.blocks import block
from gpuscale.base.types import Key
from gpuscale.graph.task import GraphError, Task, check_dependencies, toposort

__all__ = ["NumberedGraph", "no_collection", "number"]


@dataclass(slots=True)
class NumberedGraph:
    """The part of a graph that some keys need; tasks are known by numbers 0, 1, 2, ...

    A dependency that a task lists twice appears twice in `deps` and in `users`, so counts of
    uses agree between both.

    Attributes
    ----------
    tasks : list of Task
    deps : list of tuple of int
        Per task, the tasks whose results are its first arguments, in the order of arguments.
    users : list of list of int
        Per task, the tasks that take its result.
    sorted : sequence of int
        All numbers, each after those of all that the task needs.
    kept : list of int
        The requested tasks, in the order of the request.
    """

    tasks: list[Task]
    deps: list[tuple[int, ...]]
    users: list[list[int]]
    sorted: Sequence[int]
    kept: list[int]

    def __len__(self) -> int:
        return len(self.tasks)

    def uses(self) -> list[int]:
        """Count per task the uses of its result; a request counts as a use that never ends."""
        uses = list(map(len, self.users))
        for kept in set(self.kept):
            uses[kept] += 1
        return uses


def number(
    graph: Mapping[Key, Task], keys: Sequence[Key], known: Container[Key] = ()
) -> NumberedGraph:
    """Give numbers to the tasks that `keys` need.

    Parameters
    ----------
    graph : mapping of Key to Task
    keys : sequence of Key
        Requested results; repetitions are fine.
    known : container of Key
        Tasks that are somewhere else; those that need them do not list them.

    Raises
    ------
    GraphError
        A key or a dependency is missing, or tasks need each other in a circle.

    Examples
    --------
    >>> graph = {"x": Task("x", int), "y": Task("y", abs, ("x",)), "z": Task("z", int)}
    >>> numbered = number(graph, ["y"])
    >>> numbered.deps, numbered.users, numbered.kept
    ([(), (0,)], [[1], []], [1])
    """
    for key in keys:
        if key not in graph:
            raise GraphError(f"the requested key {key!r} is not in the graph")
    with no_collection():
        numbered = _number_all(graph, keys, known)
        needed = _needed(numbered)
        if 0 in needed:
            wanted = {key: task for (key, task), n in zip(graph.items(), needed, strict=True) if n}
            numbered = _number_all(wanted, keys, known)
    return numbered


def _number_all(
    graph: Mapping[Key, Task], keys: Sequence[Key], known: Container[Key]
) -> NumberedGraph:
    tasks = list(graph.values())
    index = dict(zip(graph, range(len(graph)), strict=True))
    get = index.__getitem__
    try:
        deps = [tuple(map(get, task.deps)) if task.deps else () for task in tasks]
    except KeyError:
        check_dependencies(graph, known)
        deps = [tuple([index[d] for d in task.deps if d in index]) for task in tasks]
    users: list[list[int]] = [[] for _ in tasks]
    for i, needs in enumerate(deps):
        for dep in needs:
            users[dep].append(i)
    return NumberedGraph(tasks, deps, users, _sort(graph, deps, users), list(map(get, keys)))


def _sort(
    graph: Mapping[Key, Task], deps: list[tuple[int, ...]], users: list[list[int]]
) -> Sequence[int]:
    if all(not needs or max(needs) < i for i, needs in enumerate(deps)):
        return range(len(deps))
    waiting = list(map(len, deps))
    numbers = [i for i, needs in enumerate(deps) if not needs]
    for i in numbers:
        for user in users[i]:
            waiting[user] -= 1
            if not waiting[user]:
                numbers.append(user)
    if len(numbers) < len(deps):
        toposort(graph)  # raises, and shows the circle
    return numbers


def _needed(graph: NumberedGraph) -> bytearray:
    needed = bytearray(len(graph))
    for i in graph.kept:
        needed[i] = 1
    for i in reversed(graph.sorted):
        if needed[i]:
            for dep in graph.deps[i]:
                needed[dep] = 1
    return needed


@block
def no_collection() -> Generator[None, None, None]:
    """Suspend the cyclic collector while very many objects are made."""
    # Hundreds of thousands of new lists make the cyclic collector walk all of them again and
    # again, which takes longer than the work; none of them is garbage.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
