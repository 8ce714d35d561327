"""Which results are written to disk when there is no room for the task whose turn it is.

Part of the state of a run, and as pure as that. A driver that can write results asks `spill` what
to write when `start` gives nothing to do, and reports `spilled` or `unspilled`. The result whose
next use is furthest goes first (Belady, 1966). A result on disk is read by each task that needs it:
its bytes are added to what the task needs, unless the task reads its inputs in regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop

from gpuscale.engines.latest import Latest
from gpuscale.engines.states import IllegalTransition, Status
from gpuscale.graph.task import Task
from gpuscale.memory.projection import reads_regions

__all__ = ["OPEN", "SMALLEST", "Spilling"]

# Smaller results stay in memory: what is kept of one on disk takes a good part of that as well.
SMALLEST = 1 << 12

# Results that are needed within so many turns for each running task stay as long as anything runs:
# it may free memory.
_SOON = 8

_RUNNING, _HELD = Status.RUNNING, Status.HELD
_SPILLING, _SPILLED = Status.SPILLING, Status.SPILLED
OPEN = frozenset(map(int, (Status.WAITING, Status.READY, _RUNNING, Status.RETRYING)))


class Spilling:
    """What a state knows of results on disk.

    Attributes
    ----------
    spills : bool
        Whether results are written to disk.
    may_exceed : bool
        Whether a task that does not fit starts if there is nothing else to do.
    """

    alive: int
    budget: float
    cancelled: bool
    n_ready: int
    reserved: int
    running: int
    _deps: list[tuple[int, ...]]
    _in_use: list[int]
    _nbytes: list[int]
    _needs: list[int]
    _place: list[int]
    _status: bytearray
    _tasks: list[Task]
    _users: list[list[int]]

    def __init__(self) -> None:
        self.spills = False
        self.may_exceed = True
        self._writing: set[int] = set()
        self._stays: set[int] = set()  # results that cannot be written
        self._spared: set[int] = set()  # results that cannot be written now
        self._on_disk: dict[int, int] = {}  # bytes of results there, which are not alive
        self._latest: Latest | None = None  # of what is held, once there is too little room
        self._turns: dict[int, list[int]] = {}  # a heap of the places of its users, by result

    # instructions and events

    def spill(self) -> int | None:
        """Choose a result to write to disk, if the task whose turn it is does not fit.

        Returns
        -------
        int or None
            The driver keeps the result until it has reported what became of it.
        """
        task = self._first() if self.spills else None
        if task is None or self._needs[task] <= self._room():
            return None
        return self._chosen(self._victim(task))

    def spill_surplus(self) -> int | None:
        """Choose a result to write to disk, if more is held than there is room for."""
        if not self.spills or self._room() >= 0:
            return None
        return self._chosen(self._furthest(self._inputs(self._first()))[1])

    def _room(self) -> float:
        """Bytes of the budget that are free, or will be once what is being written has gone."""
        status, nbytes = self._status, self._nbytes
        written = sum(nbytes[each] for each in self._writing if status[each] == _SPILLING)
        return self.budget - self.alive - self.reserved + written

    def _chosen(self, victim: int | None) -> int | None:
        if victim is not None:
            self._status[victim] = _SPILLING
            self._writing.add(victim)
        return victim

    def spilled(self, task: int) -> list[int]:
        """Take note that a result is on disk, and no longer in memory.

        Returns
        -------
        list of int
            The task itself, if its result is no longer needed.
        """
        if not self._has_written(task, "was spilled"):
            return [task]
        self._status[task] = _SPILLED
        self.alive -= self._nbytes[task]
        self._on_disk[task], self._nbytes[task] = self._nbytes[task], 0
        for user in set(self._open_users(task)):
            self._needs[user] += self._bytes_read(user, task)
        return []

    def unspilled(self, task: int, for_good: bool = True) -> None:
        """Take note that a result could not be written, now or ever, and stays in memory."""
        if self._has_written(task, "was not spilled"):
            self._status[task] = _HELD
            (self._stays if for_good else self._spared).add(task)

    def _has_written(self, task: int, event: str) -> bool:
        """Say whether the result is still needed; it was being written in any case."""
        if task not in self._writing:
            raise self._illegal(task, event)
        self._writing.remove(task)
        return self._status[task] == _SPILLING

    @property
    def is_stuck(self) -> bool:
        """Whether nothing runs, and what is ready does not fit and must not exceed the budget."""
        idle = not (self.running or self._writing or self.may_exceed or self.cancelled)
        return idle and self.n_ready > 0 and self._first() is not None and self._choose() is None

    @property
    def is_short_of_room(self) -> bool:
        """Whether nobody is at work, so that one more worker has to make room for what is ready."""
        idle = self.spills and not (self.running or self._writing)
        return idle and self._first() is not None

    def bytes_that_stay(self) -> tuple[int, int, int]:
        """Bytes of held results that are too small to go to disk, cannot ever, and of others."""
        small = unfit = rest = 0
        for task in self._all(_HELD):
            nbytes = self._nbytes[task]
            if nbytes < SMALLEST:
                small += nbytes
            elif task in self._stays:
                unfit += nbytes
            else:
                rest += nbytes
        return small, unfit, rest

    # what the choice of the next task needs to know

    def _must_wait(self, task: int) -> bool:
        """Say whether a task that does not fit has to wait though nothing runs."""
        if self._writing or not self.may_exceed:
            return True
        return self.spills and self._victim(task) is not None

    def _reads_written(self, task: int) -> bool:
        """Say whether an input is being written: its memory would be held by the task."""
        return bool(self._writing) and not self._writing.isdisjoint(self._deps[task])

    def _bytes_read(self, user: int, task: int) -> int:
        return 0 if reads_regions(self._tasks[user]) else self._on_disk[task]

    # the choice of a victim

    def _victim(self, task: int) -> int | None:
        """Find the held result whose next use is furthest, for a task that does not fit."""
        furthest, victim = self._furthest(self._inputs(task))
        if victim is None:
            return None
        soon = self._turn(self._place[task]) + _SOON * (1 + self.running)
        return None if self.running and furthest < soon else victim

    def _inputs(self, task: int | None) -> Sequence[int]:
        """Results that a task needs in memory as a whole."""
        return () if task is None or reads_regions(self._tasks[task]) else self._deps[task]

    def _furthest(self, spared: Iterable[int] = ()) -> tuple[float, int | None]:
        """Find the held result whose next use is furthest, and that nothing uses now."""
        if self._latest is None:
            self._latest = Latest(self._all(_HELD))
        if self._latest.is_empty(self._turn_to_go):
            return 0.0, None
        busy = {dep for each in self._all(_RUNNING) for dep in self._deps[each]}
        busy.update(spared)
        return self._latest.find(self._turn_to_go, busy)

    def _turn_to_go(self, task: int) -> float | None:
        """Return when a result is needed next; None for one that does not go to disk."""
        if self._status[task] != _HELD:
            self._turns.pop(task, None)
            return None
        if self._nbytes[task] < SMALLEST or task in self._stays or task in self._spared:
            return None
        places = self._turns.get(task)
        if places is None:
            places = self._turns[task] = [self._place[user] for user in self._open_users(task)]
            heapify(places)
        while places and not self._is_ahead(places[0]):
            heappop(places)
        return self._turn(places[0]) if places else float("inf")

    def _moved(self, tasks: Iterable[int]) -> None:
        """Take note that results may be needed later than they were, or may go to disk now."""
        if self._latest is not None:
            self._latest.changed.update(tasks)

    def _open_users(self, task: int) -> Iterator[int]:
        return (user for user in self._users[task] if self._status[user] in OPEN)

    def _all(self, status: int) -> Iterator[int]:
        """All tasks of a status."""
        task = self._status.find(status)
        while task >= 0:
            yield task
            task = self._status.find(status, task + 1)

    # what the rest of the state provides

    def _first(self) -> int | None:
        """Return the ready task whose turn it is."""
        raise NotImplementedError

    def _choose(self) -> int | None:
        raise NotImplementedError

    def _turn(self, place: int) -> int:
        raise NotImplementedError

    def _is_ahead(self, place: int) -> bool:
        """Say whether the task of a place has not ended."""
        raise NotImplementedError

    def _illegal(self, task: int, event: str) -> IllegalTransition:
        raise NotImplementedError
