"""Devices: what an engine asks of a backend whose arrays do not lie in the host's memory.

One row for each such backend, made when it is loaded. The host needs none: what is asked of a
device costs nothing in a process that uses no device.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["IN_USE", "Device", "MemoryFigures", "free_blocks", "running", "upload"]


@dataclass(frozen=True)
class MemoryFigures:
    """The memory of one device, in bytes; None for what is not known.

    Parameters
    ----------
    used : int
        Held by arrays of this process.
    cached : int or None
        Held by the pool of this process for arrays to come.
    limit : int or None
        What the pool may have at most.
    free : int or None
        What the device could still give.
    total : int or None
        What the device has.
    """

    used: int
    cached: int | None = None
    limit: int | None = None
    free: int | None = None
    total: int | None = None


class Device(Protocol):
    """What a backend with memory of its own can do."""

    @property
    def index(self) -> int:
        """Number of the device that tasks run on."""

    def running(self, label: str) -> AbstractContextManager[Any]:
        """Be around a task: it has a stream for itself, and is done on the device at the end.

        Memory that one stream has freed is given out again without a look at the others. So a
        result is handed on, and its inputs are let go, when the device has finished with them;
        tasks of other threads keep it busy meanwhile.
        """

    def upload(self, data: Any) -> Any:
        """Copy an array of the host to the device."""

    def free_blocks(self) -> None:
        """Give back to the device what the pool holds for arrays to come."""

    def figures(self) -> MemoryFigures:
        """Say how the memory stands."""


IN_USE: dict[str, Device] = {}
"""Devices of the backends that this process has loaded, by the name of the backend."""


def running(label: str) -> AbstractContextManager[Any]:
    """Be around a task on all devices in use.

    Examples
    --------
    >>> with running("add"):
    ...     pass
    """
    if not IN_USE:
        return nullcontext()
    if len(IN_USE) == 1:
        (device,) = IN_USE.values()
        return device.running(label)
    stack = ExitStack()
    for each in tuple(IN_USE.values()):
        stack.enter_context(each.running(label))
    return stack


def free_blocks() -> None:
    """Give back to the devices what pools hold for arrays to come."""
    for each in tuple(IN_USE.values()):
        each.free_blocks()


def upload(data: Any, backend: str) -> Any:
    """Copy an array of the host to the device of a backend that is loaded."""
    return IN_USE[backend].upload(data)
