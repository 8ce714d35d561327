"""Our exceptions and warnings: what happened, to which chunk, and what to do next.

Where NumPy or Python raises a type of its own for the same mistake, ours derives from it, so that
code written for NumPy keeps catching it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TypeVar

from gpuscale.base.sizes import format_bytes

__all__ = [
    "BackendError",
    "CacheWarning",
    "CheckpointError",
    "ChunkError",
    "ConfigError",
    "DeviceMemoryError",
    "EngineError",
    "GpuscaleError",
    "GpuscaleWarning",
    "GraphError",
    "KernelWarning",
    "LostError",
    "MemoryBudgetError",
    "NotSupportedError",
    "TaskTimeoutError",
    "SpillError",
    "UnknownSizeError",
    "add_note",
    "written_at",
]

E = TypeVar("E", bound=BaseException)


class GpuscaleError(Exception):
    """Base of every exception that only gpuscale can raise."""


class UnknownSizeError(GpuscaleError, ValueError):
    """A size that depends on data was needed before it was computed."""


class ChunkError(GpuscaleError, ValueError):
    """Chunks that do not fit the shape, or each other."""


# MemoryError first, else what copies exceptions from process to process cannot make another.
class MemoryBudgetError(MemoryError, GpuscaleError):
    """A plan, or one task of it, that cannot fit the memory budget."""


class DeviceMemoryError(MemoryError, GpuscaleError):
    """A device that has no memory left for a task, whatever was freed for it."""


class SpillError(GpuscaleError, OSError):
    """A result that had to make room in memory and cannot be written to disk."""


class BackendError(GpuscaleError, RuntimeError):
    """A backend that is not installed, or has no device to run on."""


class NotSupportedError(GpuscaleError, NotImplementedError):
    """An operation that exists, but not on this backend, dtype or engine."""


class EngineError(GpuscaleError, RuntimeError):
    """An engine that is unknown, closed, or lost its workers."""


class LostError(EngineError):
    """What workers held for a program, and do not any more."""


class TaskTimeoutError(GpuscaleError, TimeoutError):
    """A task that took longer than it may."""


class GraphError(GpuscaleError, ValueError):
    """A task graph that cannot run: a key that is missing, or tasks in a circle."""


class CheckpointError(GpuscaleError, RuntimeError):
    """A checkpoint that cannot be named, written or read."""


class ConfigError(GpuscaleError, KeyError, ValueError):
    """An option that does not exist, or a value that it cannot take."""

    def __str__(self) -> str:  # KeyError would print the message in quotes
        return str(self.args[0]) if self.args else ""


class GpuscaleWarning(UserWarning):
    """Base of every warning of gpuscale."""


class KernelWarning(GpuscaleWarning):
    """A kernel that the compiler refuses: its work is interpreted, more slowly."""


class CacheWarning(GpuscaleWarning):
    """A kernel cache that cannot be read or written: work goes on, more slowly."""


def written_at(origin: tuple[str, int] | None) -> str:
    """Go on, after the name of an operation, with the line of the program that made it.

    Examples
    --------
    >>> written_at(("model.py", 12)), written_at(None)
    (', written at model.py:12', '')
    """
    return "" if origin is None else f", written at {origin[0]}:{origin[1]}"


def add_note(
    exc: E,
    *,
    operation: str | None = None,
    origin: tuple[str, int] | None = None,
    chunk: Any = None,
    call: str | None = None,
    shapes: Iterable[tuple[Any, ...]] | None = None,
    nbytes: int | None = None,
) -> E:
    """Tell on an exception where in the user's program, and on which data, it happened.

    An exception that takes no notes, as one whose class is frozen, goes without; what is noted on
    it already is not noted again, and what says more of the same takes its place.

    Parameters
    ----------
    exc : BaseException
        The exception to annotate; its type and message stay as they are.
    operation : str, optional
        Name of the operation, as ``"add+sum"``.
    origin : (str, int), optional
        File and line of the user's code that made the expression.
    chunk : optional
        Block index of the chunk.
    call : str, optional
        The call that failed.
    shapes : iterable of tuple, optional
        Shapes of the inputs of the failing call.
    nbytes : int, optional
        Bytes that the call holds or asked for.

    Returns
    -------
    BaseException
        The same exception, so that one can write ``raise add_note(exc, ...)``.

    Examples
    --------
    >>> error = add_note(ZeroDivisionError("division by zero"), operation="divide",
    ...                  origin=("model.py", 12), chunk=(0, 3), shapes=[(4, 5)], nbytes=160)
    >>> print(error.__notes__[0])
    in operation divide, written at model.py:12
      chunk: (0, 3)
      shapes: (4, 5)
      bytes: 160 B
    """
    lines = [f"in operation {operation or '(unnamed)'}{written_at(origin)}"]
    if chunk is not None:
        lines.append(f"  chunk: {chunk}")
    if call is not None:
        lines.append(f"  call: {call}")
    if shapes is not None:
        lines.append("  shapes: " + ", ".join(str(tuple(shape)) for shape in shapes))
    if nbytes is not None:
        lines.append(f"  bytes: {format_bytes(nbytes)}")
    note = "\n".join(lines)
    with suppress(Exception):  # what its class raises would take the place of what it says
        _put(exc, note)
    return exc


def _put(exc: BaseException, note: str) -> None:
    """Note what is not noted yet: one object may be raised again and again, and told more of."""
    notes = getattr(exc, "__notes__", [])
    for i, each in enumerate(notes):
        if f"{each}\n".startswith(f"{note}\n"):
            return
        if note.startswith(f"{each}\n"):
            notes[i] = note
            return
    exc.add_note(note)
