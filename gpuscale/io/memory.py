"""Chunks that live in memory, and an array in memory that tasks fill in place."""

from __future__ import annotations

from itertools import count, product
from typing import Any

from gpuscale.backends.creation import namespace
from gpuscale.expr.meta import ArrayMeta
from gpuscale.io.pieces import Region

__all__ = ["KeptChunks", "MemoryWriter"]

_numbers = count()


class KeptChunks:
    """A reader of chunks that are in memory; a region across several is copied together."""

    cost = "view"

    def __init__(self, chunks: dict[tuple[int, ...], Any], meta: ArrayMeta) -> None:
        self._chunks, self.meta = chunks, meta
        self.shape, self.dtype, self.chunks = meta.shape, meta.dtype, meta.chunks
        self.backend = meta.backend
        self.token = f"kept-{next(_numbers)}"

    def __gpuscale_tokenize__(self) -> str:
        return self.token

    def read(self, region: Region) -> Any:
        """Return one piece, as a view where it lies in one chunk."""
        spans = [
            _pieces(sizes, starts, each)
            for sizes, starts, each in zip(
                self.meta.chunks, self.meta.offsets, region, strict=True
            )
        ]
        if all(len(span) == 1 for span in spans):
            index = tuple(span[0][0] for span in spans)
            return self._chunks[index][tuple(span[0][1] for span in spans)]
        shape = tuple(span[-1][2].stop if span else 0 for span in spans)
        out = namespace(self.backend).empty(shape, dtype=self.dtype)
        for parts in product(*spans):
            chunk = self._chunks[tuple(block for block, _, _ in parts)]
            out[tuple(to for _, _, to in parts)] = chunk[tuple(of for _, of, _ in parts)]
        return out


def _pieces(
    sizes: tuple[int, ...], starts: tuple[int, ...], region: slice
) -> list[tuple[int, slice, slice]]:
    """(block, slice inside the block, slice of the result) that a slice of an axis touches."""
    start, stop, step = region.indices(starts[-1] + sizes[-1])
    found, done = [], 0
    for block, (first, size) in enumerate(zip(starts, sizes, strict=True)):
        begin = start + done * step
        end = min(stop, first + size)
        if size and first <= begin < end:
            n = -(-(end - begin) // step)
            inside = slice(begin - first, end - first, step)
            found.append((block, inside, slice(done, done + n)))
            done += n
    return found or [(0, slice(0, 0), slice(0, 0))]


class MemoryWriter:
    """A writer that is one array in memory, filled in place by the tasks."""

    def __init__(self, meta: ArrayMeta) -> None:
        self.array = namespace(meta.backend).empty(meta.shape, dtype=meta.dtype)
        self.token = f"memory-{next(_numbers)}"

    def __gpuscale_tokenize__(self) -> str:
        return self.token

    def target(self, region: Region) -> Any:
        """Return the memory of one piece."""
        return self.array[(*region, ...)]

    def write(self, region: Region, chunk: Any) -> None:
        """Copy one piece in."""
        self.array[region] = chunk
