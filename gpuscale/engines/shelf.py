"""Results that somebody holds, or that tasks will need: in memory, or on disk for want of room."""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from gpuscale.base import config
from gpuscale.engines.away import Away
from gpuscale.engines.events import Loaded
from gpuscale.engines.growing import GrowingState
from gpuscale.engines.job import Job
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.spilling import KEPT_CHUNKS
from gpuscale.engines.tokens import Tokens
from gpuscale.memory.data import is_data_alone
from gpuscale.memory.measure import is_held_alone
from gpuscale.memory.parked import Parked
from gpuscale.memory.spilled import Spilled

__all__ = ["Shelf", "WantedRef", "Written"]

# Seconds after which a disk that was full is tried again.
_PAUSE = 10.0


class Written(NamedTuple):
    """What became of a result that should go to disk."""

    stored: Spilled | None
    for_good: bool  # whether it cannot be written later either
    outcome: Outcome | None = None
    away: Away | None = None
    kept: int = 0  # bytes that have left of what persist keeps


class WantedRef(weakref.ref[Outcome]):
    """A weak reference to an outcome that knows the number of its task."""

    __slots__ = ("number",)
    number: int


class Shelf(Job):
    """The part of a book that knows where results are.

    Parameters
    ----------
    budget : float
        Bytes that results and running tasks may take together.
    tokens : Tokens
        What is scarce.
    on_back : callable, optional
        Called with a result that was on disk when it is in memory again, in any thread at any
        time, so that it may do little more than to append it to `back`.
    device_budget : float or str, optional
        Of a `Job`.

    Attributes
    ----------
    back : deque
        Results that are in memory again; `look_back` takes note of them.
    disk_again : float
        When to write to a disk again that was full.
    """

    __slots__ = ("_on_back", "_wanted", "back", "disk_again", "growing")

    def __init__(
        self,
        budget: float,
        tokens: Tokens,
        on_back: Callable[[Away], object] | None = None,
        device_budget: float | str | None = None,
    ) -> None:
        super().__init__({}, [], (), budget, device_budget=device_budget)
        self.state = self.growing = GrowingState(
            self.graph, [], budget, tokens, on_error="continue"
        )
        self.growing.spills = config.get("spill")
        self.back: deque[Away] = deque()
        self.disk_again = 0.0
        self._on_back = on_back or self.back.append
        self._wanted: dict[int, WantedRef] = {}

    def write(self, i: int, worker: int) -> Written:
        """Write a result to disk, if nobody but those who hold its outcome can reach it.

        May be called while others use the book: `take_written` takes note of it.
        """
        if i == KEPT_CHUNKS:
            return Written(None, False, kept=super().write(i, worker))
        if isinstance(self._results[i], Parked):  # which whoever has it does not see
            return Written(super().write(i, worker), False)
        on_shelf = self.state.goes_on_shelf(i)
        ref = self._wanted.get(i)
        outcome = None if ref is None else ref()
        if outcome is None:
            stored = self.spiller.write(i, worker, on_shelf=on_shelf)
            return Written(stored, stored is None)
        away = outcome.send_away(i, self._on_back)
        if away is None:  # it has just been cancelled, or those who wait are not told yet
            return Written(None, False)
        stored, for_good = None, False
        try:
            if is_held_alone(self._results, i, others=1):
                for_good = not is_data_alone(self._results, i, others=1)
                stored = None if for_good else self.spiller.write(i, worker, 1, on_shelf)
        except Exception:  # what a table does of its own: no worker may end with it
            for_good = True
        return Written(stored, for_good, outcome, away)

    def take_written(self, i: int, written: Written) -> None:
        """Take note that a result is on disk, or could not be written: tasks go on in any case."""
        is_parked = written.stored is not None and written.stored is self._results[i]
        stored = written.stored if is_parked else self._agreed(i, written)
        if self.spiller.error is not None:
            self.state.spills = False
            self.disk_again = time.monotonic() + _PAUSE
        if i == KEPT_CHUNKS:
            self.state.kept_left(written.kept)
        elif stored is None:
            self.state.unspilled(i, written.for_good)
            if written.stored is not None:
                self._tell_back(i, written.stored.nbytes)
        elif not self.state.spilled(i):
            self._results[i] = stored

    def try_disk_again(self) -> None:
        """Write results once more if the disk was full some time ago."""
        if self.spiller.error is not None and time.monotonic() > self.disk_again:
            self.spiller.error = None
            self.state.spills = True

    def _agreed(self, i: int, written: Written) -> Spilled | None:
        """Say what is on disk, None if somebody has got hold of the result meanwhile."""
        stored, outcome, away = written.stored, written.outcome, written.away
        ref = self._wanted.get(i)
        if outcome is None or away is None:
            return stored if ref is None else None
        if ref is None or ref() is not outcome:
            stored = None
        return stored if outcome.has_left(away, stored) else None

    def _may_go(self, i: int) -> bool:
        return is_held_alone(self._results, i, others=1)

    def reconsider(self) -> bool:
        """Look again at results that others held; say whether some may go to disk now."""
        return self.growing.reconsider(self._may_go)

    def look_back(self) -> None:
        """Hold results in memory again that somebody who has their outcome asked for."""
        while self.back:
            away = self.back.popleft()
            i = away.number
            if away.stored is not None and self._results[i] is away.stored:
                self._results[i] = away.fetch()
                self.growing.came_back(i)
                self._tell_back(i, away.stored.nbytes)
                self.reconsider()

    def _tell_back(self, i: int, nbytes: int) -> None:
        """Tell listeners that a result is not on disk any more."""
        if self.desk.wants_spills:
            task, now = self.graph.tasks[i], time.perf_counter()
            self.desk.post(Loaded(task.key, task.label, 0, now, now, nbytes, stays=True))
