"""Tasks that go to a worker of a cluster together, since each journey costs milliseconds.

An order of the tasks is cut into pieces. Each piece depends on earlier ones only, so there are no
circles. Depth first, the tasks of a subtree stand together, so a piece has few results that others
need; level by level, pieces of a level do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gpuscale.graph.numbering import NumberedGraph

__all__ = ["ALONE", "Batch", "Cuts", "batches"]


class Cuts(NamedTuple):
    """Where batches have to end around a task."""

    before: bool = False
    after: bool = False


_NOWHERE = Cuts()
#: Around a task that is a batch by itself.
ALONE = Cuts(before=True, after=True)


@dataclass(slots=True)
class Batch:
    """Tasks that run one after the other.

    Attributes
    ----------
    tasks : list of int
        Each comes after all it needs.
    results : list of int
        Those whose results are requested, or needed by other batches.
    """

    tasks: list[int] = field(default_factory=list)
    results: list[int] = field(default_factory=list)


def batches(
    graph: NumberedGraph,
    order: Sequence[int],
    most: int,
    room: int,
    cuts: Callable[[int], Cuts] = lambda i: _NOWHERE,
    holds: float = float("inf"),
) -> list[Batch]:
    """Cut the order of a graph into batches.

    Parameters
    ----------
    graph : NumberedGraph
    order : sequence of int
        All tasks, each after those that it needs.
    most : int
        Tasks of a batch; half as many again where it would end in the midst of a subtree, and any
        number where each task is all that the one before it is for.
    room : int
        Bytes that the results of a batch may take for others; more only where a single task has
        them, as they travel together.
    cuts : callable, optional
        Where batches have to end around a task.
    holds : float, optional
        Bytes that a batch may hold at once, of other batches and of itself; more only where a
        single task does.

    Returns
    -------
    list of Batch
        Each needs results of earlier ones only.

    Examples
    --------
    >>> from gpuscale.graph.numbering import number
    >>> from gpuscale.graph.order import depth_first
    >>> from gpuscale.graph.task import Task
    >>> tasks = {k: Task(k, int) for k in "abcd"}
    >>> tasks |= {"ab": Task("ab", max, ("a", "b")), "cd": Task("cd", max, ("c", "d"))}
    >>> graph = number(tasks, ["ab", "cd"])
    >>> for batch in batches(graph, depth_first(graph), 3, 1000):
    ...     print([graph.tasks[i].key for i in batch.tasks])
    ['a', 'b', 'ab']
    ['c', 'd', 'cd']
    """
    cutter = _Cutter(graph, most, room, holds)
    for i in order:
        cutter.take(i, cuts(i))
    cutter.cut()
    return cutter.batches


class _Cutter:
    """The batch that grows, and which of its results others wait for."""

    def __init__(self, graph: NumberedGraph, most: int, room: int, holds: float) -> None:
        self.batches: list[Batch] = []
        self._graph, self._most, self._room, self._holds = graph, most, room, holds
        self._uses = graph.uses()  # of each result that are still to come
        self._begin()

    def _begin(self) -> None:
        self._batch, self._open, self._bytes = Batch(), set[int](), 0
        self._own, self._read, self._read_bytes = set[int](), set[int](), 0

    def take(self, i: int, cuts: Cuts) -> None:
        """Add a task to the batch, or begin another one with it."""
        if cuts.before or self._is_full(i):
            self.cut()
        graph = self._graph
        outer = self._outer(i)
        self._read |= outer
        self._read_bytes += sum(graph.tasks[dep].nbytes for dep in outer)
        for dep in graph.deps[i]:
            self._uses[dep] -= 1
            if not self._uses[dep] and dep in self._open:
                self._open.remove(dep)
                self._bytes -= graph.tasks[dep].nbytes
        self._batch.tasks.append(i)
        self._own.add(i)
        if self._uses[i]:
            self._open.add(i)
            self._bytes += graph.tasks[i].nbytes
        if cuts.after:
            self.cut()

    def _is_full(self, i: int) -> bool:
        """Whether the batch should end before a task."""
        count, deps = len(self._batch.tasks), self._graph.deps[i]
        if count and self._bytes + self._read_bytes + self._adds(i) > self._holds:
            return True
        if self._open == set(deps):  # nothing else could run beside it
            return False
        tasks = self._graph.tasks
        ends = [dep for dep in self._open.intersection(deps) if self._uses[dep] == deps.count(dep)]
        if sum(tasks[dep].nbytes for dep in ends) > self._room:  # which then need not travel
            return False
        goes_on = not self._open.isdisjoint(deps)
        if self._bytes > self._room and not goes_on:
            return True
        return count >= self._most and (not goes_on or 2 * count >= 3 * self._most)

    def _outer(self, i: int) -> set[int]:
        """What a task reads of other batches that this one has not read so far."""
        return set(self._graph.deps[i]) - self._own - self._read

    def _adds(self, i: int) -> int:
        """Bytes that a task makes, and brings from other batches."""
        tasks = self._graph.tasks
        return tasks[i].nbytes + sum(tasks[dep].nbytes for dep in self._outer(i))

    def cut(self) -> None:
        """End the batch."""
        if self._batch.tasks:
            self.batches += self._apart(self._batch.tasks)
            self._begin()

    def _apart(self, tasks: list[int]) -> list[Batch]:
        """Cut a batch where nothing but its results goes on, if large and small ones were together.

        Who reads a small one, such as a sample of a block, would fetch the large ones with it.
        """
        nbytes = {i: self._graph.tasks[i].nbytes for i in tasks if i in self._open}
        found = [Batch()]
        for segment in self._segments(tasks):
            results = [i for i in segment if i in self._open]
            together = [nbytes[i] for i in (*found[-1].results, *results)]
            is_much = sum(together) > self._room and 2 * min(together) < max(together)
            if found[-1].results and results and is_much:
                found.append(Batch())
            found[-1].tasks += segment
            found[-1].results += results
        return found

    def _segments(self, tasks: list[int]) -> list[list[int]]:
        """Tasks of a batch, cut where no later one reads what is not a result."""
        last = {dep: place for place, i in enumerate(tasks) for dep in self._graph.deps[i]}
        found: list[list[int]] = [[]]
        end = 0
        for place, i in enumerate(tasks):
            if found[-1] and place > end:
                found.append([])
            found[-1].append(i)
            if i not in self._open:
                end = max(end, last.get(i, 0))
        return found
