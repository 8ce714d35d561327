"""Other shapes and orders of the same elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk as rechunk_node
from gpuscale.array.construct import view
from gpuscale.array.convert import as_array, known_node
from gpuscale.base.config import get
from gpuscale.chunks import views
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.memory.limits import parse_bytes

__all__ = ["rechunk", "transpose"]


def transpose(x: Any, axes: Sequence[int] | None = None) -> Array:
    """Permute the axes, by default reverse them.

    Raises
    ------
    ValueError
        If ``axes`` is no permutation.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.transpose(ga.ones((2, 3))).shape
    (3, 2)
    """
    node = as_array(x).expr
    return Array(view(node, views.transpose(node.meta.shape, axes)))


def rechunk(
    x: Any, chunks: Any = "auto", *, block_size_limit: Any = None, balance: bool = False
) -> Array:
    """Cut the same elements into other blocks.

    Parameters
    ----------
    x : array
    chunks : int, str, tuple or dict
        As for creation; None or a missing axis keeps what there is.
    block_size_limit : int or str, optional
        Bytes of one block for "auto".
    balance : bool
        Make all blocks along an axis as equal as possible.

    Raises
    ------
    ChunkError
        If the chunks do not cut this shape.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.rechunk(ga.ones(10, chunks=5), 3).chunks
    ((3, 3, 3, 1),)
    """
    node = known_node(x)
    limit = parse_bytes(block_size_limit or get("array.chunk-size"))
    meta = node.meta
    sizes = normalize_chunks(chunks, meta.shape, max(meta.dtype.itemsize, 1), limit, meta.chunks)
    if balance:
        sizes = tuple(
            tuple(sum(s) // len(s) + (k < sum(s) % len(s)) for k in range(len(s))) for s in sizes
        )
    return Array(rechunk_node(node, sizes))
