"""The fake device as a backend, registered as that of CuPy is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from gpuscale.backends.creation import backend_names, register_backend, unregister_backend
from gpuscale.backends.folding import accumulate_pairwise, fold_pairwise, reduceat_pairwise
from gpuscale.backends.seams import (
    accumulate,
    array_namespace,
    backend_name,
    fold,
    lexicographic_order,
    nbytes,
    on_device,
    owns_memory,
    reduceat,
    to_host,
    update,
)
from gpuscale.backends.shared_ops import device_token, order_by_turns, strided_nbytes
from gpuscale.backends.updating import update_in_turn
from gpuscale.base.tokens import normalize_token
from gpuscale.testing.fake_device.array import ndarray
from gpuscale.testing.fake_device.device import FakeDevice
from gpuscale.testing.fake_device.memory import is_held_once
from gpuscale.testing.fake_device.namespace import asnumpy, fake

__all__ = ["NAME", "activate", "active", "deactivate"]

NAME = "fake"
"""What ``backend=``, ``like=`` and the option ``array.backend`` call it."""


def activate() -> Any:
    """Make the backend known for the rest of the process, and return its namespace."""
    accumulate.register(ndarray)(partial(accumulate_pairwise, fake))
    array_namespace.register(ndarray)(lambda data: fake)
    backend_name.register(ndarray)(lambda data: NAME)
    fold.register(ndarray)(partial(fold_pairwise, fake))
    lexicographic_order.register(ndarray)(partial(order_by_turns, fake))
    nbytes.register(ndarray)(strided_nbytes)
    on_device.register(ndarray)(lambda data: True)
    owns_memory.register(ndarray)(is_held_once)
    reduceat.register(ndarray)(partial(reduceat_pairwise, fake))
    normalize_token.register(ndarray)(device_token)
    to_host.register(ndarray)(asnumpy)
    update.register(ndarray)(partial(update_in_turn, fake))
    register_backend(NAME, lambda: fake, FakeDevice)
    return fake


def deactivate() -> None:
    """Let no new data be made on it; arrays that there are stay usable."""
    unregister_backend(NAME)


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
