"""What a session knows: which keys are here, who wants their results, and what became of them.

No threads and no locks: `gpuscale.engines.session` has these. Whoever wants a result holds its
`Outcome`; the book holds weak references, so the last holder who goes lets go of the result.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any

from gpuscale.base.types import Key
from gpuscale.engines.away import Away
from gpuscale.engines.events import Released
from gpuscale.engines.failure import task_name
from gpuscale.engines.ledger import KEPT, Ended
from gpuscale.engines.outcome import Outcome, Verdict
from gpuscale.engines.shelf import Shelf, WantedRef
from gpuscale.engines.states import Status
from gpuscale.engines.tokens import Tokens
from gpuscale.engines.watching import Watching
from gpuscale.graph.numbering import NumberedGraph, number
from gpuscale.graph.order import depth_first
from gpuscale.graph.task import Graph
from gpuscale.memory.spaces import DEVICE

__all__ = ["After", "Book"]

# A task that may still get a result.
_AHEAD = frozenset({Status.WAITING, Status.READY, Status.RUNNING, Status.RETRYING})


class After:
    """What has to be done without a lock: people are told, and what they dropped goes.

    Either may call functions of the user's, which may come back here.
    """

    __slots__ = ("garbage", "verdicts")

    def __init__(self) -> None:
        self.verdicts: list[tuple[Outcome, Verdict, Any, BaseException | None]] = []
        self.garbage: list[Any] = []

    def do(self) -> None:
        """Settle outcomes, and let go of results."""
        while self.verdicts:
            outcome, status, value, error = self.verdicts.pop()
            outcome.settle(status, value, error)
        self.garbage.clear()


class Book(Shelf):
    """State, keys and results of tasks that come and go.

    Parameters
    ----------
    budget : float
        Bytes that results and running tasks may take together.
    tokens : Tokens
        What is scarce.
    on_lost : callable, optional
        Called with the reference when an outcome goes, in any thread at any time, so that it may
        do little more than to append the reference to `lost`.
    on_back, device_budget
        Of the `Shelf`.

    Attributes
    ----------
    inbox : dict
        Outcomes of the tasks that came last, by key.
    lost : deque
        References to outcomes that are gone; `let_go` takes note of them.
    watching : Watching
        Who watches, to whom events go.
    """

    __slots__ = (
        "_numbers",
        "_on_lost",
        "_still_read",
        "_tokens",
        "inbox",
        "lost",
        "watching",
    )

    def __init__(
        self,
        budget: float,
        tokens: Tokens,
        on_lost: Callable[[weakref.ref[Outcome]], object] | None = None,
        on_back: Callable[[Away], object] | None = None,
        device_budget: float | str | None = None,
    ) -> None:
        super().__init__(budget, tokens, on_back, device_budget)
        self.desk = self.spiller.desk = self.watching = Watching(self.growing)
        self.lost: deque[weakref.ref[Outcome]] = deque()
        self._on_lost = on_lost or self.lost.append
        self._tokens = tokens
        self.inbox: dict[Key, Outcome] = {}
        self._numbers: dict[Key, int] = {}
        self._still_read: frozenset[int] = frozenset()  # results, once it is closed

    # tasks come

    def add(self, graph: Graph, outcomes: Sequence[Outcome], after: After) -> list[Outcome]:
        """Take tasks; return for each wanted one the outcome of its key, old or new.

        Single tasks lie in the inbox until `absorb`, since many at once cost less.
        """
        if len(outcomes) == 1 and len(graph) == 1:
            return [self._add_one(outcomes[0], after)]
        self.absorb(after)
        chosen: list[Outcome] = []
        new: dict[Key, Outcome] = {}
        for outcome in outcomes:
            key = outcome.task.key
            there = new.get(key) or self._there(key, outcome, after)
            if there is None:
                there = new[key] = outcome
            chosen.append(there)
        if new:
            if self.watching:
                self.watching.see_who_submits([k for k in graph if k not in self._numbers])
            self._add_new(graph, new, after)
        return chosen

    def _add_one(self, outcome: Outcome, after: After) -> Outcome:
        task = outcome.task
        key, inbox = task.key, self.inbox
        there = inbox.get(key) or self._there(key, outcome, after)
        if there is not None:
            return there
        if not self.add_at_once(outcome):
            for dep in task.deps:
                if dep not in self._numbers and dep not in inbox:
                    raise CancelledError(f"{dep!r}, which {key!r} needs, was cancelled")
            if self.watching:
                self.watching.see_who_submits((key,))
            inbox[key] = outcome
            self.absorb(after)  # before something it needs may be dropped
        return outcome

    def add_at_once(self, outcome: Outcome) -> bool:
        """Take one new task in a single step, if no more has to be done; say whether.

        An interrupt before or after that step leaves everything as it should be.
        """
        task, inbox, numbers = outcome.task, self.inbox, self._numbers
        key = task.key
        if key in inbox or key in numbers:
            return False
        if task.options is not None:  # before it lies beside others, which it would take along
            self._tokens.check(task)
        for dep in task.deps:
            i = numbers.get(dep)
            if dep not in inbox if i is None else i not in self._wanted:
                return False
        if self.watching:
            self.watching.see_who_submits((key,))
        inbox[key] = outcome
        return True

    def absorb(self, after: After) -> None:
        """Let the tasks of the inbox begin."""
        new = self.inbox
        if new:
            self.inbox = {}
            tasks, turns = [outcome.task for outcome in new.values()], range(len(new))
            if any(task.priority for task in tasks):
                self._add_new({task.key: task for task in tasks}, new, after)
            else:  # in the order in which they came each stands after all that it needs
                self._begin(NumberedGraph(tasks, [], [], turns, list(turns)), turns, new, after)

    def _there(self, key: Key, outcome: Outcome, after: After) -> Outcome | None:
        """Return the outcome of a key that is here: somebody else's, or the one given."""
        i = self._numbers.get(key)
        if i is None:
            return None
        ref = self._wanted.get(i)
        owner = None if ref is None else ref()
        if owner is not None:
            return owner
        status = self.state.status(i)
        if status not in KEPT and status not in _AHEAD:
            self._forget(i, after)  # nobody holds it, so nobody knows why: it is tried again
            return None
        if ref is None:
            self.growing.retain(i)
        self._want(i, outcome)
        if status in KEPT:
            result = self._results[i]
            if status == Status.SPILLED:
                result = Away(None, i, self._on_back, result)
            after.verdicts.append((outcome, "finished", result, None))
        return outcome

    def _add_new(self, graph: Graph, new: dict[Key, Outcome], after: After) -> None:
        failed = self._held_failures(graph, after)
        tasks = {key: task for key, task in graph.items() if key not in self._numbers}
        numbered = number(tasks, list(new), self._numbers)
        self._begin(numbered, depth_first(numbered), new, after)
        del failed  # until here they say why what needs them cannot run

    def _held_failures(self, graph: Graph, after: After) -> list[Outcome]:
        """List outcomes of tasks that are here and have failed; forget those that nobody holds."""
        found = []
        for key in graph:
            i = self._numbers.get(key)
            if i is not None and self.growing.ended((i,)):
                outcome = self._outcome(i)
                if outcome is None:
                    self._forget(i, after)
                else:
                    found.append(outcome)
        return found

    def _begin(
        self, graph: NumberedGraph, order: Sequence[int], new: dict[Key, Outcome], after: After
    ) -> None:
        known = self._numbers
        self.reconsider()
        numbers = self.growing.add(graph, order, known)
        if self.limits[DEVICE] == float("inf") and any(task.space for task in graph.tasks):
            self.limit_device()
        if self.watching:
            self.watching.add(tuple(graph.tasks))
        self._results += [None] * (len(self.graph.tasks) - len(self._results))
        known.update(zip([task.key for task in graph.tasks], numbers, strict=True))
        for place in graph.kept:
            self._want(numbers[place], new[graph.tasks[place].key])
        gone = self.growing.ended(numbers)
        if gone:
            errors: dict[int, BaseException] = {}
            for i in [numbers[place] for place in graph.sorted]:  # after what it needs
                self._inherit(i, errors)
            self._after_end(Ended([], gone), after, errors)

    def _inherit(self, i: int, errors: dict[int, BaseException]) -> None:
        """A task that is skipped has the exception of what it needs."""
        for dep in self.graph.tasks[i].deps:
            number = self._numbers[dep]
            error = errors.get(number)
            if error is None and (outcome := self._outcome(number)) is not None:
                error = outcome.reported
            if error is not None:
                errors[i] = error
                return

    def _want(self, i: int, outcome: Outcome) -> None:
        ref = WantedRef(outcome, self._on_lost)
        ref.number = i
        self._wanted[i] = ref

    # what happened

    def note_finished(self, finished: Sequence[tuple[int, int]], after: After) -> None:
        """Take note that tasks returned results of so many bytes."""
        self.watching.n_finished += len(finished)
        for i, _ in finished:
            outcome = self._outcome(i)
            if outcome is not None:
                after.verdicts.append((outcome, "finished", self._results[i], None))
                if outcome.graph is None:  # the task is nobody else's: its arguments may go
                    self.graph.tasks[i].fn, self.graph.tasks[i].args = _has_run, ()
        if self._misplaced:
            self._relocate()
        for i in self.state.finish_all(finished):
            self._forget(i, after)
        self.growing.reconsider(self._may_go, len(finished))

    def note_failure(
        self, i: int, worker: int, error: BaseException, now: float, after: After
    ) -> None:
        """Take note that a task raised: it is tried again, or what needs it is skipped."""
        ended = self.growing.fail(i, now)
        if self.state.status(i) == Status.RETRYING:
            self.tell_retry(i, worker, error)
        self._after_end(ended, after, dict.fromkeys(ended.ended, error))

    def is_needed(self, i: int) -> bool:
        """Say whether anybody still needs a task that a worker is about to begin."""
        return self.growing.is_needed(i)

    def decline(self, i: int, after: After) -> None:
        """Take note that a worker does not begin a task, since nobody needs it any more."""
        self._after_end(self.growing.decline(i), after)

    def cancel(self, outcome: Outcome, after: After) -> None:
        """Give a task up, and all that need it; drop the result if there is one."""
        self.absorb(after)
        i = self._numbers.get(outcome.task.key)
        if i is None or self._outcome(i) is not outcome:
            return
        outcome.reported = None
        del self._wanted[i], self._numbers[outcome.task.key]
        after.verdicts.append((outcome, "cancelled", None, None))
        status = self.state.status(i)
        if status in _AHEAD:
            self._after_end(self.growing.revoke(i), after)
            if status == Status.RUNNING:
                self._after_end(self.growing.release(i), after)
        elif status in KEPT:
            self._after_end(self.growing.release(i), after)
        else:
            self._forget(i, after)

    def try_again(self, outcomes: Iterable[Outcome], after: After) -> None:
        """Add tasks that failed once more, under their old outcomes."""
        self.absorb(after)
        outcomes = list(outcomes)
        graph: Graph = {}
        for outcome in outcomes:
            outcome.reported = None
            i = self._numbers.get(outcome.task.key)
            if i is not None and self.state.status(i) not in _AHEAD:
                self._forget(i, after)
            graph.update(outcome.graph or {})
            graph[outcome.task.key] = outcome.task
        self._add_new(graph, {outcome.task.key: outcome for outcome in outcomes}, after)
        for outcome in outcomes:
            outcome.begin_again()

    def let_go(self, after: After) -> None:
        """Release the results whose outcomes are gone."""
        if self.inbox:
            self.absorb(after)
        self.look_back()
        while self.lost:
            ref = self.lost.popleft()
            assert isinstance(ref, WantedRef)
            i = ref.number
            if self._wanted.get(i) is not ref:
                continue
            if not self.growing.ended((i,)):
                del self._wanted[i]
                self._after_end(self.growing.release(i), after)
            else:
                self._forget(i, after)

    def close(self, after: After) -> None:
        """Start nothing any more; what has not begun is cancelled."""
        for outcome in self.pending(after):
            if self.state.status(self._numbers[outcome.key]) != Status.RUNNING:
                self._cancelled(outcome, "its client was closed before it began", after)
        read = frozenset(dep for i in self.growing.all_running() for dep in self._deps[i])
        released = self.growing.cancel()
        self._still_read = read.intersection(released)
        self._after_end(Ended(released, []), after)

    def end(self, after: After) -> None:
        """Let go of what tasks read that ran when it was closed, and have ended."""
        read, self._still_read = self._still_read, frozenset()
        self._after_end(Ended(list(read), []), after)

    def withdraw(self, i: int, after: After) -> None:
        """Take back from a worker what it has not begun."""
        outcome = self._outcome(i)
        self.state.withdraw(i)
        if outcome is not None:
            self._cancelled(outcome, "its client was closed before it began", after)

    def give_up_running(self, after: After) -> None:
        """Wait no longer for tasks that run."""
        for outcome in self.pending(after):
            why = "its client was closed while it ran, and did not wait for it any longer"
            self._cancelled(outcome, why, after)

    def _cancelled(self, outcome: Outcome, why: str, after: After) -> None:
        error = CancelledError(f"{task_name(outcome.task)} was cancelled: {why}")
        after.verdicts.append((outcome, "cancelled", None, error))

    # what there is

    def pending(self, after: After) -> list[Outcome]:
        """List wanted outcomes of tasks that have not ended."""
        self.absorb(after)
        found = [ref() for i, ref in self._wanted.items() if self.state.status(i) in _AHEAD]
        return [outcome for outcome in found if outcome is not None]

    def wanted(self) -> list[Outcome]:
        """List the outcomes of all tasks, whatever became of these."""
        found = [*self.inbox.values(), *(ref() for ref in self._wanted.values())]
        return [outcome for outcome in found if outcome is not None]

    def held(self) -> dict[Key, int]:
        """Bytes of the results that are held, by key."""
        return {
            key: n for key, i in self._numbers.items() if (n := self.growing.held(i)) is not None
        }

    # what follows

    def _outcome(self, i: int) -> Outcome | None:
        """Return the outcome of a task if anybody holds it."""
        ref = self._wanted.get(i)
        return None if ref is None else ref()

    def _after_end(
        self, ended: Ended, after: After, errors: Mapping[int, BaseException] | None = None
    ) -> None:
        for i in ended.released:
            self._forget(i, after)
        for i in ended.ended:
            ref = self._wanted.get(i)
            if ref is None:
                self._forget(i, after)
            elif (outcome := ref()) is not None:  # else `let_go` will see to it
                # It alone has the exception: whose frames may hold what holds it, but not the book.
                outcome.reported = error = None if errors is None else errors.get(i)
                status: Verdict = "cancelled" if error is None else "error"
                after.verdicts.append((outcome, status, None, error))

    def _forget(self, i: int, after: After) -> None:
        if i in self._still_read:
            return  # `end` does
        key = self.graph.tasks[i].key
        if self.desk.wants_releases:
            self.desk.post(Released(key, time.perf_counter()))
        if self._numbers.get(key) == i:
            del self._numbers[key]
        self._wanted.pop(i, None)
        after.garbage.append(self._results[i])
        self._results[i] = None
        self.growing.forget(i)


def _has_run() -> None:
    """Stand in the place of a function that has run, which may hold much."""
