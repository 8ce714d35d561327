"""What is kept of each task of a run, and the moves that follow from one another."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappush
from typing import NamedTuple

from gpuscale.engines.spilling import OPEN, Spilling
from gpuscale.engines.states import IllegalTransition, Status, story
from gpuscale.engines.tokens import ScarceTasks, Tokens
from gpuscale.graph.numbering import NumberedGraph
from gpuscale.memory.projection import is_measured, measured_needs
from gpuscale.memory.spaces import DEVICE

__all__ = ["KEPT", "MASK", "Ended", "Ledger"]

# A place is a number: its high bits say when a task's turn is, its low ones are the task's own
# number, so that a heap of places needs no table to tell the tasks.
_BITS = 32
MASK = (1 << _BITS) - 1
# Above when a task came stands its priority, negated.
_BITS_OF_TURN = 40

_WAITING, _READY, _RUNNING, _HELD, _RELEASED = map(int, list(Status)[:5])
_CANCELLED, _RETRYING, _SKIPPED = Status.CANCELLED, Status.RETRYING, Status.SKIPPED
_FORGOTTEN = Status.FORGOTTEN

#: Finished, with a result that somebody needs.
KEPT = frozenset({_HELD, int(Status.SPILLING), int(Status.SPILLED)})


class Ended(NamedTuple):
    """What follows from an event: results to drop, and tasks that will not run (any more)."""

    released: list[int]
    ended: list[int]


class Ledger(Spilling):
    """Columns with an entry for each task, and what follows when a task cannot run any more."""

    def __init__(
        self,
        graph: NumberedGraph,
        order: Sequence[int],
        budget: float = float("inf"),
        tokens: Tokens | None = None,
        on_error: str = "raise",
        device_budget: float = float("inf"),
    ) -> None:
        super().__init__()
        n = len(graph)
        self.budget = [budget, device_budget]
        self.alive, self.reserved = [0, 0], [0, 0]
        self.running = self.processed = 0
        self.unfinished = n
        self.cancelled = False
        self._ends_run = on_error == "raise"
        self._tasks, self._deps, self._users = graph.tasks, graph.deps, graph.users
        self._n_placed = 0
        self._place = [0] * n
        self._set_places(order)
        self._space = [task.space for task in graph.tasks]  # of result and workspace
        self._needs = [task.nbytes + task.workspace for task in graph.tasks]
        self._also: dict[int, int] = {}  # what tasks need in the other space
        self.measured = {i for i, task in enumerate(graph.tasks) if is_measured(task)}
        self._waiting = list(map(len, graph.deps))
        self._in_use = graph.uses()
        self._nbytes = [task.nbytes for task in graph.tasks]  # measured, once finished
        self._status = bytearray(n)
        self._free: list[int] = []  # forgotten numbers
        self._attempts: dict[int, int] = {}  # of tasks that failed before
        self.sleeping: list[tuple[float, int]] = []  # when a task is tried again, its place
        self._scarce = ScarceTasks(tokens or Tokens())
        self._scarce.add(graph.tasks, range(n))
        sources = [task for task in order if not graph.deps[task]]
        self.n_ready = 0
        self._ready: list[int] = []
        if self._scarce.wanted:
            for task in sources:
                self._queue(task)
        else:
            self.n_ready = len(sources)
            self._ready += map(self._place.__getitem__, sources)  # sorted, hence a heap
            for task in sources:
                self._status[task] = _READY

    def _turn(self, place: int) -> int:
        """Return when the turn of a place is, as a number that grows by one from task to task."""
        return place >> _BITS

    def _is_ahead(self, place: int) -> bool:
        task = place & MASK
        return self._status[task] in OPEN and self._place[task] == place

    def _set_places(self, order: Sequence[int]) -> None:
        """Give places to tasks, in their order, behind those that have one."""
        place, first = self._place, self._n_placed << _BITS
        self._n_placed += len(order)
        turns = range(first, self._n_placed << _BITS, 1 << _BITS)
        for turn, task in zip(turns, order, strict=True):
            place[task] = turn | task
        tasks = self._tasks
        if any([tasks[task].priority for task in order]):  # noqa: C419 - three times as fast
            # What something of larger priority needs stands before it in the order.
            wish = min(tasks[task].priority for task in order)
            for task in reversed(order):
                wish = max(wish, tasks[task].priority)
                place[task] -= wish << (_BITS + _BITS_OF_TURN)

    def status(self, task: int) -> Status:
        """Say what is known of a task."""
        return Status(self._status[task])

    def _queue(self, task: int) -> None:
        self._status[task] = _READY
        self.n_ready += 1
        if task in self.measured:
            self._measure(task)
        is_scarce = task in self._scarce.wanted
        heappush(self._scarce.heap_of(task) if is_scarce else self._ready, self._place[task])

    def _measure(self, task: int) -> None:
        """Note what a task needs now that its inputs are there: how large they are, and where."""
        its, deps = self._tasks[task], self._deps[task]
        own = its.nbytes + its.workspace
        if task in self.measured:
            own = sum(measured_needs(its, [self.bytes_of(dep) for dep in deps]))
        self._needs[task] = own
        self._also.pop(task, None)
        for dep in set(deps) if self._away else ():
            if dep in self._away:
                self._add_read(task, dep)

    def _add_read(self, task: int, dep: int, sign: int = 1) -> None:
        """A task brings an input back, where that belongs, as long as it runs."""
        read = sign * self._bytes_read(task, dep)
        if self._space[task] == self._space[dep]:
            self._needs[task] += read
        elif read:
            self._also[task] = self._also.get(task, 0) + read
            if not self._also[task]:
                del self._also[task]

    def _need(self, task: int, space: int) -> int:
        """Bytes that a task needs in a space."""
        return self._needs[task] if self._space[task] == space else self._also.get(task, 0)

    def _reserve(self, task: int, sign: int = 1) -> None:
        space = self._space[task]
        self.reserved[space] += sign * self._needs[task]
        if self._also:
            self.reserved[DEVICE - space] += sign * self._also.get(task, 0)

    def relocate(self, task: int, space: int) -> None:
        """Take note that a running task's result lies elsewhere than projected."""
        if self._status[task] != _RUNNING:
            raise self._illegal(task, "was relocated")
        self._reserve(task, -1)
        self._space[task] = space
        self._measure(task)
        self._reserve(task)

    def bytes_of(self, task: int) -> int:
        """Return the measured bytes of a result, wherever it is."""
        return self._away.get(task, self._nbytes[task])

    def bytes_needed(self, task: int, space: int) -> int:
        """Return the bytes that a task reserves in a space while it runs."""
        own = self._space[task] == space
        return self._needs[task] if own else self._also.get(task, 0)

    def _awaited(self, task: int) -> None:
        """All that a task waited for has ended."""
        if self._status[task] == _WAITING:
            self._queue(task)
        elif self._status[task] == _FORGOTTEN:
            self._free.append(task)  # nothing counts down for it any more

    def _stop(self, task: int) -> None:
        self.running -= 1
        self._reserve(task, -1)
        self._scarce.give(task)

    def _give_up(self, task: int, to: int) -> None:
        if self._status[task] == _READY:
            self.n_ready -= 1
        self._status[task] = to
        self.unfinished -= 1

    def _end(self, gone: list[int], unwanted: Sequence[int] = ()) -> Ended:
        """Skip what needs tasks that are gone, and let go what nobody needs after that.

        Parameters
        ----------
        gone : list of int
            Tasks that have ended without a result.
        unwanted : sequence of int
            Tasks whose results have one use less.
        """
        found = Ended([], list(gone))
        gone = list(gone)
        for task in unwanted:
            self._unuse(task, found, gone)
        while gone:
            task = gone.pop()
            for user in self._users[task]:
                self._waiting[user] -= 1
                if self._status[user] == _WAITING:
                    self._skip(user, found, gone)
                elif not self._waiting[user]:
                    self._awaited(user)
            for dep in self._deps[task]:
                self._unuse(dep, found, gone)
        return found

    def _skip(self, task: int, found: Ended, gone: list[int]) -> None:
        self._give_up(task, _SKIPPED)
        found.ended.append(task)
        gone.append(task)

    def _unuse(self, task: int, found: Ended, gone: list[int]) -> None:
        left = self._in_use[task] = self._in_use[task] - 1
        at = self._status[task]
        self._moved((task,))
        if not left and at in KEPT:
            self._status[task] = _RELEASED
            self.alive[self._space[task]] -= self._nbytes[task]
            self._unshelve(task)
            found.released.append(task)
        elif not left and at in (_WAITING, _READY, _RETRYING):
            self._give_up(task, _CANCELLED)
            found.ended.append(task)
            gone.append(task)

    def _sleeps(self, place: int) -> bool:
        task = place & MASK
        return self._status[task] == _RETRYING and self._place[task] == place

    def _illegal(self, task: int, event: str) -> IllegalTransition:
        key, waiting, in_use = self._tasks[task].key, self._waiting[task], self._in_use[task]
        return story(key, event, self.status(task), waiting, in_use)
