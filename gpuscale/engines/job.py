"""One run of one graph: what drivers with and without threads share."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from operator import sub
from traceback import clear_frames
from typing import Any

from gpuscale.backends.devices import IN_USE, running
from gpuscale.backends.seams import is_out_of_memory
from gpuscale.base import config
from gpuscale.base.errors import EngineError, SpillError
from gpuscale.base.sizes import format_bytes
from gpuscale.base.types import Key
from gpuscale.engines.events import (
    PERIOD,
    EventDesk,
    Listener,
    Progressed,
    RunFinished,
    RunStarted,
    TaskFailed,
    TaskFinished,
    TaskRetried,
    TaskStarted,
)
from gpuscale.engines.failure import Failure, annotate, task_name, too_late, traceback_of
from gpuscale.engines.overlimit import why_they_stay
from gpuscale.engines.relief import find_room
from gpuscale.engines.rescue import rescue
from gpuscale.engines.sharing import room_beside
from gpuscale.engines.spiller import Spiller
from gpuscale.engines.spilling import KEPT_CHUNKS
from gpuscale.engines.state import State
from gpuscale.engines.states import Status
from gpuscale.engines.timeouts import call_within
from gpuscale.engines.tokens import Tokens
from gpuscale.graph.numbering import number
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Task
from gpuscale.memory.freed import keep_freed_memory
from gpuscale.memory.kept import kept_bytes, let_kept_leave
from gpuscale.memory.limits import device_memory_limit, shelf_bytes
from gpuscale.memory.measure import held_bytes
from gpuscale.memory.parked import Parked
from gpuscale.memory.projection import LIMITS, check_measured, hands_on
from gpuscale.memory.spaces import DEVICE, HOST, OF_HOST, SPACES, space_of_result, use_device_of

__all__ = ["Job"]

_logger = logging.getLogger("gpuscale.run")


class Job:
    """State, results and events of one run.

    Parameters
    ----------
    graph : mapping of Key to Task
    keys : sequence of Key
    listeners : sequence of callables
    budget : float
        Bytes of the host that results and running tasks may take together.
    tokens : Tokens, optional
        What is scarce.
    on_error : {"raise", "continue"}
    keeps : bool
        Whether requested results stay where they are, in memory or on disk.

    Attributes
    ----------
    limits : list of float
        Bytes of each space for this run and others beside it.
    lock : Lock or RLock
        Guards the state where several threads work at the run.
    starved : set of int
        Tasks that wait for others to end, since the device has no memory for them.
    failures : list of Failure
        Of tasks that failed without ending the run.
    """

    __slots__ = (
        "_deps",
        "_device_budget",
        "_keeps",
        "_misplaced",
        "_results",
        "desk",
        "failures",
        "graph",
        "limits",
        "lock",
        "starved",
        "spiller",
        "state",
    )

    def __init__(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        listeners: Sequence[Listener],
        budget: float,
        tokens: Tokens | None = None,
        on_error: str = "raise",
        keeps: bool = False,
        device_budget: float | str | None = None,
    ) -> None:
        keep_freed_memory()
        self._keeps, self._device_budget = keeps, device_budget
        self.graph = number(graph, keys)
        self.state = State(self.graph, depth_first(self.graph), budget, tokens, on_error)
        self.limits = list(self.state.budget)
        self.lock: Any = threading.Lock()
        self._misplaced: list[tuple[int, int]] = []  # tasks whose results lie in another space
        self.failures: list[Failure] = []
        self.desk = EventDesk(listeners)
        self._deps = self.graph.deps
        self._results: list[Any] = [None] * len(self.graph)
        self.starved: set[int] = set()
        self.spiller = Spiller(self.graph, self._results, self.desk, keeps)
        self.state.spills = config.get("spill")
        if any(self.state._space):
            self.limit_device()

    def limit_device(self) -> None:
        """Keep to the limit of the device from now on: some result lies there."""
        limit = device_memory_limit(self._device_budget)
        self.limits[DEVICE] = self.state.budget[DEVICE] = limit
        self.state.shelf = shelf_bytes(self.limits[HOST])

    def look_for_room(self, siblings: Collection[Any] = (), own: Any = None) -> None:
        """Take what other runs leave of the limits, and what else there is in memory."""
        state, room, kept = self.state, room_beside(siblings, own, self.limits), kept_bytes()
        state.kept, state.budget = kept, list(map(sub, room, kept))
        counted = self.limits[HOST] - state.budget[HOST] + state.alive[HOST] + state.reserved[HOST]
        state.budget[HOST] -= self.spiller.beside(counted, self.limits[HOST])

    def perform(self, i: int, worker: int) -> int:
        """Run a task, keep its result, and return the bytes that the result holds."""
        task = self.graph.tasks[i]
        if i in self.state.measured:
            self._check_measured(i, task)
        if self.desk.wants_tasks:
            return self._perform_watched(i, task, worker)
        results = self._results
        try:
            if IN_USE:
                result = self._on_device(i, task, worker)
            else:
                if self.spiller.active:
                    inputs = self.spiller.inputs(i, worker)
                else:
                    inputs = [results[dep] for dep in self._deps[i]]
                if task.options is None:
                    result = task.fn(*inputs, *task.args)
                else:
                    result = _call(task, task.fn, inputs)
        except BaseException as error:
            if self.desk.wants_tasks:  # a listener came to a session while the task ran
                self._tell_failed(task, worker, self.desk.since, error)
            raise
        results[i] = result
        nbytes = self._held_bytes(i, task, result)
        if self.desk.wants_tasks:  # as above
            self._tell_finished(task, worker, self.desk.since, nbytes, result)
        return nbytes

    def _perform_watched(self, i: int, task: Task, worker: int) -> int:
        start = time.perf_counter()
        self.desk.post(TaskStarted(task.key, task.label, worker, start))
        try:
            if IN_USE:
                result = self._on_device(i, task, worker)
            else:
                result = _call(task, task.fn, self.spiller.inputs(i, worker))
        except BaseException as error:
            self._tell_failed(task, worker, start, error)
            raise
        self._results[i] = result
        nbytes = self._held_bytes(i, task, result)
        self._tell_finished(task, worker, start, nbytes, result)
        return nbytes

    def _on_device(self, i: int, task: Task, worker: int) -> Any:
        """Run a task where devices are in use: on a stream, and again if memory runs out."""

        def attempt(function: Callable[..., Any]) -> Any:
            return _call(task, _on_stream(task, function), self.spiller.inputs(i, worker))

        try:
            return attempt(task.fn)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            held = partial(zip, self.graph.tasks, self._results)
            return rescue(task, attempt, partial(find_room, self, i, worker), held, error)

    def _tell_finished(
        self, task: Task, worker: int, start: float, nbytes: int, result: Any
    ) -> None:
        stop, shown = time.perf_counter(), result if self.desk.wants_results else None
        space = space_of_result(result) if nbytes else HOST
        self.desk.post(
            TaskFinished(task.key, task.label, worker, start, stop, nbytes, shown, space)
        )

    def _tell_failed(self, task: Task, worker: int, start: float, error: BaseException) -> None:
        stop = time.perf_counter()
        self.desk.post(TaskFailed(task.key, task.label, worker, start, stop, error))

    def _held_bytes(self, i: int, task: Task, result: Any) -> int:
        handed = self.state.bytes_of(self._deps[i][0]) if hands_on(task) else task.nbytes
        nbytes = held_bytes(result, handed)
        space = HOST if type(result) in OF_HOST else space_of_result(result)
        if space != task.space and nbytes:
            self._misplaced.append((i, space))
        return nbytes

    def _relocate(self) -> None:
        """Report results that lie elsewhere than projected, before they are reported finished."""
        while self._misplaced:
            i, space = self._misplaced.pop()
            if self.state.status(i) == Status.RUNNING:
                self.state.relocate(i, space)
                if space == DEVICE and self.limits[DEVICE] == float("inf"):
                    use_device_of(self._results[i])
                    self.limit_device()

    def _check_measured(self, i: int, task: Task) -> None:
        """Refuse a task of which only its inputs show that it takes more than there may be."""
        state = self.state
        inputs = [(state.bytes_of(dep), state._space[dep]) for dep in self._deps[i]]
        check_measured(task, inputs, self.limits)

    def finish(self, finished: Sequence[tuple[int, int]]) -> None:
        """Report tasks and the bytes of their results; let go what nobody needs any more."""
        results = self._results
        if self._misplaced:
            self._relocate()
        for i in self.state.finish_all(finished):
            results[i] = None

    def fail(self, i: int, worker: int, error: BaseException) -> None:
        """Report that a task raised: it is tried again, or ends what needs it, or the run."""
        state, task = self.state, self.graph.tasks[i]
        self.blame(error, i)
        ended = state.fail(i, time.perf_counter(), fatal=not isinstance(error, Exception))
        self.drop(ended.released)
        if state.status(i) == Status.RETRYING:
            self.tell_retry(i, worker, error)
        elif not state.cancelled and isinstance(error, Exception):
            clear_frames(traceback_of(error))  # which hold the task's inputs
            failure = Failure(task.key, error, task_name(task))
            self.failures.append(failure)
            for each in ended.ended:
                self._results[each] = failure

    def tell_retry(self, i: int, worker: int, error: BaseException) -> None:
        """Tell listeners that a task is tried again."""
        task = self.graph.tasks[i]
        if self.desk.wants_tasks and task.options is not None:
            attempt, now = self.state.attempts(i), time.perf_counter()
            delay = task.options.delay(attempt)
            event = TaskRetried(task.key, task.label, worker, now, attempt, delay, error)
            self.desk.post(event)

    def nap(self) -> bool:
        """Wait a little for tasks that are to be tried again; say whether there are any."""
        due = self.state.next_due
        if due is None:
            return False
        time.sleep(min(PERIOD, max(0.0, due - time.perf_counter())))
        self.announce_progress()
        self.state.due(time.perf_counter())
        return True

    def drop(self, released: Sequence[int]) -> None:
        """Let results go."""
        for i in released:
            self._results[i] = None

    def make_room(self, worker: int) -> bool:
        """Write a result to disk if nothing can run otherwise; say whether that was done.

        Raises
        ------
        SpillError
            Nothing can run, since the disk is full.
        """
        victim = self.state.spill()
        if victim is None:
            if self.state.is_stuck:
                raise self.no_room()
            return False
        self.take_written(victim, self.write(victim, worker))
        return True

    def write(self, i: int, worker: int) -> Any:
        """Write a result away, without the lock; `take_written` takes note of it."""
        if i == KEPT_CHUNKS:
            return self._let_kept_leave()
        if isinstance(self._results[i], Parked):
            return self._results[i] if self.spiller.sink(i, worker) else None
        return self.spiller.write(i, worker, on_shelf=self.state.goes_on_shelf(i))

    def _let_kept_leave(self) -> int:
        assert self.state.leaving is not None
        try:
            return let_kept_leave(*self.state.leaving)
        except SpillError as error:
            self.spiller.error = error
            return 0

    def no_room(self) -> BaseException:
        """Say why nothing can run."""
        return self.spiller.error or EngineError("there is no room for any task")

    def take_written(self, i: int, written: Any) -> None:
        """Report to the state that a result is where it should go, or could not be written."""
        state = self.state
        if self.spiller.error is not None:
            state.spills = state.may_exceed = False
        if i == KEPT_CHUNKS:
            state.kept_left(written)
        elif written is None:
            state.unspilled(i)
        elif not state.spilled(i):
            self._results[i] = written

    def blame(self, error: BaseException, i: int) -> None:
        """Note on an exception which task raised it. Ctrl-C is nobody's fault."""
        if isinstance(error, KeyboardInterrupt):
            return
        with suppress(Exception):  # from what the inputs say of themselves: better no note
            annotate(error, self.graph.tasks[i], [self._results[dep] for dep in self._deps[i]])

    def requested(self) -> list[Any]:
        """Return the requested results, in the order of the request."""
        if self._keeps:
            self._settle()
        return self.spiller.requested()

    def _settle(self) -> None:
        """Have all that is kept where it belongs if there is room for it together, else away.

        Away as a whole, so that those who read it later have all of the budget.
        """
        state, kept = self.state, set(self.graph.kept)
        for space in reversed(SPACES):  # what leaves the device may lie on the host then
            own = [i for i in kept if state._space[i] == space]
            shelved = self._bytes_on_shelf() if space == HOST else 0
            if self._makes_room(sum(map(state.bytes_of, own)) + shelved, space):
                self.spiller.bring_back(own, may_stay=True)
                continue
            while (victim := state.spill_from(space)) is not None:
                self.take_written(victim, self.write(victim, 0))
            alive, budget = state.alive[space], state.budget[space]
            if alive > budget:
                _logger.warning(
                    "persist keeps %s in memory, more than the %s of %s: %s",
                    format_bytes(alive), LIMITS[space], format_bytes(budget),
                    why_they_stay(state, space, self.spiller.error),
                )  # fmt: skip

    def _makes_room(self, nbytes: int, space: int) -> bool:
        """Say whether there is room to keep so many bytes; what was kept before leaves for it."""
        self.look_for_room()
        lack = nbytes - self.state.budget[space]
        if lack > self.state.kept[space]:
            return False
        return lack <= 0 or self.state.spills and let_kept_leave(int(lack), space) >= lack

    def _bytes_on_shelf(self) -> int:
        """Bytes of results of the device that lie in memory of the host."""
        away = (each for each in self._results if isinstance(each, Parked))
        return sum(each.nbytes for each in away if not each.stored)

    def announce_start(self, n_workers: int) -> None:
        """Tell listeners that the run begins."""
        if self.desk:
            tasks, kept = self.graph.tasks, self.graph.kept
            total, (budget, on_device) = sum(task.nbytes for task in tasks), self.state.budget
            keys, now = [tasks[i].key for i in kept], time.perf_counter()
            self.desk.post(
                RunStarted(
                    len(tasks), total, n_workers, budget, now, tasks, keys, device_budget=on_device
                )
            )
            self.desk.deliver()

    def announce_progress(self) -> None:
        """Deliver waiting events, and tell how far the run is if it is time for that."""
        if self.desk.due():
            if self.desk.wants_progress:
                state, n_tasks = self.state, len(self.graph)
                done = n_tasks - state.unfinished
                now, (alive, on_device) = time.perf_counter(), state.alive
                self.desk.post(Progressed(done, n_tasks, state.processed, alive, now, on_device))
            self.desk.deliver()

    def announce_end(self, error: BaseException | None = None) -> None:
        """Tell listeners that the run is over, also those that run after one that raises."""
        self.spiller.end()
        if self.desk:
            try:
                self.desk.deliver()
            except BaseException as raised:
                self._tell_end(raised)
                raise
            self._tell_end(error)

    def _tell_end(self, error: BaseException | None) -> None:
        done = len(self.graph) - self.state.unfinished - self.state.n_given_up
        processed, now = self.state.processed, time.perf_counter()
        self.desk.post(RunFinished(done, processed, now, error, tuple(self.failures)))
        self.desk.deliver()


def _call(task: Task, function: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Call a function for a task; in another thread if it may take so long and no longer."""
    seconds = None if task.options is None else task.options.timeout
    if seconds is None:
        return function(*inputs, *task.args)
    return call_within(seconds, lambda: function(*inputs, *task.args), too_late(task, seconds))


def _on_stream(task: Task, function: Callable[..., Any]) -> Callable[..., Any]:
    """Put a function on the stream of the thread that calls it."""

    def on_stream(*args: Any) -> Any:
        with running(task.label or task_name(task)):
            return function(*args)

    return on_stream
