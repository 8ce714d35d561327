"""Chunks that live in memory, and an array in memory that tasks fill in place."""

from __future__ import annotations

import mmap
from itertools import count, product
from typing import Any, cast

import numpy as np

from gpuscale.backends.creation import namespace
from gpuscale.base.types import is_known
from gpuscale.expr.meta import ArrayMeta
from gpuscale.io.grid import positions, split
from gpuscale.io.pieces import Cells, Cost, Region

__all__ = ["KeptChunks", "MemoryWriter"]

_numbers = count()


class KeptChunks:
    """A reader of chunks that are in memory; a region across several is copied together.

    Parameters
    ----------
    chunks : dict
        From the block index to the chunk. Views of files that are mapped are copied, since the
        files may change.
    meta : ArrayMeta
        All of its sizes are known.
    """

    cost: Cost = "view"

    def __init__(self, chunks: dict[tuple[int, ...], Any], meta: ArrayMeta) -> None:
        assert is_known(meta.chunks) and is_known(meta.shape)
        self._chunks = {index: _in_memory(chunk) for index, chunk in chunks.items()}
        self.shape, self.dtype, self.chunks = meta.shape, meta.dtype, cast(Cells, meta.chunks)
        self.backend = meta.backend
        self.token = f"kept-{next(_numbers)}"

    def __gpuscale_tokenize__(self) -> str:
        return self.token

    def read(self, region: Region) -> Any:
        """Return one piece, as a view where it lies in one chunk."""
        selected = positions(region, self.shape)
        spans = [list(split(s, sizes)) for s, sizes in zip(selected, self.chunks, strict=True)]
        if all(len(span) == 1 for span in spans):
            index = tuple(span[0][0] for span in spans)
            return self._chunks[index][(*(span[0][1] for span in spans), ...)]
        out = namespace(self.backend).empty(tuple(map(len, selected)), dtype=self.dtype)
        for parts in product(*spans):
            chunk = self._chunks[tuple(block for block, _, _ in parts)]
            out[tuple(to for _, _, to in parts)] = chunk[tuple(of for _, of, _ in parts)]
        return out


def _in_memory(chunk: Any) -> Any:
    base = chunk
    while isinstance(base, np.ndarray):
        base = base.base
    return chunk.copy() if isinstance(base, mmap.mmap | memoryview) else chunk


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
        self.array[(*region, ...)] = chunk  # the dots unpack one object from its box
