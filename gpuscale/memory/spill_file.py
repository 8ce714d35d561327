"""Bytes of results in files: written once, read in ranges, compressed where that pays."""

from __future__ import annotations

import os
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import CDLL, c_int
from functools import partial
from pathlib import Path
from threading import Lock

from gpuscale.base.errors import SpillError

__all__ = ["MOST_SHARED", "SharedFile", "SpillFile", "write_file"]

# Results up to so many bytes share files: making one takes longer than to write them.
MOST_SHARED = 1 << 16
_SHARED = 1 << 22  # bytes after which the next file begins

_FRAME = 1 << 18  # bytes that are compressed together
_SAMPLES, _SAMPLE = 3, 1 << 14
# The fastest level of zlib takes about as long as a disk takes for a fifth of the bytes.
_PAYS = 0.2
_PIECE = 1 << 23  # bytes that are handed to the system at once
_MOST_TARGETS = os.sysconf("SC_IOV_MAX")  # that one call of the system fills

_AT_FDCWD = -100  # of <fcntl.h>
_unlinkat = CDLL(None).unlinkat
_flags = c_int(0)  # of `unlinkat`, for files of this process


def _leave_files_alone() -> None:
    """In a fork, let removing files of the process that it was fail."""
    global _flags
    _flags.value, _flags = -1, c_int(0)


os.register_at_fork(after_in_child=_leave_files_alone)


class _File:
    """A file that goes with the last who holds this object."""

    # What `__del__` in Python raises is lost, and a Ctrl-C that comes meanwhile is raised there.
    # So it is nothing in Python: the interpreter does not look for signals before it is over.
    __slots__ = ("__del__", "__weakref__", "path")
    __del__: Callable[[], object]

    def __init__(self, path: Path) -> None:
        self.path = path
        self.__del__ = partial(_unlinkat, _AT_FDCWD, os.fsencode(path), _flags)


class SpillFile:
    """Bytes in a file, which goes when nobody holds this object, or another in it, any more.

    Parameters
    ----------
    file : _File
    ends : array of int or None
        Where each frame ends, counted from the first, if the bytes are compressed.
    stored : int
        Bytes on disk.
    start : int
        Where in the file they begin.
    """

    __slots__ = ("_ends", "_file", "_start", "stored")

    def __init__(self, file: _File, ends: array[int] | None, stored: int, start: int = 0) -> None:
        self._file, self._ends, self.stored, self._start = file, ends, stored, start

    def read_into(self, target: memoryview, runs: Iterable[tuple[int, int]]) -> None:
        """Fill memory with runs of bytes, each from a start up to an end, one after the other."""
        with self._opened() as file:
            at = 0
            for start, stop in runs:
                file.into([target[at : at + stop - start]], start)
                at += stop - start

    def read_all(self, targets: Sequence[memoryview], start: int = 0) -> None:
        """Fill pieces of memory one after the other, from the first byte or another one on."""
        with self._opened() as file:
            file.into(targets, start)

    @contextmanager
    def _opened(self) -> Iterator[_Plain | _Compressed]:
        file = -1
        try:
            file = os.open(self._file.path, os.O_RDONLY)
            if self._ends is None:
                yield _Plain(file, self._start)
            else:
                yield _Compressed(file, self._ends, self._start)
        except (OSError, zlib.error) as error:
            raise SpillError(
                f"a result that was written to {self._file.path} to make room in memory cannot be "
                f"read back: {error}; files there must stay until the program has ended"
            ) from error
        finally:
            if file >= 0:
                os.close(file)


class _Plain:
    __slots__ = ("file", "first")

    def __init__(self, file: int, first: int) -> None:
        self.file, self.first = file, first

    def into(self, targets: Sequence[memoryview], start: int) -> None:
        """Fill memory from a place on, as many pieces at once as the system takes."""
        left = [target for target in reversed(targets) if target]
        start += self.first
        while left:
            n_read = os.preadv(self.file, left[: -_MOST_TARGETS - 1 : -1], start)
            if not n_read:
                raise OSError("a file of a spilled result is shorter than it was")
            start += n_read
            while left and n_read >= len(left[-1]):
                n_read -= len(left.pop())
            if n_read:
                left[-1] = left[-1][n_read:]


class _Compressed:
    __slots__ = ("content", "ends", "file", "first", "number")

    def __init__(self, file: int, ends: array[int], first: int) -> None:
        self.file, self.ends, self.first = file, ends, first
        self.number, self.content = -1, b""  # the last frame: runs often lie in the same

    def into(self, targets: Sequence[memoryview], start: int) -> None:
        """Fill memory from a place on."""
        for target in targets:
            while target:
                number, at = divmod(start, _FRAME)
                if number != self.number:
                    self.number, self.content = number, self._frame(number)
                part = self.content[at : at + len(target)]
                target[: len(part)] = part
                target, start = target[len(part) :], start + len(part)

    def _frame(self, number: int) -> bytes:
        begin = self.ends[number - 1] if number else 0
        return zlib.decompress(os.pread(self.file, self.ends[number] - begin, self.first + begin))


def write_file(path: Path, parts: Iterable[memoryview], sample: memoryview) -> SpillFile:
    """Write bytes to a new file, which is removed again if that fails.

    Parameters
    ----------
    path : path
    parts : iterable of memoryview
        The bytes, in any number of parts.
    sample : memoryview
        Some of them, which decide whether all are compressed.
    """
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        if _is_worth_compressing(sample):
            ends = _write_frames(file, parts)
            return SpillFile(_File(path), ends, ends[-1] if ends else 0)
        return SpillFile(_File(path), None, sum(_write(file, part) for part in parts))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)


class SharedFile(_File):
    """A file of many small results, each of which holds it."""

    __slots__ = ("_end", "_lock")

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._end, self._lock = 0, Lock()

    @property
    def is_full(self) -> bool:
        """Whether so much was written to it that the next results had better be in another one."""
        return self._end >= _SHARED

    def add(self, parts: Iterable[memoryview], sample: memoryview) -> SpillFile:
        """Write the bytes of a result, as `write_file` does, after those of others."""
        content, ends = b"".join(parts), None
        if _is_worth_compressing(sample):
            content = zlib.compress(content, 1)
            ends = array("q", [len(content)])
        with self._lock:  # the place alone: others write to theirs meanwhile
            start = self._end
            self._end = start + len(content)
        file = os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(file, content[written:], start + written)
        finally:
            os.close(file)
        return SpillFile(self, ends, len(content), start)


def _is_worth_compressing(data: memoryview) -> bool:
    """Try it on a few places.

    Examples
    --------
    >>> _is_worth_compressing(memoryview(bytes(100_000)))
    True
    >>> _is_worth_compressing(memoryview(os.urandom(100_000)))
    False
    """
    step = max(_SAMPLE, (len(data) - _SAMPLE) // max(1, _SAMPLES - 1))
    sample = b"".join([data[k : k + _SAMPLE] for k in range(0, len(data), step)][:_SAMPLES])
    return len(zlib.compress(sample, 1)) < _PAYS * len(sample)


def _write(file: int, data: memoryview) -> int:
    at = 0
    while at < len(data):
        at += os.write(file, data[at : at + _PIECE])
    return at


def _write_frames(file: int, parts: Iterable[memoryview]) -> array[int]:
    ends, end = array("q"), 0
    rest = bytearray()
    for part in parts:
        for start in range(0, len(part), _FRAME):
            rest += part[start : start + _FRAME]
            while len(rest) >= _FRAME:
                end += _write(file, memoryview(zlib.compress(rest[:_FRAME], 1)))
                ends.append(end)
                del rest[:_FRAME]
    if rest:
        end += _write(file, memoryview(zlib.compress(rest, 1)))
        ends.append(end)
    return ends
