"""The state of a run that grows: tasks come at any time, and go when nobody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heappush
from typing import Any

from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.ledger import KEPT, Ended
from gpuscale.engines.state import State
from gpuscale.engines.states import Status
from gpuscale.graph.numbering import NumberedGraph
from gpuscale.graph.task import Task
from gpuscale.memory.projection import is_measured
from gpuscale.memory.spaces import DEVICE

__all__ = ["GrowingState"]

_WAITING, _READY, _RUNNING, _HELD, _RELEASED, _FAILED, _CANCELLED = map(int, list(Status)[:7])
_RETRYING, _SKIPPED, _FORGOTTEN = Status.RETRYING, Status.SKIPPED, Status.FORGOTTEN
_SPILLING, _SPILLED = Status.SPILLING, Status.SPILLED

_ENDED = frozenset(map(int, (_RELEASED, _FAILED, _CANCELLED, _SKIPPED)))

_NOBODY = Task("forgotten", object)  # in place of a forgotten task


class GrowingState(State):
    """A `State` to which tasks are added.

    A driver that keeps a table of keys and numbers removes from it what it forgets: the number of
    a forgotten task is given to another one, so that a run may go on for ever.

    Examples
    --------
    >>> from gpuscale.graph.numbering import number
    >>> state = GrowingState(number({}, []), [])
    >>> state.add(number({"x": Task("x", int)}, ["x"]), [0])
    [0]
    >>> state.start(), state.finish(0, nbytes=8)
    ([0], [])
    >>> graph = number({"y": Task("y", abs, ("x",))}, ["y"], known=["x"])
    >>> state.add(graph, [0], known={"x": 0})
    [1]
    >>> state.release(0), state.start(), state.finish(1, nbytes=8)
    (Ended(released=[], ended=[]), [1], [0])
    >>> state.forget(0)
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._most_users: dict[int, int] = {}  # how long lists of users of results may get
        self._is_resigned = False  # there is nothing to write to disk
        self._patience = 0  # how many tasks finish until spared results are looked at again

    def add(
        self, graph: NumberedGraph, order: Sequence[int], known: Mapping[Key, int] | None = None
    ) -> list[int]:
        """Take more tasks, whose turn is after those of their priority that are here already.

        Parameters
        ----------
        graph : NumberedGraph
            What `gpuscale.graph.numbering.number` makes of them.
        order : sequence of int
            All of them in the order in which they should run.
        known : mapping of Key to int, optional
            Numbers of the tasks of this state that they need, by key.

        Returns
        -------
        list of int
            The number in this state of each task, which may be SKIPPED already (something it
            needs failed), or CANCELLED (only what is skipped needs it).

        Raises
        ------
        EngineError
            The run was cancelled, or a task asks for more of something scarce than there is.
        IllegalTransition
            Something that they need is released.
        """
        known = {} if known is None else known
        self._check(graph, known)
        numbers = self._numbers(graph.tasks)
        self._set_places([numbers[i] for i in order])
        self._scarce.add(graph.tasks, numbers)
        for i in graph.kept:
            self._in_use[numbers[i]] = 1
        at = {task.key: i for task, i in zip(graph.tasks, numbers, strict=True)}
        runs = True
        for i in graph.sorted:
            deps = tuple([at[d] if d in at else known[d] for d in graph.tasks[i].deps])
            runs &= self._connect(numbers[i], deps)
        if not runs:
            self._give_up_unneeded(numbers)
        return numbers

    def _check(self, graph: NumberedGraph, known: Mapping[Key, int]) -> None:
        if self.cancelled:
            raise EngineError("a run that was cancelled takes no more tasks")
        for task in graph.tasks:
            self._scarce.tokens.check(task)
            for dep in task.deps:
                if dep in known and self._status[known[dep]] in (_RELEASED, _FORGOTTEN):
                    raise self._illegal(known[dep], f"is needed by {task.key!r}")

    def _numbers(self, tasks: Sequence[Task]) -> list[int]:
        """Give numbers to new tasks: forgotten ones first."""
        numbers = [self._free.pop() for _ in range(min(len(self._free), len(tasks)))]
        if more := len(tasks) - len(numbers):
            numbers += range(len(self._tasks), len(self._tasks) + more)
            self._tasks += [_NOBODY] * more
            self._deps += [()] * more
            self._users += [[] for _ in range(more)]
            for column in (
                self._place, self._needs, self._waiting, self._in_use, self._nbytes, self._space
            ):  # fmt: skip
                column += [0] * more
            self._status += bytes([_FORGOTTEN]) * more
        for number, task in zip(numbers, tasks, strict=True):
            self._tasks[number] = task
            self._needs[number] = task.nbytes + task.workspace
            self._nbytes[number] = task.nbytes
            self._space[number] = task.space
            self._away.pop(number, None)
            (self.measured.add if is_measured(task) else self.measured.discard)(number)
        return numbers

    def _connect(self, task: int, deps: tuple[int, ...]) -> bool:
        """Begin a new task's life: it waits for what has not finished, or cannot run."""
        status = self._status
        if any(status[dep] in (_FAILED, _SKIPPED, _CANCELLED) for dep in deps):
            status[task] = _SKIPPED
            return False
        self.unfinished += 1
        self._deps[task] = deps
        for dep in deps:
            self._in_use[dep] += 1
            self._users[dep].append(task)
            self._waiting[task] += status[dep] not in KEPT
            if dep in self._turns:
                heappush(self._turns[dep], self._place[task])
            if status[dep] in KEPT and len(self._users[dep]) > self._most_users.get(dep, 64):
                self._thin_out_users(dep)
        for dep in set(deps) if self._away else ():
            if status[dep] == _SPILLED:
                self._add_read(task, dep)
        if self._waiting[task]:
            status[task] = _WAITING
        else:
            self._queue(task)
        return True

    def _thin_out_users(self, dep: int) -> None:
        """Forget who has used a result that stays: there may come a million of them."""
        users = self._users[dep] = list(self._open_users(dep))
        self._most_users[dep] = 64 + 2 * len(users)

    def _open_users(self, task: int) -> Iterator[int]:
        """Users of a result that have not run; a number in its list may be another task's now."""
        return (user for user in super()._open_users(task) if task in self._deps[user])

    def _give_up_unneeded(self, tasks: Sequence[int]) -> None:
        for task in reversed(tasks):
            if not self._in_use[task] and self._status[task] in (_WAITING, _READY):
                self._give_up(task, _CANCELLED)
                self._end([task])

    def retain(self, task: int) -> None:
        """Take note of one more wish for a task's result."""
        if self._status[task] in (_RELEASED, _FORGOTTEN):
            raise self._illegal(task, "was wanted")
        self._in_use[task] += 1

    def release(self, task: int) -> Ended:
        """Take note that a wish for a task's result is no more.

        What nobody needs any more does not run, unless it runs already.
        """
        if not self._in_use[task]:
            raise self._illegal(task, "was released once more than it was wanted")
        return self._end([], [task])

    def revoke(self, task: int) -> Ended:
        """Give up a task that has not finished, and all that needs it.

        One that is running runs on.
        """
        at = self._status[task]
        if at == _RUNNING:
            users = [i for i in dict.fromkeys(self._users[task]) if self._status[i] == _WAITING]
            for user in users:
                self._give_up(user, _SKIPPED)
            return self._end(users)
        if at not in (_WAITING, _READY, _RETRYING):
            raise self._illegal(task, "was revoked")
        self._give_up(task, _CANCELLED)
        return self._end([task])

    def held(self, task: int) -> int | None:
        """Bytes of the result of a task, in memory or on disk, None if there is no result."""
        if self._status[task] == _SPILLED:
            return self._away[task]
        return self._nbytes[task] if self._status[task] in KEPT else None

    def ahead(self) -> list[Task]:
        """List the tasks that may still get a result."""
        return [
            task
            for task, status in zip(self._tasks, self._status, strict=True)
            if status in (_WAITING, _READY, _RUNNING, _RETRYING)
        ]

    def all_running(self) -> list[int]:
        """List the tasks that were given to workers and have not ended."""
        return list(self._all(_RUNNING))

    def ended(self, tasks: Iterable[int]) -> list[int]:
        """Those of some tasks that have ended without a result, or whose result is gone."""
        status = self._status
        return [task for task in tasks if status[task] in _ENDED]

    def is_needed(self, task: int) -> bool:
        """Say whether anybody wants the result of a task, or needs it."""
        return self._in_use[task] > 0

    def decline(self, task: int) -> Ended:
        """Take note that a worker gives back a task that nobody needs any more."""
        if self._status[task] != _RUNNING or self._in_use[task]:
            raise self._illegal(task, "was declined")
        self._stop(task)
        self.unfinished -= 1
        self._status[task] = _CANCELLED
        return self._end([task])

    def forget(self, task: int) -> None:
        """Free the number of a task that has ended and that nobody will ask about again."""
        if self._status[task] not in (_RELEASED, _FAILED, _CANCELLED, _SKIPPED):
            raise self._illegal(task, "was to be forgotten")
        self._status[task] = _FORGOTTEN
        self._tasks[task] = _NOBODY
        self._deps[task] = ()
        self._users[task] = []
        self._in_use[task] = 0
        self._attempts.pop(task, None)
        self._scarce.wanted.pop(task, None)
        self._stays.discard(task)
        self._spared.discard(task)
        self._away.pop(task, None)
        self._also.pop(task, None)
        self._turns.pop(task, None)
        self._most_users.pop(task, None)
        self._free_number(task)

    def _free_number(self, task: int) -> None:
        if not self._waiting[task] and task not in self._writing:
            self._free.append(task)

    def due(self, now: float) -> list[int]:
        """Let the tasks whose back-off is over by `now` be tried again."""
        self._is_resigned = False
        return super().due(now)

    def fail(self, task: int, now: float = 0.0, fatal: bool = False) -> Ended:
        """Take note that a task raised: what it used may go to disk."""
        self._is_resigned = False
        ended = super().fail(task, now, fatal)
        if self._status[task] == _RETRYING:
            self._measure(task)  # what it read from disk may be in memory again
        return ended

    def _end(self, gone: list[int], unwanted: Sequence[int] = ()) -> Ended:
        self._is_resigned = False
        return super()._end(gone, unwanted)

    def start(self, most: int = 1) -> list[int]:
        """Choose tasks: whose turn is next may lack room where none was looked for."""
        chosen = super().start(most)
        if chosen and self.alive[DEVICE]:
            self._is_resigned = False
        return chosen

    # results that are away

    def spill(self) -> int | None:
        """Choose a result to write to disk: for a task that does not fit, or for what is held."""
        victim = super().spill()
        if victim is None and self.is_short_of_room:
            victim = self.spill_surplus()
            self._is_resigned = victim is None
        return victim

    def spilled(self, task: int) -> list[int]:
        """Take note that a result is where it should go: from a shelf it may go on to disk."""
        self._is_resigned = False
        return super().spilled(task)

    def unspilled(self, task: int, for_good: bool = True) -> None:
        """Take note that a result could not be written: others may go instead."""
        self._is_resigned = False
        super().unspilled(task, for_good)

    @property
    def is_short_of_room(self) -> bool:
        """Whether what is held or ready lacks room, and a worker may find something to write.

        Unlike in a run that ends, others who run may run for ever, and nothing is done by then.
        """
        if super().is_short_of_room:
            return True
        if not self.spills or self._is_resigned:
            return False
        return self._lacks_room()

    def _lacks_room(self) -> bool:
        room, first = self._rooms(), self._first()
        return min(room) < 0 or first is not None and bool(self._short(first, room))

    @property
    def waits_for_holders(self) -> bool:
        """Whether room is lacking, and some results stay only because others hold them now."""
        return self.spills and bool(self._spared) and self._lacks_room()

    def came_back(self, task: int) -> None:
        """Take note that a result that was on disk is in memory again."""
        if self._status[task] != _SPILLED:
            raise self._illegal(task, "came back")
        for user in set(self._open_users(task)):
            if self._status[user] != _RUNNING:  # which reads it by itself
                self._add_read(user, task, -1)
        self._status[task] = _HELD
        self._nbytes[task] = nbytes = self._away.pop(task)
        self.alive[self._space[task]] += nbytes
        self._unshelve(task)
        self._moved((task,))
        self._is_resigned = False

    def reconsider(self, may_go: Callable[[int], bool], n_finished: int | None = None) -> bool:
        """Look again at results that could not be written, once as many tasks have finished.

        Returns
        -------
        bool
            Whether some of them may go now.
        """
        self._is_resigned = False
        self._patience -= len(self._spared) if n_finished is None else n_finished
        if self._patience > 0:
            return False
        self._patience = len(self._spared)
        free = [task for task in self._spared if may_go(task)]
        self._spared.difference_update(free)
        self._moved(free)
        return bool(free)

    def _has_written(self, task: int, event: str) -> bool:
        is_needed = super()._has_written(task, event)
        if self._status[task] == _FORGOTTEN:
            self._free_number(task)
        return is_needed

    def pause(self, task: int) -> None:
        """Take note that a running task waits for others: until `go_on`, it needs no room."""
        if self._status[task] != _RUNNING:
            raise self._illegal(task, "paused")
        self.running -= 1
        self._reserve(task, -1)
        self._is_resigned = False  # what it does not use soon may go

    def go_on(self, task: int) -> None:
        """Take note that a task that was paused goes on."""
        self.running += 1
        self._reserve(task)
