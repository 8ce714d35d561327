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
from itertools import chain
from typing import Any, NamedTuple

from gpuscale.base.errors import SpillError
from gpuscale.base.sizes import format_bytes
from gpuscale.memory.limits import device_memory_limit, shelf_bytes
from gpuscale.memory.parked import Parked, may_park, park
from gpuscale.memory.spill_folder import spill_folder

__all__ = ["ResultStore", "SpilledTotal", "make_store"]

_logger = logging.getLogger("gpuscale.cluster")


class SpilledTotal(NamedTuple):
    """Bytes of results on disk: what they take in memory, and what they take there."""

    memory: int
    disk: int


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
        # The first ones were used the longest time ago.
        self._here: OrderedDict[Any, Any] = OrderedDict()  # on the device
        self._away: OrderedDict[Any, Parked] = OrderedDict()  # on the host, or from there on disk
        self._sizes: dict[Any, int] = {}
        self._bytes_here = 0
        # A worker's loop uses it, and a user's own function may look into it.
        self._lock = threading.RLock()

    def __setitem__(self, key: Any, value: Any) -> None:
        with self._lock:
            if key in self:
                del self[key]  # not by `pop`, which would bring it back first
            if not may_park(value):
                self._others[key] = value
                return
            self._put(key, value)

    def _put(self, key: Any, value: Any) -> None:
        items = value if type(value) is tuple else (value,)
        self._here[key] = value
        self._sizes[key] = sum(item.nbytes for item in items)
        self._bytes_here += self._sizes[key]
        self._make_room()

    def __getitem__(self, key: Any) -> Any:
        with self._lock:
            if key in self._away:
                value = self._away[key].load()
                del self._away[key], self._sizes[key]
                self._put(key, value)
            elif key in self._here:
                self._here.move_to_end(key)
                value = self._here[key]
            else:
                value = self._others[key]
            return value

    def __delitem__(self, key: Any) -> None:
        with self._lock:
            if key in self._here:
                del self._here[key]
                self._bytes_here -= self._sizes.pop(key)
            elif key in self._away:
                del self._away[key], self._sizes[key]
            else:
                del self._others[key]

    def __contains__(self, key: object) -> bool:
        return key in self._sizes or key in self._others

    def __iter__(self) -> Iterator[Any]:
        with self._lock:
            return iter(list(chain(self._here, self._away, self._others)))

    def __len__(self) -> int:
        return len(self._sizes) + len(self._others)

    def _make_room(self) -> None:
        """Send results away while the device has too many, but not the one used last."""
        limit = device_memory_limit()
        for key in list(self._here)[:-1]:
            if self._bytes_here <= limit:
                break
            parked = park(self._here[key])
            if parked is None:  # others use its memory by now, which would not get free
                continue
            del self._here[key]
            self._bytes_here -= self._sizes[key]
            self._away[key] = parked
            _logger.log(self._level, "%s left the device: %s", key, format_bytes(self._sizes[key]))
        most = shelf_bytes(self._memory_limit)
        while self._bytes_on_host() > most and self._sink() >= 0:
            pass

    def _bytes_on_host(self) -> int:
        return sum(parked.nbytes for parked in self._away.values() if not parked.stored)

    def _sink(self) -> int:
        """Send the oldest result on the host to disk: its bytes, or -1 if none went."""
        for parked in self._away.values():
            if parked.stored or not parked.nbytes:
                continue
            try:
                parked.sink(spill_folder())
            except SpillError as error:
                _logger.warning("%s", error)
                return -1
            return parked.nbytes
        return -1

    # What the worker asks of a store when the memory of its process runs out.

    @property
    def fast(self) -> bool:
        """Whether something in the memory of the host could go to disk."""
        with self._lock:
            return self._bytes_on_host() > 0 or bool(getattr(self._others, "fast", False))

    def evict(self) -> int:
        """Send one result from the host to disk: its bytes, or -1 if none went."""
        with self._lock:
            sunk = self._sink()
            if sunk >= 0:
                return sunk
            evict = getattr(self._others, "evict", None)
            return -1 if evict is None else int(evict())

    @property
    def spilled_total(self) -> SpilledTotal:
        """Bytes of results on disk."""
        with self._lock:
            on_disk = [each for each in self._away.values() if each.stored]
            memory, disk = getattr(self._others, "spilled_total", (0, 0))
            memory += sum(each.nbytes for each in on_disk)
            return SpilledTotal(memory, disk + sum(each.stored for each in on_disk))


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
    from distributed.spill import SpillBuffer

    fraction = dask.config.get("distributed.worker.memory.target")
    if not memory_limit:
        return ResultStore({}, None, logs)
    target = int(memory_limit * fraction) if fraction else sys.maxsize
    others = SpillBuffer(os.path.join(worker_local_directory, "storage"), target=target)
    return ResultStore(others, memory_limit, logs)
