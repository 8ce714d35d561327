"""Starting a worker process that has its device from its first instruction on."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from distributed import Nanny

__all__ = ["PinnedNanny"]

# One at a time: what a process inherits is the environment of this one.
_spawning = threading.Lock()
_PAUSE = 0.005  # seconds between two looks at whether a process has been started


class PinnedNanny(Nanny):
    """Starts a worker, also after its death, with an environment that it inherits.

    A ``distributed.Nanny`` lets the worker set its variables itself, after it has imported the
    user's program. A line there that touches a device would then settle on the first of all
    devices, for good: CUDA reads CUDA_VISIBLE_DEVICES once.

    Parameters
    ----------
    scheduler_ip : str, optional
        Address of the scheduler.
    env : mapping of str to str, optional
        Variables of the worker.
    **options
        What ``distributed.Nanny`` takes beside these.
    """

    def __init__(
        self,
        scheduler_ip: str | None = None,
        *,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(scheduler_ip, env=env, **options)
        self._own = {name: str(value) for name, value in (env or {}).items()}

    async def instantiate(self) -> Any:
        """Start the worker process."""
        while not _spawning.acquire(blocking=False):
            await asyncio.sleep(_PAUSE)
        starting: asyncio.Future[Any] | None = None
        try:
            with _environment(self._own):
                starting = asyncio.ensure_future(super().instantiate())
                while not starting.done() and self.pid is None:
                    await asyncio.sleep(_PAUSE)
        except BaseException:  # given up meanwhile
            if starting is not None:
                starting.cancel()
            raise
        finally:
            _spawning.release()
        return await starting


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process for as long as it takes to start another."""
    old = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in old.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
