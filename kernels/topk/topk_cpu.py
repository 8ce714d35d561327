"""Selection of the best elements of rows by NumPy's introselect."""

from typing import Any

import numpy as np

from .checks import check_rows

__all__ = ["topk"]


def topk(values: Any, k: int, largest: bool = True) -> tuple[Any, Any]:
    """Return the best elements of each row and their positions; see `topk_cuda.topk`.

    Examples
    --------
    >>> topk(np.array([5, 9, 5, 1, 7]), 3)
    (array([9, 7, 5]), array([1, 4, 0]))
    """
    check_rows(values, k)
    rows = values.reshape(-1, values.shape[-1])
    positions = np.empty((rows.shape[0], k), np.int64)
    if k:
        for row, out in zip(rows, positions, strict=True):
            out[...] = _select(row, k, largest)
    positions = positions.reshape(*values.shape[:-1], k)
    return np.take_along_axis(values, positions, -1), positions


def _select(row: Any, k: int, largest: bool) -> Any:
    pivot = row.size - k if largest else k - 1
    last = np.partition(row, pivot)[pivot]
    nan, is_last_nan = row != row, bool(last != last)  # NaN is larger than all numbers
    if largest:
        better = (row > last) | (nan & (not is_last_nan))
    else:
        better = (row < last) | (~nan & is_last_nan)
    chosen = np.flatnonzero(better)
    equal = np.flatnonzero(nan if is_last_nan else row == last)
    return np.concatenate([chosen, equal[: k - chosen.size]])
