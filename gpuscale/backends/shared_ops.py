"""Functions on chunks that are the same for each library, written once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, product
from math import prod
from types import ModuleType
from typing import Any

from gpuscale.backends.seams import backend_name, to_host
from gpuscale.base.tokens import by_identity, elsewhere, tagged

__all__ = [
    "assemble",
    "concatenate_grid",
    "device_token",
    "order_by_turns",
    "own",
    "strided_nbytes",
]


def assemble(
    xp: ModuleType, pieces: Iterable[tuple[Any, Any]], shape: tuple[int, ...], dtype: Any
) -> Any:
    """Copy pieces into one new array.

    Parameters
    ----------
    xp : module
        Namespace of the pieces.
    pieces : iterable of (index, array)
        Where each piece goes, and the piece; together they cover the array.
    shape : tuple of int
    dtype : dtype

    Examples
    --------
    >>> import numpy as np
    >>> assemble(np, [(slice(0, 1), [7]), (slice(1, 3), [8, 9])], (3,), int)
    array([7, 8, 9])
    """
    out = xp.empty(shape, dtype)
    for index, piece in pieces:
        out[index] = piece
    return out


def concatenate_grid(xp: ModuleType, blocks: Sequence[Any], grid: tuple[int, ...]) -> Any:
    """Join blocks that lie in a grid; their sizes are read off the blocks.

    Parameters
    ----------
    xp : module
        Namespace of the blocks.
    blocks : sequence of arrays
        In C order of the grid.
    grid : tuple of int
        Number of blocks along each axis.

    Examples
    --------
    >>> import numpy as np
    >>> concatenate_grid(np, [np.zeros((1, 2)), np.ones((1, 1))], (1, 2))
    array([[0., 0., 1.]])
    """
    if len(blocks) == 1:
        return blocks[0]
    starts = []
    for axis, count in enumerate(grid):
        stride = prod(grid[axis + 1 :])
        sizes = [blocks[number * stride].shape[axis] for number in range(count)]
        starts.append(list(accumulate(sizes, initial=0)))
    places = product(*(map(slice, ends, ends[1:]) for ends in starts))
    shape = tuple(ends[-1] for ends in starts)
    dtypes = {block.dtype for block in blocks}
    # `result_type` of one dtype is in the byte order of the machine
    dtype = xp.result_type(*dtypes) if len(dtypes) > 1 else dtypes.pop()
    return assemble(xp, zip(places, blocks, strict=True), shape, dtype)


def device_token(data: Any) -> tuple[Any, ...]:
    """Return what stands for an array of a device in tokens: in this process the object alone.

    Its content would have to come to the host, which it does for names that hold elsewhere alone.
    """
    if elsewhere.get() is None:
        return by_identity(data)
    return tagged("device", backend_name(data), to_host(data))


def order_by_turns(xp: ModuleType, *keys: Any, axis: int) -> Any:
    """Sort by one key after the other; sorts of the library keep the order of equal elements.

    Parameters
    ----------
    xp : module
        Namespace of the keys.
    *keys : array
        All of one shape; the last is the first to decide.
    axis : int

    Examples
    --------
    >>> import numpy as np
    >>> order_by_turns(np, np.array([9, 1, 5]), np.array([1, 2, 1]), axis=0)
    array([2, 0, 1])
    """
    first, *rest = keys
    order = xp.argsort(first, axis=axis, kind="stable")
    for key in rest:
        turn = xp.argsort(xp.take_along_axis(key, order, axis), axis=axis, kind="stable")
        order = xp.take_along_axis(order, turn, axis)
    return order


def own(chunk: Any, most: float = 2) -> Any:
    """Return a copy of a chunk that would keep a much larger array alive, else the chunk.

    Parameters
    ----------
    chunk : array
    most : float
        How many times its own bytes a chunk may keep alive.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(1000.0)
    >>> own(x[:3]).base is None, own(x[1:]).base is x
    (True, True)
    """
    root = chunk
    while getattr(root, "base", None) is not None:
        root = root.base
    # A root without strides is no array but foreign memory, such as a file's: nothing is held.
    kept = strided_nbytes(root) if hasattr(root, "strides") else 0
    return chunk.copy() if kept > most * strided_nbytes(chunk) else chunk


def strided_nbytes(chunk: Any) -> int:
    """Return the bytes of the distinct elements of a strided array.

    Examples
    --------
    >>> import numpy as np
    >>> strided_nbytes(np.broadcast_to(np.arange(3.0), (5, 3)))
    24
    """
    sizes = (n for n, step in zip(chunk.shape, chunk.strides, strict=True) if step or n == 0)
    return int(chunk.itemsize) * prod(sizes)
