"""Writes results of one run to disk, or from the device to the host, and brings them back.

In whichever thread asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from gpuscale.backends.seams import is_out_of_memory
from gpuscale.base.errors import DeviceMemoryError, SpillError
from gpuscale.engines.events import EventDesk, Loaded, Spilled
from gpuscale.engines.rescue import rescue
from gpuscale.graph.numbering import NumberedGraph
from gpuscale.memory.data import is_data_alone
from gpuscale.memory.freed import (
    bytes_of_process,
    give_back_freed_memory,
    keep_only_small_blocks,
)
from gpuscale.memory.kept import let_kept_leave
from gpuscale.memory.measure import held_bytes, is_held_alone
from gpuscale.memory.parked import Parked, is_whole, park
from gpuscale.memory.projection import reads_regions
from gpuscale.memory.spaces import DEVICE, HOST, space_of_result
from gpuscale.memory.spill import is_plain, spill
from gpuscale.memory.spill_folder import spill_folder
from gpuscale.memory.spilled import OnDisk

__all__ = ["Spiller"]


def _kept_leave(nbytes: int) -> bool:
    return let_kept_leave(nbytes) > 0


# Bytes of results after which the memory that was freed meanwhile is given back to the system.
_TRIM_AFTER = 1 << 24
# Part of the memory limit from which on memory is scarce, with what the process took before: it is
# given back before any result has to be written.
_SCARCE = 0.6
# Part of it that may go to what the process takes beside results and tasks.
_MOST_BESIDE = 0.4
# Part of it that is left for what tasks take beyond that from one measurement to the next.
_BETWEEN = 1 / 32
# In smaller limits there is no room for modules: they are for tasks alone.
_LEAST = 1 << 28
# What is left of an earlier measurement of that at the next one, which may come when tasks have not
# yet taken what they reserve.
_FADING = 0.98


class Spiller:
    """What a run has elsewhere than where it belongs.

    Parameters
    ----------
    graph : NumberedGraph
    results : list
        Of all tasks; those that are away stand there as what `gpuscale.memory.spilled` and
        `gpuscale.memory.parked` have.
    desk : EventDesk
    keeps : bool
        Whether requested results stay where they are, in memory or on disk.

    Attributes
    ----------
    active : bool
        Whether memory is scarce: results have been written, or may soon have to be.
    error : SpillError or None
        Why no more results are written.
    desk : EventDesk
    """

    __slots__ = (
        "_at_first",
        "_beside",
        "_churned",
        "_graph",
        "_keeps",
        "_kept",
        "_resident",
        "_results",
        "active",
        "desk",
        "error",
    )

    def __init__(
        self, graph: NumberedGraph, results: list[Any], desk: EventDesk, keeps: bool = False
    ) -> None:
        self._keeps = keeps
        self._graph, self._results, self.desk = graph, results, desk
        self._kept = frozenset(graph.kept)
        self._churned = self._resident = 0
        self._at_first: int | None = None
        self._beside = 0.0
        self.active = False
        self.error: SpillError | None = None

    def beside(self, counted: float, limit: float) -> float:
        """Bytes of the limit that the process takes beside what is counted, once it is scarce.

        Those are modules and what they keep, gaps between blocks, and data of the user.
        """
        if not self.active:
            if not counted or counted + self._before(limit) <= _SCARCE * limit:
                return 0.0
            self._start()
        if self._resident:
            found, self._resident = self._resident - counted, 0
            self._beside = max(0.0, found, _FADING * self._beside)
        if limit < _LEAST:
            return 0.0
        return min(self._beside + _BETWEEN * limit, _MOST_BESIDE * limit)

    def _before(self, limit: float) -> float:
        """Bytes that the process took when the run began, as far as these count in a limit."""
        if self._at_first is None:
            self._at_first = bytes_of_process() if _LEAST <= limit < float("inf") else 0
        return min(self._at_first, _MOST_BESIDE * limit)

    def _start(self) -> None:
        self.active = True
        keep_only_small_blocks()
        self._give_back()

    def end(self) -> None:
        """Leave no memory with the process that the run has freed, if it was scarce."""
        if self.active:
            give_back_freed_memory()

    def write(self, i: int, worker: int, others: int = 0, on_shelf: bool = False) -> Any:
        """Write a result; None if that is impossible or would free no memory.

        Parameters
        ----------
        i, worker : int
        others : int
            How many hold the result as well, and will let go of it.
        on_shelf : bool
            Whether a result of the device stays in the memory of the host, and does not go to disk.
        """
        results, task = self._results, self._graph.tasks[i]
        if not is_held_alone(results, i, others):
            return None
        if i in self._kept and not self._may_go(i, others):
            return None  # whoever asked for an object gets the very object
        if not self.active:
            self._start()
        nbytes, space = held_bytes(results[i], task.nbytes), space_of_result(results[i])
        start = time.perf_counter()
        written: OnDisk | None
        try:
            if space == DEVICE:
                written = self._park(results[i], on_shelf)
            else:
                written = spill(results[i], spill_folder(), nbytes)
        except SpillError as error:
            self.error = error
            return None
        if written is not None:
            self._tell_spilled(i, worker, start, nbytes, written.stored, space)
        return written

    def _park(self, result: Any, on_shelf: bool) -> Parked | None:
        try:
            parked = park(result)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return None  # not even for the copy: it is no help to who looks for room
        if parked is not None and not on_shelf:
            parked.sink(spill_folder())
        return parked

    def sink(self, i: int, worker: int) -> bool:
        """Write a result of the device from the memory of the host to disk; say whether it went."""
        parked: Parked = self._results[i]
        start = time.perf_counter()
        try:
            parked.sink(spill_folder())
        except SpillError as error:
            self.error = error
            return False
        self._tell_spilled(i, worker, start, parked.nbytes, parked.stored, HOST)
        return True

    def _tell_spilled(
        self, i: int, worker: int, start: float, nbytes: int, stored: int, space: int
    ) -> None:
        stop, task = time.perf_counter(), self._graph.tasks[i]
        self._churn(nbytes)
        if self.desk.wants_spills:
            event = Spilled(task.key, task.label, worker, start, stop, nbytes, stored, space)
            self.desk.post(event)

    def _may_go(self, i: int, others: int) -> bool:
        if self._keeps:
            return is_data_alone(self._results, i, others)
        return is_plain(self._results[i]) or is_whole(self._results[i])

    def inputs(self, i: int, worker: int) -> list[Any]:
        """Return what a task gets, of which some may be on disk."""
        results, task = self._results, self._graph.tasks[i]
        self._churn(task.nbytes + task.workspace)
        inputs = [results[dep] for dep in self._graph.deps[i]]
        for k, value in enumerate(inputs):
            if isinstance(value, OnDisk):
                if reads_regions(task):
                    inputs[k] = value.regions()
                else:
                    inputs[k] = self._load(self._graph.deps[i][k], value, worker)
        return inputs

    def requested(self) -> list[Any]:
        """Return the requested results, in the order of the request."""
        if not self._keeps:
            self.bring_back(self._kept)
        return [self._results[i] for i in self._graph.kept]

    def bring_back(self, tasks: Iterable[int], may_stay: bool = False) -> None:
        """Hold results that are away where they belong again.

        Parameters
        ----------
        tasks : iterable of int
        may_stay : bool
            Whether those for which a device has no memory stay where they are.

        Raises
        ------
        DeviceMemoryError
            If a device has no memory for one that may not.
        """
        for i in tasks if self.active else ():
            try:
                self._results[i] = self.result(i)
            except DeviceMemoryError:
                if may_stay:
                    return
                raise

    def result(self, i: int) -> Any:
        """Return one result, which may be away.

        Raises
        ------
        DeviceMemoryError
            If its device has no memory for it.
        """
        value, task = self._results[i], self._graph.tasks[i]
        if not isinstance(value, OnDisk):
            return value
        try:
            return self._load(i, value, worker=0)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            held = partial(zip, self._graph.tasks, self._results)
            return rescue(task, lambda _: self._load(i, value, 0), _kept_leave, held, error)

    def _churn(self, nbytes: int) -> None:
        """Let memory that was freed go from time to time: it is scarce."""
        self._churned += nbytes
        if self.active and self._churned > _TRIM_AFTER:
            self._churned = 0
            self._give_back()

    def _give_back(self) -> None:
        give_back_freed_memory()
        self._resident = bytes_of_process()

    def _load(self, i: int, value: Any, worker: int) -> Any:
        start = time.perf_counter()
        loaded = value.load()
        if self.desk.wants_spills:
            task = self._graph.tasks[i]
            stop = time.perf_counter()
            nbytes, space = value.nbytes, DEVICE if isinstance(value, Parked) else HOST
            self.desk.post(Loaded(task.key, task.label, worker, start, stop, nbytes, space=space))
        return loaded
