"""What the scheduler and the workers of dask.distributed have to know of a rechunk by pieces."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import dask
from distributed.shuffle._core import P2PBarrierTask
from distributed.shuffle._disk import DiskShardsBuffer
from distributed.shuffle._rechunk import ArrayRechunkSpec

from gpuscale.graph.shuffle import OURS, WaitForAll

__all__ = ["RechunkSpec", "barrier_of"]


class RechunkSpec(ArrayRechunkSpec):  # type: ignore[misc]
    """A rechunk whose workers keep what is their own, and whose beginning and end are no warnings.

    The scheduler reads it with the barrier, and the workers get it from there.
    """

    def create_new_run(self, *args: Any, **options: Any) -> Any:
        """Begin, on the scheduler."""
        # The scheduler's log is where the next line of its plugin goes.
        logging.getLogger("distributed.shuffle._scheduler_plugin").addFilter(_is_news)
        return super().create_new_run(*args, **options)

    def create_run_on_worker(self, *args: Any, **options: Any) -> Any:
        """Begin, on a worker."""
        run = super().create_run_on_worker(*args, **options)
        passed_on, kept = run._comm_buffer, run._disk_buffer
        passed_on.send = partial(_send, run, passed_on.send)
        if isinstance(kept, DiskShardsBuffer):
            kept._process = partial(_write, run, kept._process)  # type: ignore[method-assign]
        return run


async def _write(run: Any, write: Callable[[str, Any], Any], name: str, pieces: Any) -> None:
    """Write pieces in a thread: the loop, which passes others on, does not wait for the disk."""
    await run.offload(asyncio.run, write(name, pieces))


async def _send(
    run: Any, over_the_network: Callable[[str, Any], Any], address: str, pieces: Any
) -> Any:
    """Hand pieces to a worker: to this one as they are, and not through a socket to itself."""
    if address != run.local_address:
        return await over_the_network(address, pieces)
    run.raise_if_closed()
    return await run.receive(pieces)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line says more than that a rechunk of ours begins or ends, which is no warning."""
    is_usual = record.msg.startswith(("Shuffle %s initialized", "Shuffle %s deactivated"))
    return not (is_usual and str(record.args[0]).startswith(OURS))  # type: ignore[index]


def barrier_of(call: tuple[Any, ...], waits: WaitForAll) -> P2PBarrierTask:
    """Write down the task that waits for all pieces.

    Parameters
    ----------
    call : tuple
        What a task is made of: name, function, arguments.
    waits : WaitForAll
    """
    disk = dask.config.get("distributed.p2p.storage.disk", True)
    chunks: Any = {"new": waits.new, "old": waits.old}
    spec = RechunkSpec(id=waits.shuffle, disk=disk, **chunks)
    return P2PBarrierTask(*call, spec=spec)
