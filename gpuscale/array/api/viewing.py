"""The bytes of elements read as another dtype."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from gpuscale.array.api.functional import map_blocks
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array

__all__ = ["view"]


def view(x: Any, dtype: Any = None, order: str = "C") -> Array:
    """Read the bytes of the elements as another dtype, block by block.

    Parameters
    ----------
    x : array
    dtype : dtype, optional
        Of another size, it makes the last axis longer or shorter. Blocks that would cut elements
        of a larger one are cut elsewhere.
    order : {"C", "F"}
        "F" makes the first axis longer or shorter instead.

    Raises
    ------
    ValueError
        If the sizes of the dtypes do not fit each other, the axis or its blocks.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.asarray([1, 256], dtype="int16", chunks=1).view("int8").compute()
    array([1, 0, 0, 1], dtype=int8)
    """
    x = as_array(x)
    if dtype is None:
        return Array(x.expr)
    if order not in ("C", "F"):
        raise ValueError(f"order must be 'C' or 'F', got {order!r}")
    if order == "F":
        return view(x.T, dtype).T
    new = np.dtype(dtype)
    chunks = list(x.compute_chunk_sizes().chunks)
    if new.itemsize != x.itemsize:
        if not x.ndim:
            raise ValueError(
                "Changing the dtype of a 0d array is only supported if the itemsize is unchanged"
            )
        _length(x.shape[-1], x.dtype, new)
        chunks[-1] = _whole(chunks[-1], new.itemsize // math.gcd(new.itemsize, x.itemsize))
        x = x.rechunk(tuple(chunks))
        chunks[-1] = tuple(_length(int(n), x.dtype, new) for n in chunks[-1])
    return map_blocks(_view, x, new, chunks=tuple(chunks), dtype=new, name="view")


def _length(length: int, old: np.dtype[Any], new: np.dtype[Any]) -> int:
    """How many elements of the new dtype there are in a block."""
    if new.itemsize < old.itemsize and old.itemsize % max(new.itemsize, 1):
        raise ValueError(
            "When changing to a smaller dtype, its size must be a divisor of the size of original "
            "dtype"
        )
    if not new.itemsize or length * old.itemsize % new.itemsize:
        raise ValueError(
            f"When changing to a larger dtype, its size must be a divisor of the total size in "
            f"bytes of the last axis of the array: {length} elements of {old} are no multiple of "
            f"{new}"
        )
    return length * old.itemsize // new.itemsize


def _whole(sizes: tuple[Any, ...], group: int) -> tuple[int, ...]:
    """Move the ends of blocks back to whole groups of elements.

    Examples
    --------
    >>> _whole((3, 3, 1, 1), 2)
    (2, 4, 2)
    """
    ends = [int(end) // group * group for end in itertools.accumulate(sizes, initial=0)]
    return tuple(b - a for a, b in itertools.pairwise(ends) if b > a) or (0,)


def _view(chunk: Any, dtype: np.dtype[Any]) -> Any:
    contiguous = chunk if chunk.dtype.itemsize == dtype.itemsize else chunk.copy(order="C")
    return contiguous.view(dtype)
