"""Copies between host and device through a few pinned buffers, so that they overlap.

A device copies to and from pinned memory by itself, while threads compute; pinning takes long and
takes memory from everybody, so each thread has two buffers of bounded size, used by turns: while
the device fills one, the host empties the other (double buffering; CUDA C++ Best Practices Guide,
"Asynchronous and overlapping transfers with computation").
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["Stager", "stager_of"]

Array = np.ndarray[Any, Any]

PIECE = 8 << 20  # bytes of one buffer
SMALL = 64 << 10  # bytes that are copied without: a piece costs more


class Stager:
    """Copies of all threads.

    Parameters
    ----------
    cupy : module
        CuPy, or what stands for it.
    """

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._here = threading.local()

    def fetch(self, array: Any) -> Array:
        """Return an array of the device as one of the host, in C order; the device is waited for.

        Parameters
        ----------
        array : cupy.ndarray
        """
        if array.nbytes <= SMALL:
            host: Array = array.get()
            return host
        source = self._cupy.ascontiguousarray(array).reshape(-1)
        out = np.empty(array.shape, array.dtype)
        target, stream = out.reshape(-1), self._cupy.cuda.get_current_stream()
        arriving: list[tuple[slice, Array, Any]] = []
        for turn, piece in enumerate(_pieces(source)):
            buffer = self._buffer(turn % 2, piece, array.dtype)
            source[piece].get(stream=stream, out=buffer, blocking=False)
            arriving.append((piece, buffer, stream.record()))
            if len(arriving) == 2:
                _take(target, *arriving.pop(0))
        for each in arriving:
            _take(target, *each)
        return out

    def upload(self, host: Array) -> Any:
        """Return an array of the host as one of the device, copied on the current stream."""
        if host.nbytes <= SMALL:
            return self._cupy.asarray(host)
        source = np.ascontiguousarray(host).reshape(-1)
        found = self._cupy.empty(host.shape, host.dtype)
        target, stream = found.reshape(-1), self._cupy.cuda.get_current_stream()
        leaving: list[Any] = []
        for turn, piece in enumerate(_pieces(source)):
            if len(leaving) == 2:
                leaving.pop(0).synchronize()  # the buffer is free again
            buffer = self._buffer(turn % 2, piece, host.dtype)
            buffer[...] = source[piece]
            target[piece].set(buffer, stream=stream)
            leaving.append(stream.record())
        for event in leaving:
            event.synchronize()
        return found

    def _buffer(self, turn: int, piece: slice, dtype: np.dtype[Any]) -> Array:
        """Return one of the thread's buffers as an array for a piece."""
        buffers: list[Any] = getattr(self._here, "buffers", [])
        while len(buffers) <= turn:
            buffers.append(self._cupy.cuda.alloc_pinned_memory(PIECE))
        self._here.buffers = buffers
        return np.frombuffer(buffers[turn], dtype, piece.stop - piece.start)


@lru_cache
def stager_of(cupy: Any) -> Stager:
    """Return the one whose buffers all who use this CuPy share."""
    return Stager(cupy)


def _pieces(flat: Any) -> list[slice]:
    step = max(1, PIECE // flat.itemsize)
    return [slice(first, min(first + step, flat.size)) for first in range(0, flat.size, step)]


def _take(target: Array, piece: slice, buffer: Array, event: Any) -> None:
    event.synchronize()
    target[piece] = buffer
