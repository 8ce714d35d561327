"""In which order tasks should run so that few results are alive at a time.

The order is depth first: a task runs soon after all it needs, the deepest of its dependencies
first. On top of that, whenever a task has run, every task that has become able to run and that
leaves no more bytes alive than before (it is the last to use its inputs, or together with its
siblings it is) runs at once. So of ``x - x.mean(axis=0)`` the second use of a column follows as
soon as the column's mean is known, and each block of ``x + x.T`` is met by its mirror image.
Each edge of the graph is looked at a bounded number of times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from gpuscale.base.types import Key
from gpuscale.graph.numbering import NumberedGraph, number
from gpuscale.graph.task import Task

__all__ = ["by_level", "depth_first", "order"]

# How many followers a task that grows its input may have before one of them shrinks it again.
_LOOK_AHEAD = 4


def order(graph: Mapping[Key, Task], keys: Sequence[Key]) -> dict[Key, int]:
    """Give each task that `keys` need its place in the order of execution.

    Parameters
    ----------
    graph : mapping of Key to Task
    keys : sequence of Key
        Requested results.

    Returns
    -------
    dict of Key to int
        Places 0, 1, 2, ...; a task's place comes after the places of all it needs.

    Examples
    --------
    >>> graph = {k: Task(k, int) for k in "abcd"}
    >>> graph["ab"] = Task("ab", max, ("a", "b"))
    >>> graph["cd"] = Task("cd", max, ("c", "d"))
    >>> graph["all"] = Task("all", max, ("ab", "cd"))
    >>> " ".join(order(graph, ["all"]))
    'a b ab c d cd all'
    """
    numbered = number(graph, keys)
    return {numbered.tasks[i].key: place for place, i in enumerate(depth_first(numbered))}


def depth_first(graph: NumberedGraph) -> list[int]:
    """List the tasks of a numbered graph in the order in which they should run.

    Tasks of larger priority, and what they need, come first.

    Examples
    --------
    >>> depth_first(number({"x": Task("x", int), "y": Task("y", abs, ("x",))}, ["y"]))
    [0, 1]
    """
    walk = _Walk(graph)
    deps, users, is_placed = graph.deps, graph.users, walk.is_placed
    for root in graph.kept:
        if deps[root] or users[root]:
            walk.run(root)
        elif not is_placed[root]:  # a task by itself, of which there may be very many
            is_placed[root] = 1
            walk.placed.append(root)
    if any(map(attrgetter("priority"), graph.tasks)):
        wishes = _inherited_priorities(graph)
        walk.placed.sort(key=lambda i: -wishes[i])  # stable, so still depth first within one
    return walk.placed


def by_level(graph: NumberedGraph) -> list[list[int]]:
    """List the tasks by how many results have to be there one after the other before them.

    Each level stands in the order of `depth_first`. Results of no bytes are no more than what their
    readers give, which follow them in the same level.

    Examples
    --------
    >>> tasks = {"x": Task("x", int, nbytes=8), "y": Task("y", abs, ("x",), nbytes=8)}
    >>> by_level(number(tasks, ["y"]))
    [[0], [1]]
    """
    heights, places = [0] * len(graph), [0] * len(graph)
    order = depth_first(graph)
    for place, i in enumerate(order):
        for dep in graph.deps[i]:
            heights[i] = max(heights[i], heights[dep] + bool(graph.tasks[dep].nbytes))
        whole = [places[dep] for dep in graph.deps[i] if not graph.tasks[dep].nbytes]
        places[i] = max(whole, default=place)
    levels: list[list[int]] = [[] for _ in range(max(heights, default=-1) + 1)]
    for i in sorted(order, key=places.__getitem__):
        levels[heights[i]].append(i)
    return levels


class _Walk:
    """Where a depth-first walk stands: which tasks are placed and which results are in use."""

    __slots__ = ("deps", "heights", "in_use", "is_placed", "placed", "sizes", "users", "waiting")

    def __init__(self, graph: NumberedGraph) -> None:
        self.deps = graph.deps
        self.users = graph.users
        # A size that nobody knows counts as one byte: results are then counted, not weighed.
        self.sizes = [task.nbytes or 1 for task in graph.tasks]
        self.heights = _heights(graph)
        self.waiting = list(map(len, graph.deps))
        self.in_use = graph.uses()
        self.is_placed = bytearray(len(graph))
        self.placed: list[int] = []

    def run(self, root: int) -> None:
        """Place one requested task, all it needs, and what had better follow at once."""
        deps, waiting, is_placed = self.deps, self.waiting, self.is_placed
        height = self.heights.__getitem__
        stack = [root]
        while stack:
            task = stack[-1]
            if is_placed[task]:
                stack.pop()
            elif waiting[task]:
                missing = [dep for dep in reversed(deps[task]) if not is_placed[dep]]
                if len(missing) > 1:
                    missing.sort(key=height)  # the deepest on top; of equals the first
                stack += missing
            else:
                stack.pop()
                stack += self._place(task)

    def _place(self, task: int) -> list[int]:
        """Place a task; list those that should follow at once, the last of them first."""
        waiting, in_use, users = self.waiting, self.in_use, self.users
        self.placed.append(task)
        self.is_placed[task] = 1
        ready = []
        for user in users[task]:
            left = waiting[user] = waiting[user] - 1
            if not left:
                ready.append(user)
        for dep in self.deps[task]:
            left = in_use[dep] = in_use[dep] - 1
            if left == 1:  # whoever is the last to use it would free it now
                for user in users[dep]:
                    if not self.is_placed[user]:
                        if not waiting[user]:
                            ready.append(user)
                        break
        return self._relieving(task, ready) if ready else ready

    def _relieving(self, task: int, ready: list[int]) -> list[int]:
        """Choose those of `ready` that leave no more bytes alive, the last to run first."""
        sizes, users = self.sizes, self.users[task]
        siblings: list[int] = []
        # Pieces of one result: each alone adds bytes, all of them together replace it.
        all_ready = 1 < len(users) == self.in_use[task] and ready[: len(users)] == users
        if all_ready and sum([sizes[user] for user in users]) <= sizes[task]:
            siblings = users
        rest = ready[len(siblings) :]
        return [user for user in reversed(rest) if self._relieves(user)] + siblings[::-1]

    def _relieves(self, task: int) -> bool:
        in_use, sizes, waiting, users = self.in_use, self.sizes, self.waiting, self.users
        freed = 0
        for dep in self.deps[task]:
            if in_use[dep] == 1:
                freed += sizes[dep]
        for _ in range(_LOOK_AHEAD):
            if sizes[task] <= freed:
                return True
            # A result that is larger than what it replaces is fine if its only use follows at
            # once and shrinks it, as in float32 -> float64 -> sum.
            if in_use[task] != 1 or len(users[task]) != 1 or waiting[users[task][0]] != 1:
                return False
            task = users[task][0]
        return False


def _heights(graph: NumberedGraph) -> list[int]:
    heights = [0] * len(graph)
    for i in graph.sorted:
        height = 0
        for dep in graph.deps[i]:
            if heights[dep] >= height:
                height = heights[dep] + 1
        heights[i] = height
    return heights


def _inherited_priorities(graph: NumberedGraph) -> list[int]:
    wishes = [task.priority for task in graph.tasks]
    for i in reversed(graph.sorted):
        for dep in graph.deps[i]:
            wishes[dep] = max(wishes[dep], wishes[i])
    return wishes
