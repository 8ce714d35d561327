"""What may go to disk and come back without anybody seeing it, though somebody asked for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from gpuscale.backends.seams import on_device
from gpuscale.base.atoms import holds_atoms_alone
from gpuscale.memory.measure import has_objects, is_held_alone, is_table
from gpuscale.memory.parked import may_park

__all__ = ["is_data_alone"]

# Equal ones cannot be told apart, whoever else holds them.
_VALUES = (type(None), bool, int, float, complex, str, bytes, np.generic, np.dtype)


def is_data_alone(holder: Any, place: Any, others: int = 0) -> bool:
    """Say whether a result is data that nobody but its holder can reach.

    Data are arrays of numbers, frames and series of pandas without objects, `bytes`, and lists,
    tuples, dictionaries and dataclasses of these, of numbers and of strings, and sets of the last
    two; so are arrays of a device, and tuples of them. An instance of any other class may be known
    elsewhere, by a registry or a lock: it stays the very object.

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
    if holds_atoms_alone(holder[place]):
        return True
    if on_device(holder[place]):
        return may_park(holder[place])
    if kind is np.ndarray:
        return not holder[place].dtype.hasobject
    if kind is bytearray:
        return True
    if kind in (set, frozenset):
        return _are_values(holder[place])
    if kind in (list, dict) or (issubclass(kind, tuple) and _is_plain_tuple(kind)):
        return _are_data(holder[place])
    if is_dataclass(kind):
        names = {each.name for each in fields(kind)}
        values = getattr(holder[place], "__dict__", None)
        return values is not None and values.keys() == names and _are_data(values)
    return is_table(holder[place]) and not has_objects(holder[place])


def _is_plain_tuple(kind: type) -> bool:
    return kind is tuple or hasattr(kind, "_fields")


def _are_data(items: Any) -> bool:
    if isinstance(items, dict):
        return _are_values(items) and _each_is_data(items, items)
    return _each_is_data(items, range(len(items)))


def _are_values(keys: Iterable[Any]) -> bool:
    return all(isinstance(key, _VALUES) or _is_tuple_of_values(key) for key in keys)


def _each_is_data(items: Any, places: Iterable[Any]) -> bool:
    return all(is_data_alone(items, place) for place in places)


def _is_tuple_of_values(key: Any) -> bool:
    return type(key) is tuple and all(isinstance(each, _VALUES) for each in key)
