"""How many bytes a result keeps alive."""

from __future__ import annotations

import sys
from dataclasses import is_dataclass
from itertools import islice
from numbers import Integral
from typing import Any

import numpy as np

__all__ = ["held_bytes", "is_held_alone", "is_table"]


def held_bytes(result: Any, projected: int) -> int:
    """Measure arrays that own their memory; believe the projection of everything else.

    A view keeps alive memory that is counted where it was allocated or, if that was in the same
    task, by the projection. Where nothing is projected, a view that alone holds its memory and
    containers are measured as well; tuples of arrays are in any case.

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
    >>> held_bytes((x, x.copy()), 9), held_bytes((x, x[::2]), 7)
    (1600, 7)
    >>> held_bytes([{"x": x}, bytes(200)], 0) // 1000
    1
    """
    if type(result) in _SMALL:
        return projected
    if type(result) is tuple and result:
        sizes = [_own_bytes(each) for each in result]
        if None not in sizes:
            return sum(sizes)  # type: ignore[arg-type]
    nbytes = _own_bytes(result)
    return nbytes if nbytes is not None else projected or _held_by(result, _DEPTH)


def _own_bytes(result: Any) -> int | None:
    """Bytes of an array that owns them, None for anything else."""
    nbytes = _said_bytes(result)
    return nbytes if nbytes is not None and getattr(result, "base", None) is None else None


_SMALL = frozenset({type(None), bool, int, float, complex})
_DEPTH = 8  # of containers in containers
_SAMPLE = 64  # items of a long container that are measured, for all of them
_ITEM = 8  # bytes of one reference


def _said_bytes(value: Any) -> int | None:
    """Return what an object says of its size, None if that is no size."""
    try:
        nbytes = getattr(value, "nbytes", None)
    except Exception:  # whatever its own methods raise: the task has succeeded
        return None
    return max(0, int(nbytes)) if isinstance(nbytes, Integral) else None


def _held_by(value: Any, depth: int) -> int:
    """Bytes of data in containers, and of views of memory that nobody else holds."""
    if isinstance(value, bytes | bytearray | str):
        return len(value)
    if isinstance(value, list | tuple | dict):
        return _held_by_items(value, depth) if depth else 0
    if is_dataclass(value) and not isinstance(value, type):
        return _held_by_items(getattr(value, "__dict__", {}), depth) if depth else 0
    if is_table(value):
        return int(np.sum(value.memory_usage(index=True)))
    base = getattr(value, "base", None)
    if base is None:
        return _said_bytes(value) or 0
    owns = isinstance(value, np.ndarray) and isinstance(base, np.ndarray) and base.base is None
    del base
    return value.base.nbytes if owns and _references_of_base(value) <= _ONE_OF_BASE else 0


def _held_by_items(items: list[Any] | tuple[Any, ...] | dict[Any, Any], depth: int) -> int:
    values = items.values() if isinstance(items, dict) else items
    measured = [_held_by(each, depth - 1) for each in islice(values, _SAMPLE)]
    held = sum(measured)
    if len(items) > _SAMPLE:
        held = held * len(items) // _SAMPLE
    return held + _ITEM * len(items)


def is_table(value: Any) -> bool:
    """Say whether a value is a frame or a series of pandas, which need not be there.

    Examples
    --------
    >>> is_table([1, 2])
    False
    """
    kind = type(value)
    is_of_pandas = kind.__module__.partition(".")[0] == "pandas"
    return is_of_pandas and kind.__name__ in ("DataFrame", "Series")


def is_held_alone(holder: Any, place: Any, others: int = 0) -> bool:
    """Say whether a container alone holds a result, so that the result's memory goes with it.

    The memory of a view is held by whoever holds the array that it is a view of.

    Parameters
    ----------
    holder : list, tuple or dict
    place : int or key
    others : int
        How many others are known to hold the result as well.

    Examples
    --------
    >>> x = np.arange(3)
    >>> [is_held_alone([each], 0) for each in (x, x[:2])]
    [False, False]
    >>> is_held_alone([np.arange(3)], 0), is_held_alone([np.arange(3)[:2]], 0)
    (True, True)
    """
    if _references(holder, place) > _ONE + others:
        return False
    value = holder[place]
    if type(value) is tuple and all(isinstance(each, np.ndarray) for each in value):
        return all(is_held_alone(value, k) for k in range(len(value)))
    if not isinstance(value, np.ndarray) or value.base is None:
        return True
    return isinstance(value.base, np.ndarray) and _references_of_base(value) <= _ONE_OF_BASE


def _references(holder: Any, place: Any) -> int:
    return sys.getrefcount(holder[place])


def _references_of_base(view: np.ndarray[Any, Any]) -> int:
    return sys.getrefcount(view.base)


# How these count one reference differs between versions of Python.
_ONE = _references([np.empty(1)], 0)
_ONE_OF_BASE = _references_of_base(np.empty(2)[:1])
