"""Stored chunks of a local Zarr array, decoded by the calling thread into their place.

zarr-python reads through one event loop and a pool of its own, and copies every chunk once more
than needed. Where an array lies in local files and uses the common codecs, this is the same
reading without either: the bytes of a file, then `numcodecs` straight into the output.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO, TypeAlias

import numpy as np

__all__ = ["ChunkFiles", "Codecs", "Shards"]

Number: TypeAlias = tuple[int, ...]
Array: TypeAlias = np.ndarray[Any, Any]

_KEPT_INDICES = 256  # of shards, so that neighbouring chunks need not read them again
_MISSING = 2**64 - 1  # offset of a chunk that a shard leaves out
_UNTOUCHED = 0xA5  # a byte that numbers rarely end with


@dataclass(frozen=True)
class Codecs:
    """How the bytes of one chunk become an array.

    Parameters
    ----------
    order : tuple of int
        Axes of the array in the order in which they are stored.
    compressors : tuple
        Codecs of `numcodecs` in the order in which they were applied.
    checksum : bool
        Whether a CRC32C follows the bytes.
    """

    order: tuple[int, ...]
    compressors: tuple[Any, ...]
    checksum: bool


@dataclass(frozen=True)
class Shards:
    """How chunks lie within the files of a sharded array.

    Parameters
    ----------
    grid : tuple of int
        Number of chunks in a shard along each axis.
    checksum : bool
        Whether a CRC32C follows the index.
    index_at_end : bool
        Whether the index stands at the end of the file, not at its start.
    """

    grid: tuple[int, ...]
    checksum: bool
    index_at_end: bool


class ChunkFiles:
    """The chunks of one local Zarr array, read by number.

    Parameters
    ----------
    folder : str
        Folder of the array.
    key : callable
        ``key(number) -> str``: name, below the folder, of the file of a chunk or shard.
    shape : tuple of int
        Shape of a chunk.
    dtype : numpy.dtype
        As stored.
    codecs : Codecs
    shards : Shards or None
    """

    def __init__(
        self,
        folder: str,
        key: Callable[[Number], str],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        codecs: Codecs,
        shards: Shards | None = None,
    ) -> None:
        self._folder, self._key, self._codecs, self._shards = folder, key, codecs, shards
        self.shape, self.dtype = shape, dtype
        self._nbytes = prod(shape) * dtype.itemsize
        self._stored_shape = tuple(shape[axis] for axis in codecs.order)
        self._indices: dict[Any, Array] = {}
        self._restore = tuple(map(int, np.argsort(codecs.order)))

    @property
    def is_plain(self) -> bool:
        """Whether chunks lie in their files as they are in memory."""
        return not self._codecs.compressors

    def fits(self, buffer: Array) -> bool:
        """Say whether a chunk can be decoded into an array."""
        is_alike = buffer.shape == self.shape and buffer.dtype == self.dtype
        return is_alike and buffer.transpose(self._codecs.order).flags.c_contiguous

    def new_buffer(self) -> Array:
        """Return an array into which a chunk can be decoded."""
        return np.empty(self._stored_shape, self.dtype).transpose(self._restore)

    def read(self, number: Number, buffer: Array | None = None) -> Array | None:
        """Return a whole chunk, or None where it is not stored.

        Parameters
        ----------
        number : tuple of int
            Number of the chunk along each axis.
        buffer : array, optional
            Where to decode it, if it `fits`. A plain chunk is a read-only view of the file all
            the same.

        Raises
        ------
        ValueError
            If the file is damaged.
        """
        path = os.path.join(self._folder, self._file_of(number))
        try:
            with open(path, "rb", buffering=0) as file:
                data = self._stored(file, number)
            return None if data is None else self._decode(data, buffer)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ValueError(f"chunk {number} in {path} cannot be read: {error}") from error

    def _file_of(self, number: Number) -> str:
        if self._shards is not None:
            number = tuple(n // size for n, size in zip(number, self._shards.grid, strict=True))
        return self._key(number)

    def _stored(self, file: BinaryIO, number: Number) -> memoryview | None:
        """Return the bytes of a chunk as the file has them."""
        status = os.fstat(file.fileno())
        start, stop = 0, status.st_size
        if self._shards is not None:
            index = self._index(file, (file.name, status.st_mtime_ns, stop))
            inside = tuple(n % size for n, size in zip(number, self._shards.grid, strict=True))
            start, length = map(int, index[inside])
            if start == _MISSING:
                return None
            if start + length > stop:
                raise ValueError(f"it has {stop} bytes, but its index goes to {start + length}")
            stop = start + length
        # Of a plain chunk perhaps only a part is wanted; any other is read whole, so at once.
        flags = mmap.MAP_SHARED | (0 if self.is_plain else mmap.MAP_POPULATE)
        page = start - start % mmap.ALLOCATIONGRANULARITY
        try:
            mapping = mmap.mmap(file.fileno(), stop - page, flags, mmap.PROT_READ, offset=page)
        except OSError:  # a file system that cannot map
            return memoryview(os.pread(file.fileno(), stop - start, start))
        return memoryview(mapping)[start - page :]

    def _index(self, file: BinaryIO, stamp: tuple[Any, ...]) -> Array:
        """Return offset and length of each chunk of one shard."""
        index, shards = self._indices.get(stamp), self._shards
        if index is not None:
            return index
        assert shards is not None
        nbytes = 16 * prod(shards.grid)
        size = nbytes + 4 * shards.checksum
        data = os.pread(file.fileno(), size, max(0, stamp[-1] - size) * shards.index_at_end)
        body = _checked(memoryview(data)) if shards.checksum else data
        if len(body) != nbytes:
            raise ValueError("it is too short to hold the index of its shard")
        index = np.frombuffer(body, "<u8").reshape(*shards.grid, 2)
        if len(self._indices) >= _KEPT_INDICES:
            self._indices.clear()
        self._indices[stamp] = index
        return index

    def _decode(self, data: memoryview, buffer: Array | None) -> Array:
        if self._codecs.checksum:
            data = _checked(data)
        if self.is_plain:
            _check_size(len(data), self._nbytes)
            stored = np.ndarray(self._stored_shape, self.dtype, data)
            return stored.transpose(self._restore)
        out = self.new_buffer() if buffer is None else buffer
        target = out.transpose(self._codecs.order).reshape(-1).view(np.uint8)
        try:
            found = self._decompress(data, target)
        except Exception as error:  # codecs raise what they like on damaged bytes
            raise ValueError(f"decoding failed: {error}") from error
        _check_size(found, self._nbytes)
        return out

    def _decompress(self, data: Any, target: Array) -> int:
        """Fill some memory, and return how many bytes there are to fill it with."""
        first, *later = self._codecs.compressors
        for codec in reversed(later):
            data = codec.decode(data)
        # Decoding does not tell when it filled only a part, but then the end stays untouched.
        target[-1] = _UNTOUCHED
        first.decode(data, out=target)
        if target[-1] != _UNTOUCHED:
            return target.size
        return np.frombuffer(first.decode(data), np.uint8).size


def _check_size(found: int, expected: int) -> None:
    if found != expected:
        raise ValueError(f"it holds {found} bytes, not {expected}")


def _checked(data: memoryview) -> memoryview:
    """Return what stands before a CRC32C, once it is found right."""
    import google_crc32c

    body = np.frombuffer(data[:-4], np.uint8)  # a memoryview is refused
    if google_crc32c.value(body) != int.from_bytes(data[-4:], "little"):
        raise ValueError("its checksum is wrong")
    return data[:-4]
