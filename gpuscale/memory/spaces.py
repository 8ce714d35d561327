"""Where bytes lie: in the memory of the host, or in that of the device of this process."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.backends.creation import is_on_device
from gpuscale.backends.frame_libraries import use
from gpuscale.backends.seams import backend_name, on_device

__all__ = ["DEVICE", "HOST", "OF_HOST", "SPACES", "space_of", "space_of_result", "use_device_of"]

#: The spaces are numbers, since lists with an item for each are looked at for every task.
HOST, DEVICE = SPACES = 0, 1

#: Types of most results, which no device has.
OF_HOST = frozenset({type(None), bool, int, float, complex, str, bytes, np.ndarray})


def space_of(backend: str) -> int:
    """Return the space in which chunks of a backend lie.

    Examples
    --------
    >>> space_of("numpy") == HOST, space_of("cupy") == DEVICE
    (True, True)
    """
    return DEVICE if is_on_device(backend) else HOST


def space_of_result(result: Any) -> int:
    """Return the space in which the arrays of a result lie.

    Examples
    --------
    >>> space_of_result([1, "two"]) == HOST
    True
    """
    return HOST if type(result) in OF_HOST or not on_device(result) else DEVICE


def use_device_of(result: Any) -> None:
    """Have the device in use on which the arrays of a result lie, whoever made them."""
    while isinstance(result, tuple | list | dict):
        items = result.values() if isinstance(result, dict) else result
        result = next(each for each in items if on_device(each))
    use(backend_name(result))
