"""Data that users scatter, in messages that workers have room for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from dask.sizeof import sizeof
from distributed.comm.core import CommClosedError

from gpuscale.base.errors import EngineError
from gpuscale.base.sizes import format_bytes
from gpuscale.engines.events import PERIOD
from gpuscale.engines.reserving import HELD, room_for_tasks
from gpuscale.engines.scattering import MESSAGE, in_messages

__all__ = ["check_room", "largest", "named_items", "scatter_in_messages"]

#: How often data are sent whose workers end meanwhile.
ATTEMPTS = 3


def named_items(data: Any) -> list[tuple[str, Any]]:
    """Return what `distributed.Client.scatter` makes a future of each, and what to call it.

    Examples
    --------
    >>> named_items([1, 2]), named_items(3)
    ([('item 0', 1), ('item 1', 2)], [('it', 3)])
    """
    if isinstance(data, dict):
        return [(f"item {key!r}", each) for key, each in data.items()]
    if isinstance(data, list | tuple):
        return [(f"item {k}", each) for k, each in enumerate(data)]
    return [("it", data)]


async def scatter_in_messages(send: Callable[[Any], Awaitable[Any]], data: Any) -> Any:
    """Scatter the items of a list, a tuple or a dictionary, a few at a time.

    A worker has a whole message in memory before it can write anything of it to disk.

    Parameters
    ----------
    send : callable
        Scatters some of them.
    data : object

    Raises
    ------
    EngineError
        Their workers end again and again.
    """
    if type(data) not in (list, tuple, dict):
        return await _sent(send, data)
    sizes = [sizeof(each) for _, each in named_items(data)]
    items = data.items() if isinstance(data, dict) else data
    kind = dict if isinstance(data, dict) else list
    messages = list(in_messages(items, sizes))
    if len(messages) < 2:
        return await _sent(send, data)
    sent = [await _sent(send, kind(message)) for message in messages]
    if isinstance(data, dict):
        return dict(chain.from_iterable(each.items() for each in sent))
    return type(data)(chain.from_iterable(sent))


async def _sent(send: Callable[[Any], Awaitable[Any]], data: Any) -> Any:
    """Send data, and again where the scheduler did not know yet that their worker is gone."""
    for _ in range(ATTEMPTS):
        try:
            return await send(data)
        except CommClosedError:
            await asyncio.sleep(PERIOD)
    raise EngineError(
        f"data were scattered {ATTEMPTS} times, and each time the worker that was to hold them "
        "ended: its log says why (too little memory, somebody killed it?); scatter them again when "
        "there are workers (client.wait_for_workers(1)), or smaller pieces"
    )


_NO_LIMIT = 1 << 60


def largest(items: Iterable[tuple[str, Any]]) -> tuple[int, str]:
    """Return the bytes of the largest datum among some, and what to call it.

    Examples
    --------
    >>> nbytes, name = largest([("it", b"x"), ("item 1", bytes(1000))])
    >>> nbytes >= 1000, name
    (True, 'item 1')
    """
    return max(((sizeof(each), name) for name, each in items), default=(0, ""))


async def check_room(
    items: Iterable[tuple[str, Any]], workers: Callable[[], Awaitable[Mapping[str, Any]]]
) -> None:
    """Refuse a datum that no worker has room for.

    Parameters
    ----------
    items : iterable of (str, object)
        What to call each, and the datum.
    workers : callable
        Asks the scheduler what it knows of them.

    Raises
    ------
    ValueError
        Says which, and what to do.
    """
    nbytes, name = largest(items)
    if nbytes <= MESSAGE:
        return
    limits = [each["memory_limit"] or _NO_LIMIT for each in (await workers()).values()]
    limit = max(limits, default=_NO_LIMIT)
    if nbytes > room_for_tasks(limit) - limit // HELD:
        raise ValueError(
            f"{name} takes {format_bytes(nbytes)}, and the largest worker may hold "
            f"{format_bytes(limit)}, its program and its tasks among them: scatter several "
            "smaller items, or give workers more memory (memory_limit=)"
        )
