"""Results on a worker: those of the device stay within its limit, the rest go to the host and disk.

Worker memory has three places, device, host and disk, and results leave each for the next in the
order of their last use. What is asked for is on the device again, so no task sees any of this.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from typing import Any, NamedTuple

from gpuscale.backends.seams import is_out_of_memory
from gpuscale.base.errors import SpillError
from gpuscale.base.sizes import format_bytes
from gpuscale.cluster.spill_target import spill_target
from gpuscale.memory.limits import device_memory_limit, shelf_bytes
from gpuscale.memory.parked import Parked, may_park, park
from gpuscale.memory.spill_folder import spill_folder

__all__ = ["ResultStore", "SpilledTotal", "make_store"]

_logger = logging.getLogger("gpuscale.cluster")


class SpilledTotal(NamedTuple):
    """Bytes of results on disk: what they take in memory, and what they take there."""

    memory: int
    disk: int


class _Shelf(OrderedDict[Any, Any]):
    """Results in one place, the one first that was used the longest time ago."""

    def __init__(self) -> None:
        super().__init__()
        self.nbytes = 0

    def put(self, key: Any, value: Any) -> None:
        self[key] = value
        self.nbytes += _nbytes(value)

    def take(self, key: Any) -> Any:
        value = self.pop(key)
        self.nbytes -= _nbytes(value)
        return value

    @property
    def oldest(self) -> Any:
        """Its key."""
        return next(iter(self))


def _nbytes(value: Any) -> int:
    return sum(map(_nbytes, value)) if type(value) is tuple else int(value.nbytes)


class ResultStore(MutableMapping[Any, Any]):
    """Results by key.

    Parameters
    ----------
    others : mutable mapping
        Keeps what is not of a device.
    memory_limit : int, optional
        Bytes of the host that the worker has; the option ``device-spill-to-host`` says which part
        of it results of the device may take.
    logs : bool
        Whether each result that leaves the device is worth a line in the log.

    Examples
    --------
    >>> store = ResultStore({})
    >>> store["x"] = [1, 2]
    >>> store["x"], len(store)
    ([1, 2], 1)
    """

    def __init__(
        self,
        others: MutableMapping[Any, Any],
        memory_limit: int | None = None,
        logs: bool = False,
    ) -> None:
        self._others = others
        self._memory_limit = float("inf") if memory_limit is None else memory_limit
        self._level = logging.INFO if logs else logging.DEBUG
        self._device, self._host, self._disk = _Shelf(), _Shelf(), _Shelf()
        # A worker's loop uses it, and a user's own function may look into it.
        self._lock = threading.RLock()

    def _shelf(self, key: Any) -> _Shelf | None:
        shelves = (self._device, self._host, self._disk)
        return next((shelf for shelf in shelves if key in shelf), None)

    def __setitem__(self, key: Any, value: Any) -> None:
        with self._lock:
            if key in self:
                del self[key]  # not by `pop`, which would bring it back first
            if may_park(value):
                self._put(key, value)
            else:
                self._others[key] = value

    def __getitem__(self, key: Any) -> Any:
        with self._lock:
            shelf = self._shelf(key)
            if shelf is None:
                return self._others[key]
            if shelf is self._device:
                shelf.move_to_end(key)
                return shelf[key]
            value = self._load(shelf[key])
            shelf.take(key)
            self._put(key, value)
            return value

    def __delitem__(self, key: Any) -> None:
        with self._lock:
            shelf = self._shelf(key)
            if shelf is None:
                del self._others[key]
            else:
                shelf.take(key)

    def __contains__(self, key: object) -> bool:
        return self._shelf(key) is not None or key in self._others

    def __iter__(self) -> Iterator[Any]:
        with self._lock:
            return iter([*self._device, *self._host, *self._disk, *self._others])

    def __len__(self) -> int:
        return len(self._device) + len(self._host) + len(self._disk) + len(self._others)

    def _put(self, key: Any, value: Any) -> None:
        """Put a result on the device, and send others away while it has too many."""
        self._device.put(key, value)
        limit = device_memory_limit()
        while self._device.nbytes > limit and len(self._device) > 1 and self._park():
            pass
        most = shelf_bytes(self._memory_limit)
        while self._host.nbytes > most and self._sink() >= 0:
            pass

    def _load(self, parked: Parked) -> Any:
        """Bring a result back; where other work has filled the device, others leave for it."""
        while True:
            try:
                return parked.load()
            except Exception as error:
                if not is_out_of_memory(error) or not self._device or not self._park():
                    raise

    def _park(self) -> bool:
        """Send the oldest result on the device to the host, and say whether it went."""
        key = self._device.oldest
        try:
            parked = park(self._device[key])
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return False  # not even for the copy
        assert parked is not None  # or it would be among the others
        self._device.take(key)
        self._host.put(key, parked)
        _logger.log(self._level, "%s left the device: %s", key, format_bytes(parked.nbytes))
        return True

    def _sink(self) -> int:
        """Send the oldest result on the host to disk: its bytes, or -1 if none went."""
        if not self._host:
            return -1
        key = self._host.oldest
        parked: Parked = self._host[key]
        try:
            parked.sink(spill_folder())
        except SpillError as error:
            _logger.warning("%s", error)
            return -1
        self._disk.put(key, self._host.take(key))
        return parked.nbytes

    # What the worker asks of a store when the memory of its process runs out.

    @property
    def fast(self) -> bool:
        """Whether something in the memory of the host could go to disk."""
        return bool(self._host) or bool(getattr(self._others, "fast", False))

    def evict(self) -> int:
        """Send one result from the host to disk: its bytes, or -1 if none went."""
        with self._lock:
            sunk = self._sink()
            evict = getattr(self._others, "evict", None)
            if sunk >= 0 or evict is None or not getattr(self._others, "fast", True):
                return sunk
            return int(evict())

    @property
    def spilled_total(self) -> SpilledTotal:
        """Bytes of results on disk."""
        with self._lock:
            memory, disk = getattr(self._others, "spilled_total", (0, 0))
            stored = sum(parked.stored for parked in self._disk.values())
            return SpilledTotal(memory + self._disk.nbytes, disk + stored)


def make_store(worker_local_directory: str, memory_limit: int | None, logs: bool) -> ResultStore:
    """Make the store of a worker; the names of arguments are those by which workers call it.

    Parameters
    ----------
    worker_local_directory : str
    memory_limit : int or None
        Bytes of the host.
    logs : bool
        See `ResultStore`.
    """
    import dask
    from dask.utils import parse_bytes
    from distributed.spill import SpillBuffer

    # The thresholds of a worker that keeps its results itself.
    target, spill, most = (
        dask.config.get(f"distributed.worker.memory.{name}")
        for name in ("target", "spill", "max-spill")
    )
    if not memory_limit or not (target or spill):
        return ResultStore({}, memory_limit or None, logs)
    others = SpillBuffer(
        os.path.join(worker_local_directory, "storage"),
        target=spill_target(memory_limit, target) if target else sys.maxsize,
        max_spill=most and parse_bytes(most),
    )
    return ResultStore(others, memory_limit, logs)
