"""Scans by NumPy, whose loops along an axis nothing beats on one core."""

from typing import Any

import numpy as np

from .operations import neutral, split_shape

__all__ = ["scan"]


def scan(
    values: Any, operation: str, axis: int = -1, dtype: Any = None, exclusive: bool = False
) -> Any:
    """Return running results along an axis; parameters are those of `scan_cuda.scan`.

    Examples
    --------
    >>> scan(np.array([3, 1, 2]), "add"), scan(np.array([3, 1, 2]), "add", exclusive=True)
    (array([3, 4, 6]), array([0, 3, 4]))
    """
    dtype = np.dtype(values.dtype if dtype is None else dtype)
    first = neutral(operation, dtype, exclusive)
    split_shape(values.shape, axis)
    function = getattr(np, operation)
    if not exclusive:
        return function.accumulate(values, axis=axis, dtype=dtype)
    along = np.moveaxis(values, axis, -1)
    result = np.full(along.shape, first, dtype)
    function.accumulate(along[..., :-1], axis=-1, dtype=dtype, out=result[..., 1:])
    return np.moveaxis(result, -1, axis)
