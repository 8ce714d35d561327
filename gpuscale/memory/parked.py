"""Results of a device that are away from it: in memory of the host, or in files from there.

Copies go through pinned buffers (`gpuscale.backends.pinned`), which take no more memory than before
however much is away. They stand where results on disk stand, and come back as arrays of their
device. That they go on from the host to disk is seen by nobody, whoever holds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

import numpy as np

from gpuscale.backends.creation import namespace
from gpuscale.backends.devices import free_blocks
from gpuscale.backends.seams import (
    array_namespace,
    backend_name,
    is_out_of_memory,
    nbytes,
    on_device,
    owns_memory,
    to_host,
)
from gpuscale.backends.transfer import to_device
from gpuscale.memory.parked_frame import Parked, ParkedFrame
from gpuscale.memory.spill import spill
from gpuscale.memory.spill_folder import SpillFolder
from gpuscale.memory.spilled import ArrayOnDisk, SpilledArray, SpilledTuple

__all__ = ["Parked", "ParkedArray", "ParkedFrame", "ParkedTuple", "is_whole", "may_park", "park"]

FLOOR = 64  # elements, which take about the smallest block that pools of devices give


class ParkedArray(ArrayOnDisk, Parked):
    """An array of a device, with the layout it had.

    Indexing by integers and slices brings that region to the device.

    Parameters
    ----------
    data : ndarray
        Of the device.
    """

    def __init__(self, data: Any) -> None:
        self.kind, self.backend = type(data), backend_name(data)
        self.shape, self.dtype = data.shape, data.dtype
        # Largest stride first: the order of the memory, whatever the order of the axes.
        axes = sorted(range(data.ndim), key=lambda axis: -abs(data.strides[axis]))
        laid_out = data.transpose(axes)
        # What runs backwards is contiguous the other way round, which takes no copy on the device.
        forwards = tuple(slice(None, None, -1 if step < 0 else 1) for step in laid_out.strides)
        self._axes, self._inverse = axes, [axes.index(axis) for axis in range(data.ndim)]
        host = _fetched(laid_out[forwards])[forwards]
        self._stored: np.ndarray[Any, Any] | SpilledArray = host.transpose(self._inverse)

    @property
    def stored(self) -> int:
        """Bytes on disk."""
        return self._stored.stored if isinstance(self._stored, SpilledArray) else 0

    def __repr__(self) -> str:
        return f"ParkedArray(shape={self.shape}, dtype={self.dtype}, backend={self.backend!r})"

    def __getitem__(self, index: Any) -> Any:
        return to_device(np.asarray(self._stored[index]), self.backend)

    def take(self, positions: Any, axis: int) -> Any:
        """Bring chosen positions along an axis to the device."""
        return to_device(self._stored.take(to_host(positions), axis=axis), self.backend)

    def load(self) -> Any:
        """Bring all of it to the device."""
        stored = self._stored
        host = stored.load() if isinstance(stored, SpilledArray) else stored
        return to_device(host.transpose(self._axes), self.backend).transpose(self._inverse)

    def sink(self, folder: SpillFolder) -> None:
        """Go from the memory of the host to disk."""
        if isinstance(self._stored, np.ndarray):
            stored = spill(self._stored, folder, self.nbytes)
            assert isinstance(stored, SpilledArray)
            self._stored = stored


def _fetched(data: Any) -> np.ndarray[Any, Any]:
    """Copy an array to the host; where the device cannot first lay it out at once, in parts.

    That costs memory there, of which those who have results go away have none.
    """
    try:
        host: np.ndarray[Any, Any] = to_host(data)
        return host
    except Exception as error:
        if not is_out_of_memory(error) or data.size <= FLOOR:
            raise
    free_blocks()  # without the error, whose traceback holds what did not suffice
    # The outermost axis, whose parts are contiguous sooner, and so take no memory at all.
    axis = next(axis for axis, n in enumerate(data.shape) if n > 1)
    host, middle = np.empty(data.shape, data.dtype), data.shape[axis] // 2
    for half in (slice(None, middle), slice(middle, None)):
        cut = (slice(None),) * axis + (half,)
        host[cut] = _fetched(data[cut])
    return host


@array_namespace.register(ParkedArray)
def _array_namespace(data: ParkedArray) -> ModuleType:
    found: ModuleType = namespace(data.backend)
    return found


class ParkedTuple(SpilledTuple, Parked):
    """A tuple of arrays and frames of a device."""

    items: tuple[Any, ...]

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__(map(_parked, items))

    def sink(self, folder: SpillFolder) -> None:
        """Go from the memory of the host to disk."""
        for each in self.items:
            each.sink(folder)


def is_whole(result: Any) -> bool:
    """Say whether a result is an array or a frame of a device whose memory goes with it."""
    return not isinstance(result, tuple | list | dict) and on_device(result) and _goes(result)


def _goes(data: Any) -> bool:
    # One that is broadcast would take more elsewhere than here.
    return owns_memory(data) and (not _is_array(data) or nbytes(data) == data.nbytes)


def _is_array(data: Any) -> bool:
    return hasattr(data, "strides")


def _parked(data: Any) -> Parked:
    return ParkedArray(data) if _is_array(data) else ParkedFrame(data)


def may_park(result: Any) -> bool:
    """Say whether `park` takes a result."""
    if type(result) is tuple:
        return bool(result) and all(map(is_whole, result))
    return is_whole(result)


def park(result: Any) -> Parked | None:
    """Copy a result of a device to the memory of the host.

    Parameters
    ----------
    result : ndarray, frame or tuple of these
        Of a device.

    Returns
    -------
    ParkedArray, ParkedFrame, ParkedTuple or None
        None for anything else, and where others share the memory, so that it would not go.
    """
    if not may_park(result):
        return None
    return ParkedTuple(result) if type(result) is tuple else _parked(result)
