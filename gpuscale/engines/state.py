"""The state of a run: which task may start next, and which results are no longer needed.

Pure: no threads, no clock, no data. A driver reports what happened (`State.finish`,
`State.fail`, `State.cancel`, `State.withdraw`) and asks what to do (`State.start`); it gets back
numbers of tasks to start and numbers of results to drop. The same machine runs the sync engine,
the threads engine and the simulator in the tests.

Memory is reserved before a task starts. Let *alive* be the bytes of results that are held and
*reserved* those that running tasks may need for their results and their workspace. A task starts
only when what it needs fits beside them into the budget. When the task whose turn it is does not
fit, only tasks that leave no more bytes alive may overtake it, so sources wait until there is room
again. If neither is possible and nothing runs, the task whose turn it is starts in any case: a run
always makes progress, and only ever a single running task exceeds the budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from heapq import heappop, heappush

from gpuscale.base.errors import GpuscaleError
from gpuscale.graph.numbering import NumberedGraph

__all__ = ["TRANSITIONS", "IllegalTransition", "State", "Status"]

# A task of a batch that is not the batch's first needs at most this many bytes, so that no
# reservation of size is held by a task that waits for others of its batch.
SMALL = 1 << 16

# How many tasks may be looked at to find one that frees memory; bounds the work per event.
_LOOK_BEYOND = 16


class Status(IntEnum):
    """What is known of a task."""

    WAITING = 0  #: something it needs has not finished
    READY = 1  #: may start as soon as there is room
    RUNNING = 2  #: given to a worker, its bytes are reserved
    HELD = 3  #: finished, its result is in memory
    RELEASED = 4  #: finished, its result is dropped
    FAILED = 5  #: raised an exception
    CANCELLED = 6  #: will not run


_WAITING, _READY, _RUNNING, _HELD, _RELEASED, _FAILED, _CANCELLED = map(int, Status)

#: Every legal move of a task, with its cause.
TRANSITIONS: dict[tuple[Status, Status], str] = {
    (Status.WAITING, Status.READY): "the last of what it needs finished",
    (Status.READY, Status.RUNNING): "a worker took it",
    (Status.RUNNING, Status.HELD): "it finished",
    (Status.RUNNING, Status.RELEASED): "it finished after the run was cancelled",
    (Status.RUNNING, Status.FAILED): "it raised",
    (Status.RUNNING, Status.CANCELLED): "its worker gave it back before it began",
    (Status.HELD, Status.RELEASED): "its last use finished, or the run was cancelled",
    (Status.WAITING, Status.CANCELLED): "the run was cancelled",
    (Status.READY, Status.CANCELLED): "the run was cancelled",
}


class IllegalTransition(GpuscaleError, RuntimeError):
    """An event that cannot happen to a task as it stands: a defect of the engine."""


class State:
    """The state of one run of one graph.

    Parameters
    ----------
    graph : NumberedGraph
    order : sequence of int
        All tasks in the order in which they should run (`gpuscale.graph.order.depth_first`).
    budget : float
        Bytes that results and running tasks may take together; infinite by default. May be
        changed between events.

    Attributes
    ----------
    alive : int
        Bytes of results that are held.
    reserved : int
        Bytes that running tasks may need, results included.
    running : int
        Number of running tasks.
    n_ready : int
        Number of tasks that wait for nothing but their turn and room in memory.
    unfinished : int
        Number of tasks that have neither finished nor failed nor been cancelled.

    Examples
    --------
    >>> from gpuscale.graph.numbering import number
    >>> from gpuscale.graph.task import Task
    >>> graph = number({"x": Task("x", int), "y": Task("y", abs, ("x",))}, ["y"])
    >>> state = State(graph, [0, 1])
    >>> state.start(), state.start()
    ([0], [])
    >>> state.finish(0, nbytes=8), state.start()
    ([], [1])
    >>> state.finish(1, nbytes=8), state.done
    ([0], True)
    """

    def __init__(
        self, graph: NumberedGraph, order: Sequence[int], budget: float = float("inf")
    ) -> None:
        self.budget = budget
        self.alive = self.reserved = self.running = 0
        self.unfinished = len(graph)
        self.cancelled = False
        self._graph = graph
        self._deps = graph.deps
        self._users = graph.users
        self._order = order
        self._place = [0] * len(graph)
        for place, task in enumerate(order):
            self._place[task] = place
        self._needs = [task.nbytes + task.workspace for task in graph.tasks]
        self._waiting = list(map(len, graph.deps))
        self._in_use = graph.uses()
        self._nbytes = [task.nbytes for task in graph.tasks]  # measured, once finished
        self._status = bytearray(len(graph))
        self._ready = [place for place, task in enumerate(order) if not graph.deps[task]]
        self.n_ready = len(self._ready)
        for place in self._ready:
            self._status[order[place]] = _READY

    @property
    def done(self) -> bool:
        """Whether nothing runs and nothing is left to run."""
        return not self.running and not self.unfinished

    def status(self, task: int) -> Status:
        """Say what is known of a task."""
        return Status(self._status[task])

    # events

    def finish(self, task: int, nbytes: int) -> list[int]:
        """Take note that a task returned a result that keeps `nbytes` bytes alive.

        Returns
        -------
        list of int
            Tasks whose results are no longer needed; the driver drops them now.
        """
        if self._status[task] != _RUNNING:
            raise self._illegal(task, "finished")
        self.running -= 1
        self.unfinished -= 1
        self.reserved -= self._needs[task]
        if self.cancelled:
            self._status[task] = _RELEASED
            return [task]
        self._status[task] = _HELD
        self._nbytes[task] = nbytes
        self.alive += nbytes
        waiting, place = self._waiting, self._place
        for user in self._users[task]:
            left = waiting[user] = waiting[user] - 1
            if not left:
                self._status[user] = _READY
                self.n_ready += 1
                heappush(self._ready, place[user])
        released = []
        in_use = self._in_use
        for dep in self._deps[task]:
            left = in_use[dep] = in_use[dep] - 1
            if not left:
                self._status[dep] = _RELEASED
                self.alive -= self._nbytes[dep]
                released.append(dep)
        return released

    def fail(self, task: int) -> list[int]:
        """Take note that a task raised; cancels the run.

        Returns
        -------
        list of int
            Tasks whose results are no longer needed.
        """
        if self._status[task] != _RUNNING:
            raise self._illegal(task, "failed")
        self._status[task] = _FAILED
        self._unreserve(task)
        return self.cancel()

    def withdraw(self, task: int) -> None:
        """Take note that a worker of a cancelled run gave a task back before it began."""
        if self._status[task] != _RUNNING or not self.cancelled:
            raise self._illegal(task, "was withdrawn")
        self._status[task] = _CANCELLED
        self._unreserve(task)

    def cancel(self) -> list[int]:
        """Start nothing any more and hold nothing; running tasks may still report.

        Returns
        -------
        list of int
            Tasks whose results are no longer needed.
        """
        self.cancelled = True
        self._ready.clear()
        self.n_ready = self.alive = 0
        released = []
        for task, status in enumerate(self._status):
            if status == _HELD:
                self._status[task] = _RELEASED
                released.append(task)
            elif status in (_WAITING, _READY):
                self._status[task] = _CANCELLED
                self.unfinished -= 1
        return released

    # instructions

    def start(self, most: int = 1) -> list[int]:
        """Choose tasks for a worker that has nothing to do, in the order to run them.

        Parameters
        ----------
        most : int
            Upper bound of the number of tasks. Beyond the first come only tasks that need few
            bytes: a batch saves the cost of one event per task where tasks are tiny.

        Returns
        -------
        list of int
            Empty if nothing is ready or there is no room until a running task has finished.
        """
        chosen: list[int] = []
        while len(chosen) < most:
            task = self._choose()
            if task is None:
                break
            need = self._needs[task]
            if chosen and need > SMALL:
                break
            self._status[task] = _RUNNING
            self.running += 1
            self.n_ready -= 1
            self.reserved += need
            chosen.append(task)
        return chosen

    def can_start(self) -> bool:
        """Say whether another worker would get a task."""
        return self._choose() is not None

    def _choose(self) -> int | None:
        """Find the task to start next; it stays in the heap until it comes up as running."""
        ready, order, status = self._ready, self._order, self._status
        while ready:
            task = order[ready[0]]
            if status[task] == _READY:
                break
            heappop(ready)
        else:
            return None
        room = self.budget - self.alive - self.reserved
        if self._needs[task] <= room:
            return task
        # The first entries of the heap's list are among the earliest, though not exactly they.
        for place in sorted(ready[:_LOOK_BEYOND]):
            other = order[place]
            if status[other] == _READY and self._needs[other] <= room and self._relieves(other):
                return other
        return None if self.running else task

    def _relieves(self, task: int) -> bool:
        """Say whether no more bytes are alive after a task than before it."""
        freed = 0
        for dep in self._deps[task]:
            if self._in_use[dep] == 1:
                freed += self._nbytes[dep]
        return self._nbytes[task] <= freed

    def _unreserve(self, task: int) -> None:
        self.running -= 1
        self.unfinished -= 1
        self.reserved -= self._needs[task]

    def _illegal(self, task: int, event: str) -> IllegalTransition:
        status = self.status(task)
        moves = [f"{to.name} ({why})" for (at, to), why in TRANSITIONS.items() if at == status]
        return IllegalTransition(
            f"task {self._graph.tasks[task].key!r} {event} while it was {status.name}, "
            f"from where it can only become {' or '.join(moves) or 'nothing else'}; "
            f"it waits for {self._waiting[task]} results, its own is needed "
            f"{self._in_use[task]} times more"
        )

    # checks

    def validate(self) -> None:
        """Recompute everything that events keep up to date, and compare (for tests).

        Raises
        ------
        AssertionError
            What events kept differs from what the tasks' statuses say.
        """
        finished = {_HELD, _RELEASED}
        open_ = {_WAITING, _READY, _RUNNING}
        status, tasks = self._status, range(len(self._graph))
        assert self.running == sum(s == _RUNNING for s in status)
        assert self.unfinished == sum(s in open_ for s in status)
        assert self.reserved == sum(self._needs[t] for t in tasks if status[t] == _RUNNING)
        assert self.alive == sum(self._nbytes[t] for t in tasks if status[t] == _HELD)
        assert self.n_ready == sum(s == _READY for s in status)
        if self.cancelled:
            assert not any(s in (_WAITING, _READY, _HELD) for s in status)
            return
        in_heap = {self._order[place] for place in self._ready}
        requested = set(self._graph.kept)
        for t in tasks:
            left = sum(status[dep] not in finished for dep in self._deps[t])
            uses = sum(status[user] not in finished for user in self._users[t])
            assert self._waiting[t] == left, f"{t} waits for {left}"
            assert self._in_use[t] == uses + (t in requested), f"{t} has {uses} uses"
            if status[t] == _WAITING:
                assert left > 0, f"{t} waits for nothing"
            else:
                assert left == 0, f"{t} is {self.status(t).name} without its inputs"
            if status[t] == _READY:
                assert t in in_heap, f"{t} is ready and nobody knows"
            if status[t] in finished:
                assert (status[t] == _HELD) == (self._in_use[t] > 0), f"{t} held or dropped wrongly"
