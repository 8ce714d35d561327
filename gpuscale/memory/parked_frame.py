"""What is away from its device, and of that frames, and partitions that are cut."""

from __future__ import annotations

from typing import Any

from gpuscale.backends.seams import backend_name, nbytes, to_host
from gpuscale.backends.transfer import to_device
from gpuscale.memory.spill import spill
from gpuscale.memory.spill_folder import SpillFolder
from gpuscale.memory.spilled import OnDisk

__all__ = ["Parked", "ParkedFrame"]


class Parked(OnDisk):
    """A result of a device that is away."""

    @property
    def nbytes(self) -> int:
        """Bytes on the device, or on the host meanwhile."""
        raise NotImplementedError

    def sink(self, folder: SpillFolder) -> None:
        """Go from the memory of the host to disk.

        Raises
        ------
        SpillError
            If the disk is full, or cannot be written; it stays where it is.
        """
        raise NotImplementedError


class ParkedFrame(Parked):
    """Rows of a device, in the memory of the host or on disk; parts come back one by one.

    Parameters
    ----------
    data : frame, series, index or Parts of a device
    """

    def __init__(self, data: Any) -> None:
        self.kind, self.backend, self._nbytes = type(data), backend_name(data), nbytes(data)
        self._stored = to_host(data)

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        return self._nbytes

    @property
    def stored(self) -> int:
        """Bytes on disk."""
        return self._stored.stored if isinstance(self._stored, OnDisk) else 0

    def load(self) -> Any:
        """Bring all of it to the device."""
        stored = self._stored
        return to_device(stored.load() if isinstance(stored, OnDisk) else stored, self.backend)

    def regions(self) -> Any:
        """Return what a function gets that reads parts."""
        return self

    def __len__(self) -> int:
        return len(self._stored)

    def __getitem__(self, number: int) -> Any:
        return to_device(self._stored[number], self.backend)

    def sink(self, folder: SpillFolder) -> None:
        """Go from the memory of the host to disk.

        Raises
        ------
        SpillError
            If the disk is full, or cannot be written; it stays where it is.
        """
        if not isinstance(self._stored, OnDisk):
            self._stored = spill(self._stored, folder, self.nbytes) or self._stored
