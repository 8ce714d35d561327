"""Data of this process on their way to the workers that read them."""

from __future__ import annotations

from typing import Any

from gpuscale.base.types import Key
from gpuscale.engines.sending import Parcel

__all__ = ["scatter"]

#: Bytes of data that are little: with their tasks they pass the scheduler, which keeps them, and
#: so what is lost with a worker is computed again from them, whatever this process still has.
LITTLE = 1 << 20


def scatter(client: Any, parcels: list[Parcel]) -> dict[Key, Any]:
    """Send data of this process to workers; return a future for each batch that reads some.

    Where they are little, nothing may wait for that, no worker is there yet, or one dies meanwhile,
    data go with the tasks.

    Parameters
    ----------
    client : distributed.Client
    parcels : list of Parcel
    """
    from dask.sizeof import sizeof

    data = {parcel.name: parcel.data for parcel in parcels if parcel.data}
    nbytes = sum(sizeof(each) for values in data.values() for each in values)
    if nbytes <= LITTLE or client.asynchronous or not client.scheduler_info()["workers"]:
        return {}
    try:
        pieces = client.scatter(list(data.values()), hash=False)
    except (OSError, KeyError):  # the latter as the scheduler looks for the worker
        return {}
    return dict(zip(data, pieces, strict=True))
