"""Which keys a frame has, as bits at their hashes, and the rows of another frame with these.

Different keys may share a bit, so more rows may stay than there need be, and never fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from gpuscale.dataframe.algorithms.partitioning import codes_of_hashes, key_of
from gpuscale.dataframe.minding import minds_columns
from gpuscale.dataframe.undecided import otherwise_of
from gpuscale.expr.frames import FrameMeta

__all__ = ["KnownKeys", "Slots", "WithKnownKeys", "are_whole"]

_FEW = 0.5  # where more bits are set, hardly any row would go


def are_whole(meta: FrameMeta, keys: tuple[Any, ...]) -> bool:
    """Whether all keys are whole numbers that fit 64 bits with a sign, whatever the data."""
    frame = otherwise_of(meta)
    dtypes = [key_of(frame, key).dtype for key in keys]
    return all(isinstance(d, np.dtype) and d.kind in "iu" and d != np.uint64 for d in dtypes)


@dataclass(frozen=True)
class Slots:
    """Where the bits of keys are.

    Parameters
    ----------
    keys : tuple of label or Index
    count : int
        Of bits, a power of two.
    are_whole : bool
        Whether all keys of both frames are whole numbers: their last bits serve as hashes, so that
        numbers of things lie side by side.
    """

    keys: tuple[Any, ...]
    count: int
    are_whole: bool

    def of(self, frame: Any) -> Any:
        """Return the number of the bit of each row."""
        values = [key_of(frame, key) for key in self.keys]
        if not self.are_whole:
            return codes_of_hashes(values, self.count)
        total = values[0].to_numpy().astype(np.int64, copy=False)
        for each in values[1:]:
            total = total * 1_000_003 + each.to_numpy().astype(np.int64, copy=False)
        return total & (self.count - 1)


@dataclass(frozen=True)
class KnownKeys:
    """A blueprint: the keys that are there."""

    slots: Slots

    def minds(self, metas: Sequence[FrameMeta]) -> bool:
        """Whether partitions have keys of several dtypes."""
        return any(minds_columns(meta, self.slots.keys) for meta in metas)

    def chunk(self, frame: Any) -> Any:
        """Set the bits of the keys of a partition."""
        seen = np.zeros(self.slots.count, bool)
        seen[self.slots.of(frame)] = True
        return np.packbits(seen)

    def combine(self, partials: list[Any]) -> Any:
        """Set all bits that are set anywhere."""
        return reduce(np.bitwise_or, partials)

    def finalize(self, partial: Any) -> Any:
        """Return the bits, or none where they would tell nothing."""
        is_telling = np.bitwise_count(partial).sum(dtype=np.int64) <= _FEW * self.slots.count
        return partial if is_telling else partial[:0]


@dataclass(frozen=True)
class WithKnownKeys:
    """The rows of a partition whose keys may be known."""

    slots: Slots

    def minds(self, metas: Sequence[FrameMeta]) -> bool:
        """Whether partitions have keys of several dtypes."""
        return any(minds_columns(meta, self.slots.keys) for meta in metas)

    def __call__(self, frame: Any, known: Any) -> Any:
        """Take them."""
        if not len(known):
            return frame
        return frame[np.unpackbits(known).view(bool)[self.slots.of(frame)]]
