"""What Python's operators do beyond the functions that they are named after."""

from __future__ import annotations

import operator
from datetime import date
from typing import Any

import numpy as np

from gpuscale.array.api import elementwise
from gpuscale.array.api.creation import ones, zeros_like
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.collection import Array
from gpuscale.array.convert import gathered, is_masked
from gpuscale.array.ufunc import call
from gpuscale.backends.creation import is_on_device
from gpuscale.base.errors import NotSupportedError

__all__: list[str] = []


def equality(name: str, x: Array, other: Any) -> Array:
    """Answer ``==`` and ``!=``, which unlike `equal` compare what has no common dtype as well.

    What NumPy's ufuncs cannot compare, numbers and strings or records, its operators can.

    Raises
    ------
    TypeError
        If only one side is of records, or their fields differ.
    """
    if is_masked(other):
        return getattr(elementwise, name)(x, other)  # type: ignore[no-any-return]
    records = "V" in (x.dtype.kind, getattr(getattr(other, "dtype", None), "kind", None))
    try:
        if not records:
            return call(name, x, other)
    except (TypeError, NotSupportedError):
        pass
    y = gathered([x, other])[1]
    if is_on_device(x.backend) and _equals_no_number(other, y):
        return call(name, zeros_like(x, np.bool_), ones(y.shape, np.bool_, like=x))
    compare = {"equal": operator.eq, "not_equal": operator.ne}[name]
    compare(np.zeros(1, x.dtype), np.zeros(1, y.dtype))
    return map_blocks(compare, x, y, dtype=np.bool_, name=name)


def _equals_no_number(value: Any, array: Array) -> bool:
    """Whether no element of a device can equal a value, which need not go there to be compared."""
    if array.ndim and hasattr(value, "dtype"):
        return False  # an array has its place, and to meet one of another is an error
    if array.dtype.kind == "O":  # None, say, which equals itself alone
        return type(value).__eq__ is object.__eq__ or isinstance(value, date)
    return array.dtype.kind in "SUM"


def power(x: Array, exponent: Any) -> Array:
    """Answer ``**``, for which NumPy has shorter ways than `power` where that makes a difference.

    The square of truth values is of int8; of complex numbers, which have no better power of their
    own, roots and reciprocals are what functions of that name give.
    """
    short = None
    if x.dtype.kind == "c" and type(exponent) in (int, float):
        short = {0.5: "sqrt", -1: "reciprocal"}.get(exponent)
    elif x.dtype.kind == "b" and type(exponent) is int and exponent == 2:
        short = "square"
    return call(short, x) if short else elementwise.power(x, exponent)
