"""The state of a run: which task may start next, and which results are no longer needed.

Pure: no threads, no clock, no data. A driver reports what happened (`State.finish`, `State.fail`,
`State.due`, ...) and asks what to do (`State.start`); it gets back numbers of tasks to start and
numbers of results to drop. The same machine runs the sync engine, the threads engine and the
simulator in the tests; `gpuscale.engines.growing` adds tasks to a run that goes on.

Memory is reserved before a task starts, that of the host and that of the device apart: results and
workspace of a task count in the space that it computes in (`gpuscale.memory.spaces`). Let *alive*
be the bytes of results that are held and *reserved* those that running tasks may need for their
results and their workspace. A task starts only when what it needs fits beside them into the budget.
When the task whose turn it is does not fit, only tasks that leave no more bytes alive, or fewer
where room is short, may overtake it, so sources wait until there is room again. If neither is
possible, results that are needed late go elsewhere (`gpuscale.engines.spilling`). If none is left
that may go and nothing runs, the task whose turn it is starts in any case: a run always makes
progress, and in each space only ever a single running task exceeds the budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush

from gpuscale.engines.ledger import KEPT, MASK, Ended, Ledger
from gpuscale.engines.states import TRANSITIONS, IllegalTransition, Status
from gpuscale.memory.spaces import DEVICE, HOST

__all__ = ["SMALL", "TRANSITIONS", "Ended", "IllegalTransition", "State", "Status"]

# A task of a batch that is not the batch's first needs at most this many bytes, so that no
# reservation of size is held by a task that waits for others of its batch.
SMALL = 1 << 16

# How many tasks may be looked at to find one that frees memory; bounds the work per event.
_LOOK_BEYOND = 16

_WAITING, _READY, _RUNNING, _HELD, _RELEASED, _FAILED, _CANCELLED = map(int, list(Status)[:7])
_RETRYING = Status.RETRYING


class State(Ledger):
    """The state of one run of one graph, which may grow.

    Parameters
    ----------
    graph : NumberedGraph
        Its lists become the state's own.
    order : sequence of int
        All tasks in the order in which they should run (`gpuscale.graph.order.depth_first`).
    budget : float
        Bytes of the host that results and running tasks may take together; infinite by default.
    tokens : Tokens, optional
        The scarce things that there are; by default none.
    on_error : {"raise", "continue"}
        What the last failure of a task ends: the run, or what needs the task.
    device_budget : float
        The same of the device.

    Attributes
    ----------
    budget : list of float
        Of each space. May be changed between events.
    alive : list of int
        Bytes of results that are held, in each space.
    reserved : list of int
        Bytes that running tasks may need, results included, in each space.
    processed : int
        Bytes of all results so far.
    running : int
        Number of running tasks.
    sleeping : list
        Times at which tasks are tried again, with their places; empty if none is.
    n_ready : int
        Number of tasks that wait for nothing but their turn, tokens, and room in memory.
    unfinished : int
        Number of tasks that have neither finished nor ended in another way.

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

    @property
    def n_given_up(self) -> int:
        """Number of tasks of a cancelled run that did not finish."""
        return sum(map(self._status.count, (_FAILED, _CANCELLED))) if self.cancelled else 0

    @property
    def done(self) -> bool:
        """Whether nothing runs and nothing is left to run."""
        return not self.running and not self.unfinished

    @property
    def next_due(self) -> float | None:
        """When the driver has to call `due`; None if no task waits for its next attempt."""
        sleeping = self.sleeping
        while sleeping and not self._sleeps(sleeping[0][1]):
            heappop(sleeping)
        return sleeping[0][0] if sleeping else None

    @property
    def has_scarce(self) -> bool:
        """Whether some task needs what is scarce."""
        return bool(self._scarce.wanted)

    def attempts(self, task: int) -> int:
        """Count the attempts of a task that failed and were not its last."""
        return self._attempts.get(task, 0)

    # events

    def finish(self, task: int, nbytes: int) -> list[int]:
        """Take note that a task returned a result that keeps `nbytes` bytes alive.

        Returns
        -------
        list of int
            Tasks whose results are no longer needed; the driver drops them now.
        """
        return self.finish_all(((task, nbytes),))

    def finish_all(self, finished: Iterable[tuple[int, int]]) -> list[int]:
        """Take note of several finished tasks, with the bytes of their results, at once."""
        status, in_use, waiting, scarce = self._status, self._in_use, self._waiting, self._scarce
        all_deps, all_users, ready, place = self._deps, self._users, self._ready, self._place
        alive, reserved, space = self.alive, self.reserved, self._space
        sizes, also = self._nbytes, self._also
        released: list[int] = []
        by_itself, ranks = not (scarce.wanted or self.measured), self._latest
        for task, nbytes in finished:
            if status[task] != _RUNNING:
                raise self._illegal(task, "finished")
            self.running -= 1
            self.unfinished -= 1
            at = space[task]
            reserved[at] -= self._needs[task]
            if also:
                reserved[DEVICE - at] -= also.get(task, 0)
            self.processed += nbytes
            if scarce.wanted:
                scarce.give(task)
            if self.cancelled or not in_use[task]:
                status[task] = _RELEASED
                released.append(task)
                if self.cancelled:
                    continue
            else:
                status[task] = _HELD
                sizes[task] = nbytes
                alive[at] += nbytes
            for user in all_users[task]:
                left = waiting[user] = waiting[user] - 1
                if not left:
                    if by_itself and status[user] == _WAITING:
                        status[user] = _READY
                        self.n_ready += 1
                        heappush(ready, place[user])
                    else:
                        self._awaited(user)
            for dep in all_deps[task]:
                left = in_use[dep] = in_use[dep] - 1
                if not left:
                    status[dep] = _RELEASED
                    alive[space[dep]] -= sizes[dep]
                    released.append(dep)
            if ranks:
                self._moved((task, *all_deps[task]))
        if self._shelved:
            for task in released:
                self._unshelve(task)
        return released

    def fail(self, task: int, now: float = 0.0, fatal: bool = False) -> Ended:
        """Take note that a task raised at a time `now`, in seconds of the driver's clock.

        A task with retries left is tried again after its back-off, and nothing ends. Otherwise
        the run is cancelled, or, if it continues, what needs the task is skipped.

        Parameters
        ----------
        task : int
        now : float
        fatal : bool
            Whether to cancel the run in any case.
        """
        if self._status[task] != _RUNNING:
            raise self._illegal(task, "failed")
        self._stop(task)
        options = self._tasks[task].options
        attempt = self._attempts.get(task, 0) + 1
        goes_on = not (self.cancelled or fatal)
        if goes_on and options is not None and attempt <= options.retries:
            if not self._in_use[task]:
                self._give_up(task, _CANCELLED)
                return self._end([task])
            self._attempts[task] = attempt
            self._status[task] = _RETRYING
            heappush(self.sleeping, (now + options.delay(attempt), self._place[task]))
            return Ended([], [])
        self._status[task] = _FAILED
        self.unfinished -= 1
        if self._ends_run or self.cancelled or fatal:
            return Ended(self.cancel(), [task])
        return self._end([task])

    def due(self, now: float) -> list[int]:
        """Let the tasks whose back-off is over by `now` be tried again."""
        woken = []
        while (when := self.next_due) is not None and when <= now:
            task = heappop(self.sleeping)[1] & MASK
            self._queue(task)
            woken.append(task)
        return woken

    def withdraw(self, task: int) -> None:
        """Take note that a worker of a cancelled run gave a task back before it began."""
        if self._status[task] != _RUNNING or not self.cancelled:
            raise self._illegal(task, "was withdrawn")
        self._stop(task)
        self._status[task] = _CANCELLED
        self.unfinished -= 1

    def cancel(self) -> list[int]:
        """Start nothing any more and hold nothing; running tasks may still report.

        Returns
        -------
        list of int
            Tasks whose results are no longer needed.
        """
        self.cancelled = True
        self._ready.clear()
        self._scarce.clear()
        self.sleeping.clear()
        self._shelved.clear()
        self.alive[:] = 0, 0
        self.n_ready = 0
        released = []
        for task, status in enumerate(self._status):
            if status in KEPT:
                self._status[task] = _RELEASED
                released.append(task)
            elif status in (_WAITING, _READY, _RETRYING):
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
            bytes and nothing scarce: a batch saves the cost of one event per task where tasks
            are tiny. Where a device has a budget each task comes alone, so that what it has read
            may go as soon as it ends.

        Returns
        -------
        list of int
            Empty if nothing is ready, or what is ready has to wait for room, or for tokens.
        """
        most = most if self.budget[DEVICE] == float("inf") else 1
        choosy = self._scarce.wanted or self._writing or self._also
        chosen = [] if choosy else self._start_first(most)
        return chosen or self._start_any(most)

    def _start_first(self, most: int) -> list[int]:
        """Start tasks whose turn it is, as long as they fit."""
        ready, status, place, needs = self._ready, self._status, self._place, self._needs
        space, budget, alive, reserved = self._space, self.budget, self.alive, self.reserved
        chosen: list[int] = []
        while ready and len(chosen) < most:
            first = ready[0]
            task = first & MASK
            if status[task] == _READY and place[task] == first:
                need, at = needs[task], space[task]
                if need > budget[at] - alive[at] - reserved[at] or (chosen and need > SMALL):
                    break
                status[task] = _RUNNING
                reserved[at] += need
                chosen.append(task)
            heappop(ready)
        self.running += len(chosen)
        self.n_ready -= len(chosen)
        return chosen

    def _start_any(self, most: int) -> list[int]:
        """Start tasks of which some overtake others, or need what is scarce."""
        chosen: list[int] = []
        wanted = self._scarce.wanted
        while len(chosen) < most:
            task = self._choose()
            if task is None:
                break
            if chosen and (self._needs[task] > SMALL or task in wanted or task in self._also):
                break
            if task in wanted:
                if not self._scarce.take(task):  # another run was faster
                    continue
                most = 1
            self._status[task] = _RUNNING
            self.running += 1
            self.n_ready -= 1
            self._reserve(task)
            chosen.append(task)
        return chosen

    def can_start(self) -> bool:
        """Say whether another worker would get a task."""
        return self._choose() is not None

    @property
    def has_work(self) -> bool:
        """Whether another worker would find something to do: to start a task, or to make room."""
        return self.can_start() or self.is_short_of_room

    def _choose(self) -> int | None:
        """Find the task to start next; it stays in its heap until it comes up as running."""
        ready, status, place = self._ready, self._status, self._place
        while ready:
            first = ready[0]
            task = first & MASK
            if status[task] == _READY and place[task] == first:
                break
            heappop(ready)
        else:
            task = -1
        if self._scarce.wanted:
            task = self._or_scarce(task)
        if task < 0:
            return None
        room = self._free_bytes()
        short = self._short(task, room)
        if not short and not self._reads_written(task):
            return task
        other = self._overtaker(room, short)
        if other is not None:
            return other
        return None if self.running or self._must_wait(task) else task

    def _overtaker(self, room: Sequence[float], short: Sequence[int]) -> int | None:
        """Find a task that fits and relieves, near the one whose turn it is."""
        ready = self._ready
        for _ in range(2):
            n_stale = 0
            # The first entries of the heap's list are among the earliest, though not exactly they.
            for place in sorted(ready[:_LOOK_BEYOND]):
                task = place & MASK
                if not self._is_ready(place):
                    n_stale += 1
                    continue
                fits = not (self._short(task, room) or self._reads_written(task))
                if fits and self._relieves(task, short):
                    return task
            if n_stale < _LOOK_BEYOND // 2:
                break
            first = [heappop(ready) for _ in range(min(_LOOK_BEYOND, len(ready)))]
            for place in filter(self._is_ready, first):
                heappush(ready, place)
        return None

    def _first(self) -> int | None:
        ready = self._ready
        task = ready[0] & MASK if ready and self._is_ready(ready[0]) else -1
        task = self._or_scarce(task) if self._scarce.wanted else task
        return None if task < 0 else task

    def _or_scarce(self, task: int) -> int:
        """Return the task, or one whose turn is earlier and whose tokens are free."""
        places = [] if task < 0 else [self._place[task]]
        for heap in self._scarce.open_heaps():
            while heap and not self._is_ready(heap[0]):
                heappop(heap)
            places += heap[:1]
        return min(places) & MASK if places else -1

    def _is_ready(self, place: int) -> bool:
        task = place & MASK
        return self._status[task] == _READY and self._place[task] == place

    def _relieves(self, task: int, short: Sequence[int]) -> bool:
        """Say whether a task leaves no more bytes alive, or fewer in all spaces that are short."""
        more = [0, 0]
        more[self._space[task]] += self._nbytes[task]
        for dep in self._deps[task]:
            if self._in_use[dep] == 1:
                more[self._space[dep]] -= self._nbytes[dep]
                more[HOST] -= self._shelved.get(dep, 0)
        return max(more) <= 0 or bool(short) and max(more[space] for space in short) < 0
