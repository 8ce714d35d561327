"""How many bytes a result keeps alive."""

from __future__ import annotations

import gc
import sys
import types
from collections import deque
from dataclasses import is_dataclass
from itertools import islice
from numbers import Integral
from typing import Any

import numpy as np

from gpuscale.backends.frame_seams import is_frame_of_device
from gpuscale.backends.seams import nbytes as nbytes_of

__all__ = ["has_objects", "held_bytes", "is_held_alone", "is_table"]


def held_bytes(result: Any, projected: int) -> int:
    """Measure tables and arrays that own their memory; believe the projection of everything else.

    A view keeps alive memory that is counted where it was allocated or, if that was in the same
    task, by the projection. Where nothing is projected, a view that alone holds its memory and
    other objects are measured as well, large ones by a sample of their items; tuples of arrays are
    in any case.

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
    if type(result) in _TEXTS:
        return projected or sys.getsizeof(result)
    if type(result) is tuple and result:
        sizes = [_own_bytes(each) for each in result]
        if None not in sizes:
            return sum(sizes)  # type: ignore[arg-type]
    nbytes = _own_bytes(result)
    return nbytes if nbytes is not None else projected or _sampled_bytes(result)


def _sampled_bytes(result: Any) -> int:
    try:
        return _Sampler().bytes_of(result)
    except Exception:  # whatever its own methods raise: the task has succeeded
        return 0


def _own_bytes(result: Any) -> int | None:
    """Bytes of an array that owns them, or of a table; None for anything else."""
    if is_table(result):
        return _bytes_of_table(result)
    if is_frame_of_device(result):
        return nbytes_of(result)
    nbytes = _said_bytes(result)
    if nbytes is None or _base_of(result) is not None:
        return None
    return nbytes + (_Sampler().bytes_of_items(result) if _has_references(result) else 0)


_SMALL = frozenset({type(None), bool, int, float, complex})
_TEXTS = frozenset({str, bytes})
_LEAVES = _SMALL | _TEXTS
_CONTAINERS = (list, tuple, dict, set, frozenset, deque)
_DEPTH = 8  # of containers in containers
_STEP_OF_OBJECTS = 4  # of that depth: one object leads to others that may know half of the process
_SAMPLE = 64  # items of a long container that are measured, for all of them
_MOST = _SAMPLE * _SAMPLE  # objects that are looked at in all
# What results refer to and do not hold alone.
_SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.CodeType)


def _said_bytes(value: Any) -> int | None:
    """Return what an object says of its size, None if that is no size."""
    try:
        # Asked of the class first: an object's own `__getattr__` is not ours to call.
        nbytes = value.nbytes if hasattr(type(value), "nbytes") else None
    except Exception:  # whatever its own methods raise: the task has succeeded
        return None
    return max(0, int(nbytes)) if isinstance(nbytes, Integral) else None


def _base_of(value: Any) -> Any:
    """Return what a view is a view of."""
    return value.base if hasattr(type(value), "base") else None


def _has_references(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.hasobject


def _is_data(value: Any) -> bool:
    return isinstance(value, (*_CONTAINERS, np.ndarray)) or is_dataclass(value)


class _Sampler:
    """Measures objects by a sample of what they hold, each once, in a bounded number of steps."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def bytes_of(self, value: Any, most: int = _MOST, depth: int = _DEPTH) -> int:
        """Bytes of an object, of what it holds, and of views of memory that nobody else holds.

        Parameters
        ----------
        value : object
        most : int
            How many objects in it may be looked at.
        depth : int
            How many steps from one to the next may be taken.
        """
        if id(value) in self._seen:
            return 0
        self._seen.add(id(value))
        if type(value) in _LEAVES:
            return sys.getsizeof(value)
        if type(value) in _CONTAINERS:
            return sys.getsizeof(value) + self.bytes_of_items(value, most, depth)
        if is_table(value):
            return _bytes_of_table(value)
        if (said := _said_bytes(value)) is not None:
            said = said if _base_of(value) is None else _bytes_of_base(value)
            return said + (self.bytes_of_items(value, most, depth) if _has_references(value) else 0)
        return sys.getsizeof(value) + self.bytes_of_items(value, most, depth)

    def bytes_of_items(self, value: Any, most: int = _MOST, depth: int = _DEPTH) -> int:
        """Bytes of what an object holds, without its own."""
        if type(value) not in _CONTAINERS and not _is_data(value):
            depth -= _STEP_OF_OBJECTS
        if depth <= 0 or not most:
            return 0
        sample, count = _sample(value, min(most, _SAMPLE))
        if not sample:
            return 0
        share = most // len(sample)
        return (
            sum([self.bytes_of(each, share, depth - 1) for each in sample]) * count // len(sample)
        )


def _sample(value: Any, most: int) -> tuple[list[Any], int]:
    """Return some of the objects that another one holds, and how many it holds."""
    if isinstance(value, dict):  # by the methods of the class: those of a subclass are not ours
        pairs = islice(dict.items(value), max(1, most // 2))
        return [each for pair in pairs for each in pair], 2 * dict.__len__(value)
    if isinstance(value, set | frozenset | deque):
        return list(islice(value, most)), len(value)
    if isinstance(value, np.ndarray):
        items: Any = value.flat if value.dtype == object else ()
    elif isinstance(value, list | tuple):
        items = value
    else:
        items = [each for each in gc.get_referents(value) if not issubclass(type(each), _SHARED)]
    return list(items[:: -(-len(items) // most) or 1]), len(items)


def _bytes_of_base(view: Any) -> int:
    """Bytes of the memory that only a view holds."""
    base = view.base
    owns = isinstance(view, np.ndarray) and isinstance(base, np.ndarray) and base.base is None
    del base
    return view.base.nbytes if owns and _references_of_base(view) <= _ONE_OF_BASE else 0


def _bytes_of_table(table: Any) -> int:
    held = nbytes_of(table)
    if not has_objects(table):
        return held
    rows = table.iloc[:: -(-len(table) // _SAMPLE) or 1]
    deep, flat = [np.sum(rows.memory_usage(index=False, deep=each)) for each in (True, False)]
    return held + int(deep - flat) * len(table) // max(1, len(rows))


def has_objects(table: Any) -> bool:
    """Say whether a frame or a series of pandas has columns of Python's objects."""
    dtypes = table.dtypes  # of a series its own, of a frame those of its columns
    return "object" in map(str, getattr(dtypes, "values", [dtypes]))


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
