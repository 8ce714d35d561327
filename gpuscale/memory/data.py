"""What may go to disk and come back without anybody seeing it, though somebody asked for it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from gpuscale.backends.seams import on_device
from gpuscale.memory.measure import is_held_alone, is_table
from gpuscale.memory.parked import may_park

__all__ = ["is_data_alone"]

# Equal ones cannot be told apart, whoever else holds them.
_VALUES = (type(None), bool, int, float, complex, str, bytes, np.generic, np.dtype)


def is_data_alone(holder: Any, place: Any, others: int = 0) -> bool:
    """Say whether a result is data that nobody but its holder can reach.

    Data are arrays of numbers, frames and series of pandas without objects, `bytes`, and lists,
    tuples, dictionaries and dataclasses of these, of numbers and of strings; so are arrays of a
    device, and tuples of them. An instance of any other class may be known elsewhere, by a registry
    or a lock: it stays the very object.

    Parameters
    ----------
    holder : list, tuple or dict
    place : int or key
        Where the holder has the result.
    others : int
        How many others are known to hold the result as well.

    Examples
    --------
    >>> is_data_alone([{"x": [np.arange(3), 1.5, "text"]}], 0)
    True
    >>> x = np.arange(3)
    >>> is_data_alone([[x]], 0), is_data_alone([object()], 0)
    (False, False)
    """
    kind = type(holder[place])
    if issubclass(kind, _VALUES) or _is_tuple_of_values(holder[place]):
        return True
    if not is_held_alone(holder, place, others):
        return False
    if on_device(holder[place]):
        return may_park(holder[place])
    if kind is np.ndarray:
        return not holder[place].dtype.hasobject
    if kind is bytearray:
        return True
    if kind in (list, dict) or (issubclass(kind, tuple) and _is_plain_tuple(kind)):
        return _are_data(holder[place])
    if is_dataclass(kind):
        names = {each.name for each in fields(kind)}
        values = getattr(holder[place], "__dict__", None)
        return values is not None and values.keys() == names and _are_data(values)
    return is_table(holder[place]) and _has_no_objects(holder[place])


def _is_plain_tuple(kind: type) -> bool:
    return kind is tuple or hasattr(kind, "_fields")


def _are_data(items: Any) -> bool:
    if isinstance(items, dict):
        are_values = all(isinstance(key, _VALUES) or _is_tuple_of_values(key) for key in items)
        return are_values and all(is_data_alone(items, key) for key in items)
    return all(is_data_alone(items, k) for k in range(len(items)))


def _is_tuple_of_values(key: Any) -> bool:
    return type(key) is tuple and all(isinstance(each, _VALUES) for each in key)


def _has_no_objects(table: Any) -> bool:
    dtypes = table.dtypes  # of a series its own, of a frame those of its columns
    return "object" not in map(str, getattr(dtypes, "values", [dtypes]))
