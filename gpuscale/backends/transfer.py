"""Chunks between the host and a device, and their size in memory."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from gpuscale.backends.creation import namespace
from gpuscale.backends.devices import IN_USE, upload
from gpuscale.backends.seams import backend_name, from_host, nbytes, on_device, to_host

__all__ = ["nbytes", "to_device", "to_host"]

# What is looked at of a container to see where all of it lies: items, and levels, since it may hold
# itself.
_FEW, _DEEP = 16, 3


def to_device(data: Any, backend: str) -> Any:
    """Return an array or a frame as one of a backend; what is there already as it is.

    Parameters
    ----------
    data : array or frame
    backend : str
        Name of a backend, as "cupy" or "cudf"; "numpy" and "pandas" stand for the host.

    Raises
    ------
    BackendError
        If the backend cannot work here.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(3)
    >>> to_device(x, "numpy") is x
    True
    """
    if backend_name(data) == backend:
        return data
    return from_host(to_host(data), backend)


@from_host.register(object)
def _array_from_host(data: Any, backend: str) -> Any:
    xp = namespace(backend)
    return upload(data, backend) if backend in IN_USE else xp.asarray(data)


@to_host.register(tuple, list)
def _to_host_sequence(data: Any) -> Any:
    items = [to_host(item) for item in data]
    return type(data)(*items) if hasattr(data, "_fields") else type(data)(items)


@to_host.register(dict)
def _to_host_dict(data: dict[Any, Any]) -> dict[Any, Any]:
    return {key: to_host(item) for key, item in data.items()}


@nbytes.register(tuple, list)
def _nbytes_of_sequence(data: Iterable[Any]) -> int:
    return sum(map(nbytes, data))


@nbytes.register(dict)
def _nbytes_of_dict(data: dict[Any, Any]) -> int:
    return sum(map(nbytes, data.values()))


@on_device.register(tuple, list, dict)
def _container_on_device(data: Any) -> bool:
    return _holds_device(data, _DEEP)


def _holds_device(data: Any, levels: int) -> bool:
    if not isinstance(data, tuple | list | dict):
        return on_device(data)
    items = data.values() if isinstance(data, dict) else data
    return levels > 0 and any(_holds_device(each, levels - 1) for each in islice(items, _FEW))
