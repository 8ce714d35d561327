"""Results of several parts: tasks read some of them, and on disk each lies by itself."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from gpuscale.memory.spill_file import SpillFile
from gpuscale.memory.spilled import OnDisk

__all__ = ["Parts", "SpilledParts"]


class Parts(ABC):
    """Parts by number, of which each pickles."""

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes that it holds."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, number: int) -> Any: ...

    @property
    def lengths(self) -> list[int]:
        """Of each part how many rows it has."""
        return [len(self[number]) for number in range(len(self))]

    def between(self, number: int, start: int, stop: int) -> Any:
        """Return rows of a part, which may be a view."""
        return self[number][start:stop]

    @classmethod
    @abstractmethod
    def of(cls, parts: Sequence[Any]) -> Any:
        """Put all parts together again."""


class SpilledParts(OnDisk):
    """Parts on disk, which are read one by one.

    Parameters
    ----------
    file : SpillFile
    sizes : list of list of int
        For each part the bytes of its pickle, and of each buffer beside it.
    nbytes : int
        Bytes of all of them in memory.
    kind : type
        Subclass of `Parts`.
    """

    def __init__(
        self, file: SpillFile, sizes: list[list[int]], nbytes: int, kind: type[Parts]
    ) -> None:
        self._file, self._sizes, self.nbytes, self.kind = file, sizes, nbytes, kind
        self._starts = [0, *accumulate(map(sum, sizes))]

    @property
    def stored(self) -> int:
        """Bytes on disk."""
        return self._file.stored

    def __len__(self) -> int:
        return len(self._sizes)

    def __getitem__(self, number: int) -> Any:
        # Memory of its own for each: what is kept of a part alone then stays.
        sizes = self._sizes[number]
        buffers = [memoryview(np.empty(size, np.uint8)) for size in sizes]  # type: ignore[arg-type]
        self._file.read_all(buffers, self._starts[number])
        return pickle.loads(buffers[0], buffers=buffers[1:])

    def regions(self) -> SpilledParts:
        """Return what a function gets that reads parts."""
        return self

    def load(self) -> Any:
        """Read all of it."""
        return self.kind.of([self[k] for k in range(len(self))])
