"""What tasks of all workers meet at: dask.distributed's, which say when no client is open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import distributed

from gpuscale.base.errors import EngineError

__all__ = ["Event", "Lock", "Queue", "Semaphore", "Variable"]


class _Told:
    """Says that there is no client, or that its cluster was closed, in words of ours."""

    name: Any

    def _verify_running(self) -> None:
        with _closed_told(self):
            super()._verify_running()  # type: ignore[misc]

    def sync(self, *args: Any, **options: Any) -> Any:
        """Wait for what the scheduler says."""
        with _closed_told(self):
            return super().sync(*args, **options)  # type: ignore[misc]


@contextmanager
def _closed_told(shared: Any) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, EngineError) or not any(each in str(error) for each in _CLOSED):
            raise
        kind, name = type(shared).__name__, getattr(shared, "name", None)
        raise EngineError(
            f"{kind} {name!r} is kept by the scheduler of a cluster, and no client of it is open: "
            f"use it inside with Client(...), and make another {kind}({name!r}) for another cluster"
        ) from None


_CLOSED = ("IOLoop is closed", "not properly initialized", "ConnectionPool is closed")


class Event(_Told, distributed.Event):
    """Waited for until somebody sets it: as ``distributed.Event``."""


class Lock(_Told, distributed.Lock):
    """One at a time, of all tasks of a cluster: as ``distributed.Lock``."""


class Queue(_Told, distributed.Queue):
    """First in, first out, of small values and of futures: as ``distributed.Queue``."""


class Semaphore(_Told, distributed.Semaphore):
    """A few at a time: as ``distributed.Semaphore``."""


class Variable(_Told, distributed.Variable):
    """One small value, or a future: as ``distributed.Variable``."""
