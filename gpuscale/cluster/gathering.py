"""Results that users gather, in messages that workers have room for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import distributed
from distributed.utils_comm import pack_data, unpack_remotedata

from gpuscale.engines.scattering import MESSAGE, in_messages

__all__ = ["gather_in_messages"]


async def gather_in_messages(
    gather: Callable[[Any], Awaitable[Any]], futures: Any, scheduler: Any, skips: bool = False
) -> Any:
    """Gather what futures in a container stand for, a few at a time.

    A worker has a whole message in memory, also what it had written to disk.

    Parameters
    ----------
    gather : callable
        Gathers some of them.
    futures : object
    scheduler : rpc of the scheduler
    skips : bool
        Leave out what has failed.
    """
    own = {each.key: each for each in distributed.futures_of(futures)}
    if len(own) < 2 or not (await _are_finished(list(own.values())) or skips):
        return await gather(futures)  # which raises, if one has failed
    for each in own.values():
        await each._state.wait()
    failed = [key for key, each in own.items() if each.status != "finished"]
    own = {key: each for key, each in own.items() if each.status == "finished"}
    try:
        sizes = await scheduler.nbytes(keys=list(own), summary=False)
    except KeyError:  # somebody has let one go meanwhile
        return await gather(futures)
    if sum(sizes.values()) <= MESSAGE:
        return await gather(futures)
    values: dict[Any, Any] = {}
    for message in in_messages(own, [sizes[key] for key in own]):
        found = await gather([own[key] for key in message])
        if len(found) < len(message):  # one is gone meanwhile, and errors are skipped
            return await gather(futures)
        values.update(zip(message, found, strict=True))
    packed, _ = unpack_remotedata(futures, byte_keys=True)
    if failed and isinstance(packed, list):
        packed = [each for each in packed if each not in failed]
    return pack_data(packed, values | dict.fromkeys(failed))


async def _are_finished(futures: list[Any]) -> bool:
    """Wait for all of them, or until one has failed."""

    async def finish(future: Any) -> None:
        await future._state.wait()
        if future.status != "finished":
            raise _Failed

    waiting = [asyncio.ensure_future(finish(each)) for each in futures]
    try:
        await asyncio.gather(*waiting)
    except _Failed:
        return False
    finally:
        for each in waiting:
            each.cancel()
    return True


class _Failed(Exception):  # noqa: N818 - it tells, and nobody sees it
    """One future has no result."""
