"""The loops that fill a row with consecutive elements, for draws whose elements share blocks.

Parameters of a draw beyond key and index are passed on as they are.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from ..portable_cpu import build_once, join_float32, make_compilable, prefer_wide_vectors

Draw = Callable[..., Any]


def fill_by_pairs(pair: Draw, single: Draw) -> Draw:
    """Return `fill(out, key0, key1, start, *parameters)` that writes consecutive elements.

    Parameters
    ----------
    pair : (key0, key1, block, *parameters) -> elements 2 * block and 2 * block + 1.
    single : (key0, key1, index, *parameters) -> element `index`, for the ends of the row.

    Returns
    -------
    fill : compiled function; `out` is a 1-d array of any stride, `start` the first index.

    Examples
    --------
    >>> def pair(key0, key1, block):
    ...     return 2 * block, 2 * block + 1
    >>> def single(key0, key1, index):
    ...     return index
    >>> row = np.empty(4)
    >>> fill_by_pairs(pair, single)(row, 0, 0, 5)
    >>> row
    array([5., 6., 7., 8.])
    """
    make_compilable(pair)
    make_compilable(single)

    @njit(error_model="numpy", nogil=True)
    def fill(out: Any, key0: int, key1: int, start: int, *parameters: Any) -> None:
        prefer_wide_vectors()
        first = min(start & 1, out.size)  # the element before the first whole block
        pairs = (out.size - first) >> 1
        block = (start + first) >> 1
        for k in range(first):
            out[k] = single(key0, key1, start + k, *parameters)
        body = out[first : first + 2 * pairs]  # its indices are known not to be negative
        for k in range(pairs):
            body[2 * k], body[2 * k + 1] = pair(key0, key1, block + k, *parameters)
        for k in range(first + 2 * pairs, out.size):
            out[k] = single(key0, key1, start + k, *parameters)

    return fill


@build_once
def fill_each(single: Draw) -> Draw:
    """Return `fill(out, key0, key1, index)` that writes the elements of an index array.

    Examples
    --------
    >>> def single(key0, key1, index):
    ...     return 10 * index
    >>> row = np.empty(2)
    >>> fill_each(single)(row, 0, 0, np.array([4, 2]))
    >>> row
    array([40., 20.])
    """
    make_compilable(single)

    @njit(error_model="numpy", nogil=True)
    def fill(out: Any, key0: int, key1: int, index: Any) -> None:
        prefer_wide_vectors()
        for k in range(out.size):
            out[k] = single(key0, key1, index[k])

    return fill


def fill_by_quads(quad: Draw, single: Draw) -> Draw:
    """Return `fill(out, key0, key1, start)` for float32 draws, four elements to a block.

    `out` is a contiguous float32 row. Elements are stored two at a time: LLVM turns stores at a
    stride of four into shuffles that cost 3 ns per element.

    Examples
    --------
    >>> def quad(key0, key1, block):
    ...     return 4 * block, 4 * block + 1, 4 * block + 2, 4 * block + 3
    >>> def single(key0, key1, index):
    ...     return index
    >>> row = np.empty(6, np.float32)
    >>> fill_by_quads(quad, single)(row, 0, 0, 3)
    >>> row
    array([3., 4., 5., 6., 7., 8.], dtype=float32)
    """
    make_compilable(quad)
    make_compilable(single)

    @njit(error_model="numpy", nogil=True)
    def fill(out: Any, key0: int, key1: int, start: int) -> None:
        prefer_wide_vectors()
        first = min(-start & 3, out.size)  # the elements before the first whole block
        quads = (out.size - first) >> 2
        block = (start + first) >> 2
        for k in range(first):
            out[k] = single(key0, key1, start + k)
        body = out[first : first + 4 * quads].view(np.uint64)
        for k in range(quads):
            a, b, c, d = quad(key0, key1, block + k)
            body[2 * k] = join_float32(a, b)
            body[2 * k + 1] = join_float32(c, d)
        for k in range(first + 4 * quads, out.size):
            out[k] = single(key0, key1, start + k)

    return fill
