"""Chunks that live in memory, and arrays of the host that tasks fill."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from itertools import count, product
from typing import Any, cast

import numpy as np

from gpuscale.backends.creation import namespace
from gpuscale.backends.seams import nbytes, on_device, to_host
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import is_known
from gpuscale.expr.meta import ArrayMeta, GridMeta
from gpuscale.io.grid import positions, split
from gpuscale.io.pieces import Cells, Cost, PieceReader, Region
from gpuscale.io.places import share_storage
from gpuscale.memory.data import is_data_alone
from gpuscale.memory.kept import Share, keep, now
from gpuscale.memory.measure import held_bytes
from gpuscale.memory.parked import Parked, park
from gpuscale.memory.remote import RemoteValue
from gpuscale.memory.spaces import DEVICE, HOST
from gpuscale.memory.spill import spill
from gpuscale.memory.spill_folder import spill_folder
from gpuscale.memory.spilled import BUFFER, OnDisk

__all__ = ["ChunkReader", "HostWriter", "KeptChunks", "KeptFrames", "host_writer", "keeper"]

_numbers = count()


class ChunkReader(PieceReader):
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
            self.copy(index, inside, out[to])
        return out

    def copy(self, index: tuple[int, ...], region: tuple[slice, ...], target: Any) -> None:
        """Copy a piece of one chunk to memory."""
        target[...] = self.part(index, region)


class KeptChunks(ChunkReader):
    """A reader of chunks that are in memory, where pieces are views, or away, where they are read.

    Parameters
    ----------
    chunks : dict
        From the block index to the chunk. Views of files that are mapped are copied, since the
        files may change. Of each `SpilledArray` and `ParkedArray` regions are read whenever a task
        asks for them, and nothing stays in memory.
    meta : ArrayMeta
    """

    is_memory = True

    def __init__(self, chunks: dict[tuple[int, ...], Any], meta: ArrayMeta) -> None:
        super().__init__(meta)
        self._chunks = {index: _in_memory(chunk) for index, chunk in chunks.items()}
        self.cost = "copy" if any(map(_is_away, self._chunks.values())) else "view"
        self.token = f"kept-{next(_numbers)}"
        self._count()

    def _count(self) -> None:
        """Have the bytes of all chunks count as kept."""
        self.last_read, self._share = now(), Share()
        for chunk in self._chunks.values():
            self._share.add(*_bytes_in_memory(chunk))
        keep(self)

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> tuple[Any, ...]:
        # One after the other: those that are away need not fit into memory together.
        return "kept", {i: tokenize(_loaded(chunk)) for i, chunk in self._chunks.items()}

    def __getstate__(self) -> dict[str, Any]:
        # Files have one owner; who gets a pickle has the chunks in memory, or on the workers.
        chunks = {index: _sent(chunk) for index, chunk in self._chunks.items()}
        cost = "copy" if any(map(_is_away, chunks.values())) else "view"
        return {**self.__dict__, "_chunks": chunks, "cost": cost, "_share": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._count()

    def held(self) -> list[Any]:
        """Return all chunks, or what stands for them while they are away."""
        return list(self._chunks.values())

    def whole(self, index: tuple[int, ...]) -> Any:
        """Return what is there of one chunk: the chunk, or what stands for it while it is away."""
        return self._chunks[index]

    def part(self, index: tuple[int, ...], region: tuple[slice, ...]) -> Any:
        """Return a view of one chunk, or a region of one that is away."""
        self.last_read = now()
        return self._chunks[index][(*region, ...)]

    def copy(self, index: tuple[int, ...], region: tuple[slice, ...], target: Any) -> None:
        """Copy a piece of one chunk to memory: of one that is away, a buffer of it at a time."""
        chunk = self._chunks[index]
        if not _is_away(chunk):
            super().copy(index, region, target)
            return
        axis = chunk.outer_axis
        before, length = (slice(None),) * axis, target.shape[axis]
        step = max(1, BUFFER * length // max(1, target.nbytes))
        chosen = range(*region[axis].indices(chunk.shape[axis]))
        for first in range(0, length, step):
            some = chosen[first : first + step]
            inside = (*region[:axis], slice(some.start, some.stop, some.step), *region[axis + 1 :])
            target[(*before, slice(first, first + step))] = self.part(index, inside)

    def leave(self, nbytes: int, space: int) -> int:
        """Let chunks leave a device for the host, or the host for the disk, until there is room."""
        freed = 0
        for index in tuple(self._chunks):
            if freed >= nbytes:
                break
            size, where = _bytes_in_memory(self._chunks[index])
            if where != space or not size or not self._send_away(index, size):
                continue
            self._share.add(-size, space)
            self._share.add(*_bytes_in_memory(self._chunks[index]))
            self.cost = "copy"
            freed += size
        return freed

    def _send_away(self, index: tuple[int, ...], nbytes: int) -> bool:
        """Let one chunk leave, if it can, and nobody uses it just now; say whether it did."""
        if isinstance(self._chunks[index], Parked):
            self._chunks[index].sink(spill_folder())
            return True
        if not is_data_alone(self._chunks, index):
            return False
        chunk = self._chunks[index]
        away = park(chunk) if on_device(chunk) else spill(chunk, spill_folder(), nbytes)
        if away is not None:
            self._chunks[index] = away
        return away is not None

    def shows(self, target: Any) -> bool:
        """Whether a chunk is a view of an array."""
        chunks = (chunk for chunk in self._chunks.values() if not _is_away(chunk))
        return any(share_storage(chunk, target) for chunk in chunks)


class KeptFrames(KeptChunks):
    """The same for partitions of frames and for single values, each of which is read as a whole."""

    def __init__(self, chunks: dict[tuple[int, ...], Any], meta: GridMeta) -> None:
        self.shape, self.dtype, self.chunks = meta.shape, meta.dtype, meta.chunks  # type: ignore[assignment]
        self.backend = meta.backend
        self._chunks = chunks
        self.cost = "copy" if any(map(_is_away, chunks.values())) else "view"
        self.token = f"kept-{next(_numbers)}"

    def read(self, region: Any) -> Any:
        """Return one partition."""
        return _loaded(self._chunks[region])

    def shows(self, target: Any) -> bool:
        """Say no: frames are copied before they are changed."""
        return False


def keeper(chunks: dict[tuple[int, ...], Any], meta: GridMeta) -> KeptChunks:
    """Return a reader of blocks that are there."""
    return KeptChunks(chunks, meta) if isinstance(meta, ArrayMeta) else KeptFrames(chunks, meta)


def _is_away(chunk: Any) -> bool:
    return isinstance(chunk, OnDisk)


def _bytes_in_memory(chunk: Any) -> tuple[int, int]:
    """Return the bytes that a chunk takes, and the space that it takes them of."""
    if isinstance(chunk, Parked):
        return (0 if chunk.stored else chunk.nbytes), HOST
    if _is_away(chunk):
        return 0, HOST
    if on_device(chunk):
        return nbytes(chunk), DEVICE
    return held_bytes(chunk, chunk.nbytes), HOST


def _loaded(chunk: Any) -> Any:
    return chunk.load() if isinstance(chunk, OnDisk) else chunk


def _sent(chunk: Any) -> Any:
    return chunk if isinstance(chunk, RemoteValue) else _loaded(chunk)


def _in_memory(chunk: Any) -> Any:
    base = chunk
    while isinstance(base, np.ndarray):
        base = base.base
    return chunk.copy() if isinstance(base, mmap.mmap | memoryview) else chunk


class HostWriter:
    """A writer that is one array in the memory of the host; what devices hold is brought there."""

    is_local = True

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
