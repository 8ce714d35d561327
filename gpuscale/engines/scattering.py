"""Data of this process on their way to the workers that read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gpuscale.base.types import Key
from gpuscale.engines.sending import Parcel

__all__ = ["in_messages", "scatter"]

#: Bytes of data that are little: with their tasks they pass the scheduler, which keeps them, and
#: so what is lost with a worker is computed again from them, whatever this process still has.
LITTLE = 1 << 20
#: Bytes that are sent at once, which their workers have in memory until all of them have arrived;
#: more only where one datum has them.
MESSAGE = 32 << 20


def in_messages(data: Iterable[Any], sizes: Iterable[int]) -> Iterator[list[Any]]:
    """Cut data into what is sent at once.

    Examples
    --------
    >>> list(in_messages("abc", [MESSAGE // 2, MESSAGE // 2, 1]))
    [['a', 'b'], ['c']]
    """
    message: list[Any] = []
    nbytes = 0
    for each, size in zip(data, sizes, strict=True):
        if message and nbytes + size > MESSAGE:
            yield message
            message, nbytes = [], 0
        message.append(each)
        nbytes += size
    if message:
        yield message


def scatter(client: Any, parcels: list[Parcel]) -> dict[Key, Any]:
    """Send data of this process to workers; return a future for each batch that reads some.

    Where they are little, nothing may wait for that, no worker is there yet, or one dies meanwhile,
    data that are left go with the tasks.

    Parameters
    ----------
    client : distributed.Client
    parcels : list of Parcel
    """
    from dask.sizeof import sizeof

    data = [(parcel.name, parcel.data) for parcel in parcels if parcel.data]
    sizes = [sum(map(sizeof, values)) for _, values in data]
    if sum(sizes) <= LITTLE or client.asynchronous or not client.scheduler_info()["workers"]:
        return {}
    sent: dict[Key, Any] = {}
    for message in in_messages(data, sizes):
        try:
            futures = client.scatter([values for _, values in message], hash=False)
        except (OSError, KeyError):  # the latter as the scheduler looks for the worker
            break
        sent.update(zip([name for name, _ in message], futures, strict=True))
    return sent
