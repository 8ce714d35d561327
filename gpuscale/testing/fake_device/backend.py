"""The fake device as a backend, registered as that of CuPy is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from gpuscale.backends.creation import register_backend, unregister_backend
from gpuscale.backends.seams import (
    accumulate,
    array_namespace,
    backend_name,
    fold,
    nbytes,
    to_host,
)
from gpuscale.backends.shared_ops import fold_by_halves, strided_nbytes
from gpuscale.testing.fake_device.array import make, ndarray
from gpuscale.testing.fake_device.calls import call
from gpuscale.testing.fake_device.device import FakeDevice
from gpuscale.testing.fake_device.namespace import asnumpy, fake

__all__ = ["NAME", "activate", "active", "deactivate"]

NAME = "fake"
"""What ``backend=``, ``like=`` and the option ``array.backend`` call it."""


def activate() -> Any:
    """Make the backend known for the rest of the process, and return its namespace."""
    array_namespace.register(ndarray)(lambda data: fake)
    backend_name.register(ndarray)(lambda data: NAME)
    fold.register(ndarray)(partial(fold_by_halves, fake))
    nbytes.register(ndarray)(strided_nbytes)
    to_host.register(ndarray)(asnumpy)
    accumulate.register(ndarray)(_accumulate)
    register_backend(NAME, lambda: fake, FakeDevice)
    return fake


def _accumulate(chunk: Any, ufunc: str, axis: int) -> Any:
    """Do what a kernel of ours does on CuPy, whose ufuncs lack it."""
    kwargs = {"axis": axis, "dtype": chunk.dtype}
    return call(make, getattr(np, ufunc).accumulate, (chunk,), kwargs, [])


def deactivate() -> None:
    """Let no new data be made on it; arrays that there are stay usable."""
    unregister_backend(NAME)


@contextmanager
def active() -> Iterator[Any]:
    """Make the backend known while this lasts.

    Examples
    --------
    >>> from gpuscale.testing import fake_device
    >>> with fake_device.active() as xp:
    ...     x = xp.arange(3)
    >>> x + 1
    array([1, 2, 3])
    """
    try:
        yield activate()
    finally:
        deactivate()
