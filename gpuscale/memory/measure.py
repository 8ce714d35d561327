"""How many bytes a result keeps alive."""

from __future__ import annotations

import sys
from numbers import Integral
from typing import Any

import numpy as np

__all__ = ["held_bytes", "is_held_alone"]


def held_bytes(result: Any, projected: int) -> int:
    """Measure an array that owns its memory; believe the projection of everything else.

    A view keeps alive memory that is counted where it was allocated or, if that was in the same
    task, by the projection.

    Parameters
    ----------
    result : object
        What a task returned.
    projected : int
        Bytes that the task was expected to hold.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.ones(100)
    >>> held_bytes(x, 0), held_bytes(x[::2], 0), held_bytes("text", 3)
    (800, 0, 3)
    """
    nbytes = getattr(result, "nbytes", None)
    if nbytes is None:
        return projected
    if not isinstance(nbytes, Integral) or getattr(result, "base", None) is not None:
        return projected
    return int(nbytes)


def is_held_alone(holder: list[Any] | tuple[Any, ...], place: int) -> bool:
    """Say whether a list alone holds a result, so that the result's memory goes with it.

    The memory of a view is held by whoever holds the array that it is a view of.

    Examples
    --------
    >>> x = np.arange(3)
    >>> [is_held_alone([each], 0) for each in (x, x[:2])]
    [False, False]
    >>> is_held_alone([np.arange(3)], 0), is_held_alone([np.arange(3)[:2]], 0)
    (True, True)
    """
    if _references(holder, place) > _ONE:
        return False
    value = holder[place]
    if type(value) is tuple and all(isinstance(each, np.ndarray) for each in value):
        return all(is_held_alone(value, k) for k in range(len(value)))
    if not isinstance(value, np.ndarray) or value.base is None:
        return True
    return isinstance(value.base, np.ndarray) and _references_of_base(value) <= _ONE_OF_BASE


def _references(holder: list[Any] | tuple[Any, ...], place: int) -> int:
    return sys.getrefcount(holder[place])


def _references_of_base(view: np.ndarray[Any, Any]) -> int:
    return sys.getrefcount(view.base)


# How these count one reference differs between versions of Python.
_ONE = _references([np.empty(1)], 0)
_ONE_OF_BASE = _references_of_base(np.empty(2)[:1])
