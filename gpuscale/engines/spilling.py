"""Which results go elsewhere when there is no room for the task whose turn it is.

Part of the state of a run, and as pure as that. A driver that can write results asks `spill` what
to write when `start` gives nothing to do, and reports `spilled` or `unspilled`. The result whose
next use is furthest goes first (Belady, 1966): from the host to disk, from the device to a shelf of
bounded size in the memory of the host, and from there to disk. A result that is away is brought
back by each task that needs it: its bytes are added to what the task needs, where the result
belongs, unless the task reads its inputs in regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from heapq import heapify, heappop

from gpuscale.engines.latest import Latest
from gpuscale.engines.states import IllegalTransition, Status
from gpuscale.graph.task import Task
from gpuscale.memory.projection import reads_regions
from gpuscale.memory.spaces import DEVICE, HOST, SPACES

__all__ = ["KEPT_CHUNKS", "OPEN", "SMALLEST", "Spilling"]

#: Stands for what `persist` keeps where results are chosen to go elsewhere.
KEPT_CHUNKS = -1

# Smaller results stay in memory: what is kept of one on disk, some 700 bytes, is a good part of it.
SMALLEST = 1 << 12

# Results that are needed within so many turns for each running task stay as long as anything runs:
# it may free memory.
_SOON = 8

_RUNNING, _HELD = Status.RUNNING, Status.HELD
_SPILLING, _SPILLED = Status.SPILLING, Status.SPILLED
OPEN = frozenset(map(int, (Status.WAITING, Status.READY, _RUNNING, Status.RETRYING)))


class Spilling:
    """What a state knows of results that are away.

    Attributes
    ----------
    spills : bool
        Whether results are written at all.
    shelf : float
        Bytes of the host that results of the device may take while they are away.
    may_exceed : bool
        Whether a task that does not fit starts if there is nothing else to do.
    kept : list of int
        Bytes of each space that `persist` keeps, for which the budget has no room.
    leaving : tuple of (int, int) or None
        How many of these bytes are on their way, and in which space.
    """

    alive: list[int]
    budget: list[float]
    cancelled: bool
    n_ready: int
    reserved: list[int]
    running: int
    _also: dict[int, int]
    _deps: list[tuple[int, ...]]
    _in_use: list[int]
    _nbytes: list[int]
    _needs: list[int]
    _place: list[int]
    _space: list[int]
    _status: bytearray
    _tasks: list[Task]
    _users: list[list[int]]

    def __init__(self) -> None:
        self.spills = False
        self.shelf = float("inf")
        self.may_exceed = True
        self.kept = [0, 0]
        self.leaving: tuple[int, int] | None = None
        self._kept_that_stay = [0, 0]  # bytes of which none could leave
        self._writing: set[int] = set()
        self._stays: set[int] = set()  # results that cannot be written
        self._spared: set[int] = set()  # results that cannot be written now
        self._away: dict[int, int] = {}  # bytes of results that are, which are not alive
        # Bytes of the host that results of the device take: they are on the shelf or on the way
        # there, and they are alive, on the host.
        self._shelved: dict[int, int] = {}
        self._latest: dict[int, Latest] = {}  # of a space, once there was too little room
        self._turns: dict[int, list[int]] = {}  # a heap of the places of its users, by result

    @property
    def being_written(self) -> Set[int]:
        """The results that workers write away just now."""
        return self._writing

    # instructions and events

    def spill(self) -> int | None:
        """Choose a result to write, if the task whose turn it is does not fit.

        Returns
        -------
        int or None
            The driver keeps the result until it has reported what became of it. `KEPT_CHUNKS`
            are what `persist` keeps, which goes first; the driver reports `kept_left`.
        """
        task = self._first() if self.spills and not self.leaving else None
        if task is None:
            return None
        victim = self._victim(task)
        if victim is not None or not (self.running or self._writing):
            self.leaving = self._lack_of_kept(task)
        return KEPT_CHUNKS if self.leaving else self._chosen(victim)

    def _lack_of_kept(self, task: int) -> tuple[int, int] | None:
        """Return the bytes that a task lacks, and the space, if what is kept there may leave."""
        rooms = self._rooms()
        for space in self._short(task, rooms):
            if self.kept[space] > self._kept_that_stay[space]:
                return int(self._need(task, space) - rooms[space]), space
        return None

    def kept_left(self, nbytes: int) -> None:
        """Take note that so many bytes have left of those that `persist` kept."""
        assert self.leaving is not None
        space = self.leaving[1]
        self.leaving = None
        self.kept[space] -= nbytes
        self.budget[space] += nbytes
        if not nbytes:
            self._kept_that_stay[space] = self.kept[space]

    def spill_surplus(self) -> int | None:
        """Choose a result to write, if more is held than there is room for."""
        room = self._rooms()
        for space in reversed(SPACES) if self.spills else ():
            if room[space] < 0:
                victim = self._furthest(space, self._inputs(self._first()))[1]
                if victim is not None:
                    return self._chosen(victim)
        return None

    def spill_from(self, space: int) -> int | None:
        """Choose a result to write that nothing uses now, whatever room there is."""
        return self._chosen(self._furthest(space)[1] if self.spills else None)

    def goes_on_shelf(self, task: int) -> bool:
        """Say whether a result that is being written goes to the memory of the host."""
        return task in self._shelved and self._status[task] != _SPILLED

    def _free_bytes(self) -> list[float]:
        """Bytes of the budget that are free, in each space."""
        return [self.budget[space] - self.alive[space] - self.reserved[space] for space in SPACES]

    def _rooms(self) -> list[float]:
        """Bytes of the budget that are free, or will be once what is being written has gone."""
        room = self._free_bytes()
        for each in self._writing:
            if self._status[each] == _SPILLING:
                room[self._space[each]] += self._nbytes[each]
            elif self._status[each] == _SPILLED:
                room[HOST] += self._shelved.get(each, 0)
        return room

    def _chosen(self, victim: int | None) -> int | None:
        if victim is None:
            return None
        if self._status[victim] == _HELD and self._space[victim] == DEVICE:
            victim = self._or_of_shelf(victim)
        if self._status[victim] == _HELD:
            self._status[victim] = _SPILLING
        self._writing.add(victim)
        return victim

    def _or_of_shelf(self, victim: int) -> int:
        """Give a result of the device its place on the shelf; where that is full, choose anew.

        What is needed last of all goes to disk, be it on the shelf already or not.
        """
        nbytes = self._nbytes[victim]
        room = min(self.shelf - sum(self._shelved.values()), self._rooms()[HOST])
        if nbytes <= room:
            self._shelved[victim] = nbytes
            self.alive[HOST] += nbytes
            return victim
        if nbytes > self.shelf:
            return victim
        turns = {each: self._turn_to_go(each, HOST) for each in self._shelved}
        turns[victim] = self._turn_to_go(victim, DEVICE)
        return max((turn, each) for each, turn in turns.items() if turn is not None)[1]

    def _unshelve(self, task: int) -> None:
        self.alive[HOST] -= self._shelved.pop(task, 0)

    def spilled(self, task: int) -> list[int]:
        """Take note that a result is where it should go, and no longer where it was.

        Returns
        -------
        list of int
            The task itself, if its result is no longer needed.
        """
        if task in self._writing and self._status[task] == _SPILLED:  # it was on the shelf
            self._writing.remove(task)
            self._unshelve(task)
            return []
        if not self._has_written(task, "was spilled"):
            return [task]
        self._status[task] = _SPILLED
        self.alive[self._space[task]] -= self._nbytes[task]
        self._away[task], self._nbytes[task] = self._nbytes[task], 0
        for user in set(self._open_users(task)):
            self._add_read(user, task)
        self._moved((task,))
        return []

    def unspilled(self, task: int, for_good: bool = True) -> None:
        """Take note that a result could not be written, now or ever, and stays where it is."""
        if self._has_written(task, "was not spilled"):
            self._status[task] = _HELD
            self._unshelve(task)
        if self._status[task] in (_HELD, _SPILLED):
            (self._stays if for_good else self._spared).add(task)

    def _has_written(self, task: int, event: str) -> bool:
        """Say whether the result is still needed; it was being written in any case."""
        if task not in self._writing:
            raise self._illegal(task, event)
        self._writing.remove(task)
        self._moved((task,))
        return self._status[task] == _SPILLING

    @property
    def is_stuck(self) -> bool:
        """Whether nothing runs, and what is ready does not fit and must not exceed the budget."""
        at_work = self.running or self._writing or self.leaving
        idle = not (at_work or self.may_exceed or self.cancelled)
        return idle and self.n_ready > 0 and self._first() is not None and self._choose() is None

    @property
    def is_short_of_room(self) -> bool:
        """Whether nobody is at work, so that one more worker has to make room for what is ready."""
        idle = self.spills and not (self.running or self._writing or self.leaving)
        return idle and self._first() is not None

    def bytes_that_stay(self, space: int) -> tuple[int, int, int]:
        """Bytes of results held in a space: too small to go away, that cannot ever, and others."""
        small = unfit = rest = 0
        for task in self._all(_HELD):
            nbytes = self._nbytes[task] if self._space[task] == space else 0
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
        if self._writing or self.leaving or not self.may_exceed:
            return True
        may_leave = self._victim(task) is not None or self._lack_of_kept(task) is not None
        return self.spills and may_leave

    def _short(self, task: int, room: Sequence[float]) -> list[int]:
        """Spaces in which a task does not fit, the device first: what leaves it needs the host."""
        own = self._space[task]
        short = [own] if self._needs[task] > room[own] else []
        if task in self._also and self._also[task] > room[DEVICE - own]:
            short.insert(own, DEVICE - own)
        return short

    def _reads_written(self, task: int) -> bool:
        """Say whether an input is being written: its memory would be held by the task."""
        return bool(self._writing) and not self._writing.isdisjoint(self._deps[task])

    def _bytes_read(self, user: int, task: int) -> int:
        return 0 if reads_regions(self._tasks[user]) else self._away[task]

    # the choice of a victim

    def _victim(self, task: int) -> int | None:
        """Find the result whose next use is furthest, for a task that does not fit."""
        soon = self._turn(self._place[task]) + _SOON * (1 + self.running)
        for space in self._short(task, self._rooms()):
            furthest, victim = self._furthest(space, self._inputs(task))
            if victim is not None and not (self.running and furthest < soon):
                return victim
        return None

    def _inputs(self, task: int | None) -> Sequence[int]:
        """Results that a task needs in memory as a whole."""
        return () if task is None or reads_regions(self._tasks[task]) else self._deps[task]

    def _furthest(self, space: int, spared: Iterable[int] = ()) -> tuple[float, int | None]:
        """Find the result in a space whose next use is furthest, and that nothing uses now."""
        latest = self._latest.get(space)
        if latest is None:
            latest = self._latest[space] = Latest((*self._all(_HELD), *self._shelved))

        def turn(task: int) -> float | None:
            return self._turn_to_go(task, space)

        if latest.is_empty(turn):
            return 0.0, None
        busy = {dep for each in self._all(_RUNNING) for dep in self._deps[each]}
        busy.update(spared)
        return latest.find(turn, busy)

    def _turn_to_go(self, task: int, space: int) -> float | None:
        """Return when a result is needed next; None for one that does not go away from a space."""
        at = self._status[task]
        if at != _HELD and not (at == _SPILLED and task in self._shelved):
            self._turns.pop(task, None)
            return None
        if space != (self._space[task] if at == _HELD else HOST):
            return None
        if at == _HELD and self._nbytes[task] < SMALLEST or task in self._writing:
            return None
        if task in self._stays or task in self._spared:
            return None
        places = self._turns.get(task)
        if places is None:
            places = self._turns[task] = [self._place[user] for user in self._open_users(task)]
            heapify(places)
        while places and not self._is_ahead(places[0]):
            heappop(places)
        return self._turn(places[0]) if places else float("inf")

    def _moved(self, tasks: Iterable[int]) -> None:
        """Take note that results may be needed later than they were, or may go away now."""
        for latest in self._latest.values():
            latest.changed.update(tasks)

    def _open_users(self, task: int) -> Iterator[int]:
        return (user for user in self._users[task] if self._status[user] in OPEN)

    def _all(self, status: int) -> Iterator[int]:
        """All tasks of a status."""
        task = self._status.find(status)
        while task >= 0:
            yield task
            task = self._status.find(status, task + 1)

    # what the rest of the state provides

    def _add_read(self, task: int, dep: int, sign: int = 1) -> None:
        raise NotImplementedError

    def _need(self, task: int, space: int) -> int:
        raise NotImplementedError

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
