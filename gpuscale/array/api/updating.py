"""``ufunc.at``: elements of an array are changed in place, as often as an index names them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.assigning import target
from gpuscale.array.api.getitem import getitem
from gpuscale.array.api.index_terms import parse_index
from gpuscale.array.api.setitem import assigned, setitem
from gpuscale.array.convert import as_array, beside
from gpuscale.array.ufunc import call

__all__: list[str] = []


def update(name: str, x: Any, indices: Any, *operand: Any) -> None:
    """Answer ``ufunc.at``.

    Only arrays of integers can name an element twice: slices and masks stay a read, the function
    and a write, which fuse.

    Parameters
    ----------
    name : str
        Of a ufunc of one or two operands.
    x : Array
        Changed in place.
    indices : int, slice, array of int or bool, or a tuple of them
    operand : array
        Of a ufunc of two operands the second; broadcast to ``x[indices]``.

    Raises
    ------
    TypeError
        If ``x`` is not a gpuscale array, or the function not defined for the dtypes.
    ValueError
        If there is not one operand where the function takes two, or it does not broadcast.
    IndexError
        If an index is out of bounds.
    """
    x = target(f"{name}.at", x)
    values = [beside(each, x, f"{name}.at") for each in operand]
    getattr(np, name).at(np.ones(1, x.dtype), [0], *(np.ones(1, v.dtype) for v in values))
    parsed = parse_index(indices, x)
    if all(each.is_mask for each in parsed.advanced):
        result = setitem(x, indices, call(name, getitem(x, indices), *values).astype(x.dtype))
    else:
        result = assigned(x, parsed, values[0] if values else as_array(False), name)
    x._expr = result.expr
