"""Chunks that live in memory, and arrays of the host that tasks fill."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from itertools import count, product
from typing import Any, cast

import numpy as np

from gpuscale.backends.creation import namespace
from gpuscale.backends.seams import to_host
from gpuscale.base.types import is_known
from gpuscale.expr.meta import ArrayMeta
from gpuscale.io.grid import positions, split
from gpuscale.io.pieces import Cells, Cost, Region
from gpuscale.io.places import share_storage

__all__ = ["ChunkReader", "HostWriter", "KeptChunks", "host_writer"]

_numbers = count()


class ChunkReader:
    """A reader of an array that is there in chunks; a region across several is copied together.

    Parameters
    ----------
    meta : ArrayMeta
        All of its sizes are known.
    """

    cost: Cost = "view"
    token: str

    def __init__(self, meta: ArrayMeta) -> None:
        assert is_known(meta.chunks) and is_known(meta.shape)
        self.shape, self.dtype, self.chunks = meta.shape, meta.dtype, cast(Cells, meta.chunks)
        self.backend = meta.backend

    def __gpuscale_tokenize__(self) -> str:
        return self.token

    def part(self, index: tuple[int, ...], region: tuple[slice, ...]) -> Any:
        """Return a piece of one chunk."""
        raise NotImplementedError

    def read(self, region: Region) -> Any:
        """Return one piece."""
        selected = positions(region, self.shape)
        spans = [list(split(s, sizes)) for s, sizes in zip(selected, self.chunks, strict=True)]
        if all(len(span) == 1 for span in spans):
            index = tuple(span[0][0] for span in spans)
            return self.part(index, tuple(span[0][1] for span in spans))
        out = namespace(self.backend).empty(tuple(map(len, selected)), dtype=self.dtype)
        for parts in product(*spans):
            index, inside, to = zip(*parts, strict=True)
            out[to] = self.part(index, inside)
        return out


class KeptChunks(ChunkReader):
    """A reader of chunks that are in memory; its pieces are views where they lie in one.

    Parameters
    ----------
    chunks : dict
        From the block index to the chunk. Views of files that are mapped are copied, since the
        files may change.
    meta : ArrayMeta
    """

    def __init__(self, chunks: dict[tuple[int, ...], Any], meta: ArrayMeta) -> None:
        super().__init__(meta)
        self._chunks = {index: _in_memory(chunk) for index, chunk in chunks.items()}
        self.token = f"kept-{next(_numbers)}"

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> tuple[Any, ...]:
        return "kept", self._chunks

    def part(self, index: tuple[int, ...], region: tuple[slice, ...]) -> Any:
        """Return a view of one chunk."""
        return self._chunks[index][(*region, ...)]

    def shows(self, target: Any) -> bool:
        """Whether a chunk is a view of an array."""
        return any(share_storage(chunk, target) for chunk in self._chunks.values())


def _in_memory(chunk: Any) -> Any:
    base = chunk
    while isinstance(base, np.ndarray):
        base = base.base
    return chunk.copy() if isinstance(base, mmap.mmap | memoryview) else chunk


class HostWriter:
    """A writer that is one array in the memory of the host; what devices hold is brought there."""

    def __init__(self, meta: ArrayMeta) -> None:
        self.array: Any = np.empty(cast(tuple[int, ...], meta.shape), dtype=meta.dtype)
        self.token = f"memory-{next(_numbers)}"

    def __gpuscale_tokenize__(self) -> str:
        return self.token

    def write(self, region: Region, chunk: Any) -> None:
        """Copy one piece in."""
        self.array[(*region, ...)] = to_host(chunk)  # the dots unpack one object from its box


class MemoryWriter(HostWriter):
    """The same for chunks of the host: tasks fill it in place."""

    def target(self, region: Region) -> Any:
        """Return the memory of one piece."""
        return self.array[(*region, ...)]


def host_writer(meta: ArrayMeta) -> HostWriter:
    """Return a writer for the whole of an array, whatever the backend of its chunks."""
    return MemoryWriter(meta) if meta.backend == "numpy" else HostWriter(meta)
