"""A stable order of whole numbers and times, and rows put into it.

Places stand beside the numbers in one word, so that a sort of words, which moves no places of
their own and needs not be stable, gives the stable order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.columns import concat, worth_joining

__all__ = ["rows_in_order", "stable_order"]

_WORD = 64  # bits
_LEAST = 1 << 12  # rows
_BLOCK = 1 << 15  # rows
_RUNS = 16  # where so many numbers on average are in order, comparing has little to do
_LEAST_PIECE = 1 << 10  # rows; of smaller ones columns one by one cost more than they save


def stable_order(values: Any, ascending: bool = True) -> Any:
    """Return the places of the values of a series or an index in order; None if it is not found.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers = np.arange(5000) * 1999 % 5000
    >>> order = stable_order(pd.Series(numbers))
    >>> bool((numbers[order] == np.arange(5000)).all())
    True
    >>> stable_order(pd.Series(["b", "a"])) is None
    True
    """
    dtype = values.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind not in "iumM" or len(values) < _LEAST:
        return None
    if dtype == np.uint64 or (dtype.kind in "mM" and values.hasnans):
        return None
    numbers = values.to_numpy()
    numbers = numbers.view(np.int64) if dtype.kind in "mM" else numbers.astype(np.int64, copy=False)
    if np.count_nonzero(numbers[1:] < numbers[:-1]) * _RUNS < len(numbers):
        return None
    low, high = int(numbers.min()), int(numbers.max())
    distances = numbers.view(np.uint64) - np.uint64(low % 2**_WORD)  # modulo 2**64, all below it
    if not ascending:
        np.subtract(np.uint64(high - low), distances, out=distances)
    bits_of_place = (len(numbers) - 1).bit_length()
    left_out = max(0, (high - low).bit_length() + bits_of_place - _WORD)
    words = distances >> left_out if left_out else distances
    words <<= bits_of_place
    for start in range(0, len(words), _BLOCK):  # places that the cache holds
        some = words[start : start + _BLOCK]
        some |= np.arange(start, start + len(some), dtype=np.uint64)
    words.sort()
    words &= (1 << bits_of_place) - 1
    order = words.view(np.int64)
    if not left_out:
        return order
    # By the leading bits numbers are all but in order, where a stable sort has little to do.
    return order[np.argsort(distances[order], kind="stable")]


def rows_in_order(pieces: Sequence[pd.DataFrame], order: Any) -> pd.DataFrame:
    """Return the rows of all pieces in an order, one column after the other.

    Whole, they would be in memory twice: put together, and in order.

    Examples
    --------
    >>> pieces = pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [2, 3]}, index=[1, 2])
    >>> rows_in_order(pieces, np.array([2, 0, 1])).x.tolist()
    [3, 1, 2]
    """
    filled = worth_joining(pieces)
    if len(filled) == 1:
        return filled[0].take(order)
    if len(order) < _LEAST_PIECE * len(filled):
        return concat(filled).take(order)
    index = concat([each.index for each in filled]).take(order)
    columns = {}
    for k in range(filled[0].shape[1]):
        column = concat([each.iloc[:, k] for each in filled], ignore_index=True)
        columns[k] = pd.Series(column.array.take(order), index, column.dtype, copy=False)
    found = pd.DataFrame(columns, index=index, copy=False)
    found.columns = filled[0].columns
    return found
