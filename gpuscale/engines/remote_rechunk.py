"""What the scheduler and the workers of dask.distributed have to know of a rechunk by pieces."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import dask
from distributed.shuffle._core import P2PBarrierTask
from distributed.shuffle._disk import DiskShardsBuffer
from distributed.shuffle._rechunk import ArrayRechunkSpec

from gpuscale.graph.shuffle import OURS, WaitForAll

__all__ = ["RechunkSpec", "barrier_of"]

#: Part of a worker's memory that pieces may take that wait to be sent, and as many to be written.
PART = 8
#: Bytes of a message, and how many of them may be on their way from one worker to another.
MESSAGE, AT_ONCE = 2 << 20, 2
#: Bytes on their way to one worker from all others.
ON_THE_WAY = 64 << 20

Send = Callable[[str, Any], Awaitable[Any]]


class RechunkSpec(ArrayRechunkSpec):  # type: ignore[misc]
    """A rechunk whose workers keep what is their own, and whose beginning and end are no warnings.

    The scheduler reads it with the barrier, and the workers get it from there.
    """

    def create_new_run(self, *args: Any, **options: Any) -> Any:
        """Begin, on the scheduler."""
        # The scheduler's log is where the next line of its plugin goes.
        logging.getLogger("distributed.shuffle._scheduler_plugin").addFilter(_is_news)
        return super().create_new_run(*args, **options)

    def create_run_on_worker(
        self, run_id: int, span_id: str | None, worker_for: dict[Any, str], plugin: Any
    ) -> Any:
        """Begin, on a worker."""
        run = super().create_run_on_worker(run_id, span_id, worker_for, plugin)
        passed_on, kept = run._comm_buffer, run._disk_buffer
        limit = plugin.worker.memory_manager.memory_limit
        for limiter in (passed_on.memory_limiter, kept.memory_limiter):
            _keep_to(limiter, limit)
        most = min(MESSAGE, ON_THE_WAY // AT_ONCE // len(set(worker_for.values())))
        passed_on.send = _Sender(run, passed_on.send, most)
        if isinstance(kept, DiskShardsBuffer):
            kept._process = partial(_write, run, kept._process)  # type: ignore[method-assign]
        return run


def _keep_to(limiter: Any, memory_limit: int | None) -> None:
    """Have pieces that wait take no more than a part of their worker's memory.

    Tasks that hand over more wait, and so do the workers that send more. dask.distributed has one
    size for all workers, of which 1 GiB for what is to be sent: a worker of that size was at its
    end when the disk was slow.
    """
    if memory_limit and limiter.limit is not None:
        limiter.limit = min(limiter.limit, memory_limit // PART)


async def _write(run: Any, write: Callable[[str, Any], Any], name: str, pieces: Any) -> None:
    """Write pieces in a thread: the loop, which passes others on, does not wait for the disk."""
    await run.offload(_write_here, write, name, pieces)


def _write_here(write: Callable[[str, Any], Any], name: str, pieces: Any) -> None:
    # The coroutine is made in the thread: where a worker that ends has no more of these, nobody
    # would await it.
    asyncio.run(write(name, pieces))


class _Sender:
    """Hands pieces to a worker: to this one as they are, and not through a socket to itself.

    Others get few small messages at a time. What they have not taken yet is in their memory
    already, and no limiter of theirs can refuse it; and a message, whose pieces share its memory,
    stays until the last of them is written.
    """

    def __init__(self, run: Any, over_the_network: Send, most: int) -> None:
        self._run, self._over_the_network, self._most = run, over_the_network, most
        self._turns = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(AT_ONCE))

    async def __call__(self, address: str, pieces: Any) -> Any:
        """Hand over the pieces of some blocks."""
        response: Any = {"status": "OK"}
        for message in _messages(pieces, self._most):
            response = await self._hand_over(address, message)
            if response["status"] != "OK":
                break
        return response

    async def _hand_over(self, address: str, message: Any) -> Any:
        if address == self._run.local_address:
            self._run.raise_if_closed()
            return await self._run.receive(message)
        async with self._turns[address]:
            return await self._over_the_network(address, message)


def _messages(blocks: Any, most: int) -> Iterator[list[tuple[tuple[int, ...], list[Any]]]]:
    """Cut what blocks hand over into messages of some bytes at most, or of one piece.

    Each has a name by which its receiver knows it if it comes twice, from whichever worker.
    """
    for index, pieces in blocks:
        first = number = nbytes = 0
        for i, (_, (_, piece)) in enumerate(pieces):
            if i > first and nbytes + piece.nbytes > most:
                yield [((*index, number), pieces[first:i])]
                first, number, nbytes = i, number + 1, 0
            nbytes += piece.nbytes
        yield [((*index, number), pieces[first:])]


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
