"""Arrays into whatever takes slices, now or when what is returned is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.array.api.reading import from_array
from gpuscale.array.api.writing import is_safe, opened_for, write
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.io.array_like import ItemWriter
from gpuscale.io.pieces import PieceWriter

__all__ = ["store"]


def store(
    sources: Any,
    targets: Any,
    *,
    regions: Any = None,
    lock: Any = None,
    compute: bool = True,
    return_stored: bool = False,
    **options: Any,
) -> Any:
    """Compute arrays into objects that take ``target[slices] = piece``.

    Parameters
    ----------
    sources : array or sequence of array
    targets : object or sequence of object
        With ``shape`` and ``__setitem__``: ndarrays, memmaps, h5py datasets, zarr arrays, arrays
        of CuPy, to which blocks on a device go without a detour by the host. Blocks are moved to
        the boundaries of the target's chunks, so that no two tasks write one.
    regions : tuple of slice, or sequence of them, optional
        The part of each target to fill. As for `to_zarr`, several processes must not write regions
        that share a stored chunk.
    lock : bool or lock, optional
        Held while writing; by default only for libraries known to need it.
    compute : bool
        False writes when what is returned is computed.
    return_stored : bool
        Return arrays that read what is stored; not computed yet, they write what they hand on.
    **options
        As for `gpuscale.compute`.

    Returns
    -------
    None, Delayed or tuple of Array
        Delayed without ``compute``, arrays with ``return_stored``.

    Notes
    -----
    An array that reads its own target, or another one's, is computed into memory before anything
    is written, except where each element depends on the one in its place only.

    Raises
    ------
    MemoryBudgetError
        If what must be computed first is larger than ``memory-limit``.
    ValueError
        If the shapes, or the numbers of sources, targets and regions, differ, or what is to be
        stored later reads, in other places than it writes, what is written.

    Examples
    --------
    >>> import numpy as np
    >>> import gpuscale.array as ga
    >>> target = np.zeros(4)
    >>> ga.store(ga.ones(4, chunks=2), target)
    >>> target
    array([1., 1., 1., 1.])
    """
    if not isinstance(sources, list | tuple):
        sources, targets = [sources], [targets]
        regions = None if regions is None else [regions]
    regions = [None] * len(sources) if regions is None else list(regions)
    if not len(sources) == len(targets) == len(regions):
        raise ValueError(
            f"store got {len(sources)} sources, {len(targets)} targets and {len(regions)} regions"
        )
    writers = [ItemWriter(t, r, lock) for t, r in zip(targets, regions, strict=True)]
    arrays = [as_array(x) for x in sources]
    if not compute:
        return _written_later(arrays, writers, return_stored, options)
    write(arrays, writers, options)
    if not return_stored:
        return None
    return tuple(_stored(x, w) for x, w in zip(arrays, writers, strict=True))


def _stored(x: Array, writer: ItemWriter) -> Array:
    """Return an array that reads what was stored, in the blocks in which it was written."""
    whole = from_array(writer.array)
    return whole[writer.region].rechunk(x.chunks)


def _written_later(
    arrays: Sequence[Array], writers: Sequence[ItemWriter], keep: bool, options: dict[str, Any]
) -> Any:
    """Make blocks that write themselves, and hand themselves or a mark on."""
    if options:
        raise TypeError(
            f"store(compute=False) takes no {', '.join(options)}: give them to compute what it "
            "returns"
        )
    nodes = opened_for(arrays, writers)
    numbered = list(enumerate(writers))
    if not all(is_safe(node, i, w) for i, node in enumerate(nodes) for w in numbered):
        raise ValueError(
            "an array that reads its target in other places than it writes cannot be stored "
            "later; leave compute=True, or store x.compute()"
        )
    kept = tuple(_writing(node, w, keep) for node, w in zip(nodes, writers, strict=True))
    if keep:
        return kept
    from gpuscale.lazy import delayed  # which few programs need

    return delayed(_finish, pure=False)(_Writers(writers), *kept)


def _writing(node: Node, writer: PieceWriter, keep: bool) -> Array:
    grid = node.meta.chunks if keep else tuple((1,) * n for n in node.meta.numblocks)
    meta = node.meta if keep else node.meta.with_(dtype=np.dtype(bool), chunks=grid)
    kernel = FunctionKernel(_write_block, (writer, keep), wants_block=True, label="store")
    inputs = (BlockInput(node, axes=tuple(range(node.meta.ndim))),)
    return Array(Blockwise(kernel, inputs, node.meta.chunks, meta))


def _write_block(block: Block, chunk: Any, writer: PieceWriter, keep: bool) -> Any:
    ends = zip(block.start, block.shape, strict=True)
    writer.write(tuple(slice(start, start + length) for start, length in ends), chunk)
    return chunk if keep else np.ones((1,) * chunk.ndim, bool)


@dataclass(frozen=True)
class _Writers:
    """Writers in what delayed calls do not look into."""

    each: Sequence[PieceWriter]


def _finish(writers: _Writers, *marks: Any) -> None:
    for writer in writers.each:
        writer.commit()
