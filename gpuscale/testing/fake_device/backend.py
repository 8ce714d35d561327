"""The fake device as a backend, registered as that of CuPy is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from gpuscale.backends.creation import backend_names, register_backend, unregister_backend
from gpuscale.backends.device_ops import register_device_rows
from gpuscale.backends.folding import accumulate_pairwise
from gpuscale.backends.frame_libraries import register_frames, unregister_frames
from gpuscale.backends.seams import accumulate, owns_memory, to_host
from gpuscale.testing.fake_device.array import ndarray
from gpuscale.testing.fake_device.device import FakeDevice
from gpuscale.testing.fake_device.memory import is_held_once
from gpuscale.testing.fake_device.namespace import asnumpy, fake
from gpuscale.testing.fake_device.pool import POOL

__all__ = ["NAME", "activate", "active", "deactivate"]

NAME = "fake"
"""What ``backend=``, ``like=`` and the option ``array.backend`` call it."""


def activate() -> Any:
    """Make the backend known for the rest of the process, and return its namespace."""
    register_device_rows(ndarray, fake, NAME)
    accumulate.register(ndarray)(partial(accumulate_pairwise, fake))
    owns_memory.register(ndarray)(is_held_once)
    to_host.register(ndarray)(asnumpy)
    register_backend(NAME, lambda: fake, FakeDevice, lambda: POOL.limit)
    register_frames(NAME, _frames, NAME)
    return fake


def _frames() -> Any:
    from gpuscale.testing.fake_device.frame_namespace import fake_frames, register_rows

    register_rows(NAME)
    return fake_frames


def deactivate() -> None:
    """Let no new data be made on it; arrays that there are stay usable."""
    unregister_backend(NAME)
    unregister_frames(NAME)


@contextmanager
def active() -> Iterator[Any]:
    """Make the backend known while this lasts; where it was known before, it stays so.

    Examples
    --------
    >>> from gpuscale.testing import fake_device
    >>> with fake_device.active() as xp:
    ...     x = xp.arange(3)
    >>> x + 1
    array([1, 2, 3])
    """
    was_active = NAME in backend_names()
    try:
        yield activate()
    finally:
        if not was_active:
            deactivate()
