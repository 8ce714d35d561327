"""Results that stay: `persist`, and sizes that depend on data, once they are counted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product
from math import prod
from os import PathLike
from typing import Any, TypeVar

from gpuscale.backends.creation import parcel
from gpuscale.base.errors import GpuscaleError
from gpuscale.base.types import Chunks
from gpuscale.collection import Collection
from gpuscale.expr import stages
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Source
from gpuscale.expr.reads import is_free_to_read
from gpuscale.expr.walk import toposort
from gpuscale.graph.calls import calls_behind
from gpuscale.graph.handle import Handle
from gpuscale.io.memory import KeptChunks, keeper
from gpuscale.memory.limits import budget_of
from gpuscale.memory.remote import RemoteValue
from gpuscale.nested import listed, on_top
from gpuscale.run import asked, replaced, run_blocks, tell_apart

__all__ = ["chunks_of", "count_sizes", "indices", "kept_elsewhere", "persist"]

C = TypeVar("C", bound=Collection)


def persist(
    *collections: Any,
    path: str | PathLike[str] | None = None,
    name: str | None = None,
    engine: Any = None,
    traverse: bool = True,
    **options: Any,
) -> tuple[Any, ...]:
    """Compute chunks and keep them in memory or on disk; return collections that read them.

    What is in memory already, or in a file that is memory-mapped, stays where it is. What does not
    fit into the option ``memory-limit`` together is kept on disk, and into ``device-memory-limit``
    in memory of the host or on disk: chunks, and values of `delayed` that are arrays, tables, bytes
    or containers of these. It is read where it is used, and goes with the last who reads it.

    Parameters
    ----------
    *collections : Collection or object
    path : str or path, optional
        A folder to keep the chunks in, instead of in memory. Those that are there already are not
        computed again, see `checkpoint`.
    name : str, optional
        Name of the result in the folder, as for `checkpoint`.
    engine, traverse, **options
        As for `compute`, without ``on_error``: what is kept is there.

    Raises
    ------
    MemoryBudgetError
        If a single task is larger than a limit.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> (x,) = persist(ga.ones(6, chunks=3) + 1)
    >>> x.sum().compute()
    np.float64(12.0)
    """
    if "on_error" in options:
        raise TypeError(
            "persist keeps all results or raises, and takes no on_error=; say "
            'compute(..., on_error="continue") for those that there are'
        )
    if not traverse:
        options |= {"path": path, "name": name, "engine": engine}
        return on_top(partial(persist, **options), collections)
    collections = listed(collections)
    if path is not None:
        from gpuscale.checkpoints import persist_on_disk

        with asked(engine, options) as chosen:
            return persist_on_disk(collections, path, name, chosen)
    if name is not None:
        raise TypeError("name= is the name of a result in a folder: say path= as well")
    found, handles = tell_apart(collections)
    with asked(engine, options) as chosen:
        nodes = [c.expr for c in found]
        calls = calls_behind(handles, nodes)
        physical, arguments = calls.optimize(nodes)
        fresh = [node for node in physical if not _is_kept(node)]
        keys, values = run_blocks(fresh, chosen, handles, calls, arguments, keeps=True)
        there = {
            node.token: _keep(node, [values[k] for k in own])
            for node, own in zip(fresh, keys, strict=True)
        }
    kept = {
        id(old): old._wrap(there.get(node.token, node))
        for old, node in zip(found, physical, strict=True)
    }
    return replaced(collections, kept, {h.key: h._kept(values[h.key]) for h in handles})


def _is_kept(node: Node) -> bool:
    """Whether a node reads what was kept before, wherever that is."""
    return isinstance(node, Source) and isinstance(node.reader, KeptChunks)


def _keep(node: Node, blocks: list[Any]) -> Node:
    if is_free_to_read(node):
        return node
    grid = node.meta.numblocks
    meta = node.meta
    if not meta.known:
        meta = meta.with_(chunks=chunks_of([block.shape for block in blocks], grid))
    return Source(keeper(dict(zip(indices(grid), blocks, strict=True)), meta), meta)


def kept_elsewhere(value: Collection | Handle) -> Iterator[Any]:
    """Futures of a cluster behind what a persisted collection, or what is made of some, reads."""
    if isinstance(value, Collection):
        readers = [each.reader for each in toposort([value.expr]) if isinstance(each, Source)]
        values = [c for each in readers if isinstance(each, KeptChunks) for c in each.held()]
    else:
        values = list(_values_of(value))
    yield from (each.future for each in values if isinstance(each, RemoteValue))


def _values_of(handle: Handle) -> Iterator[Any]:
    """Values that are there of delayed calls."""
    waiting, seen = [handle], set[int]()
    while waiting:
        each = waiting.pop()
        if isinstance(each, Handle) and id(each) not in seen:
            seen.add(id(each))
            waiting += each._parents
            yield from each._task.args


def indices(grid: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """All blocks of a grid, in C order."""
    return product(*map(range, grid))


def chunks_of(shapes: list[tuple[int, ...]], grid: tuple[int, ...]) -> Chunks:
    """Sizes along each axis from the shapes of all blocks."""
    by_index = dict(zip(indices(grid), shapes, strict=True))
    origin = (0,) * len(grid)
    return tuple(
        tuple(by_index[(*origin[:axis], k, *origin[axis + 1 :])][axis] for k in range(count))
        for axis, count in enumerate(grid)
    )


# While sizes are counted, results up to this are kept for their use, if the limit has room.
KEEP_BYTES = 64 << 20
KEEP_OF_LIMIT = 4


def count_sizes(collection: C) -> C:
    """Return the collection with every size known, by a pass that counts.

    Small results are kept from that pass; large ones are computed again when they are used, so
    that the pass holds no more than a few chunks.
    """
    node = collection.expr
    if node.meta.known:
        return collection
    with asked(None, {}) as engine:
        (physical,) = stages.optimize([node])
        grid = node.meta.numblocks
        share = min(KEEP_BYTES, budget_of(node.meta.backend) // KEEP_OF_LIMIT) // max(1, prod(grid))
        axes = tuple(range(node.meta.ndim))
        kernel = FunctionKernel(_shape_or_chunk, (share,), label="count")
        # What is projected for a result is the most that may stay of it: one item of that size.
        shape = ArrayMeta(parcel(share), tuple((1,) * n for n in grid), node.meta.backend)
        counted = Blockwise(
            kernel, (BlockInput(physical, axes=axes, inline=False),), node.meta.chunks, shape
        )
        (keys,), values = run_blocks([counted], engine, keeps=engine.shares_memory)
    found = [values[key] for key in keys]
    if all(not isinstance(each, tuple) for each in found):
        return collection._wrap(_keep(node, found))
    shapes = [each if isinstance(each, tuple) else each.shape for each in found]
    meta = node.meta.with_(chunks=chunks_of(shapes, grid))
    kernel = FunctionKernel(_same, wants_block=True, label="known")
    return collection._wrap(Blockwise(kernel, (BlockInput(node, axes=axes),), meta.chunks, meta))


def _shape_or_chunk(chunk: Any, share: int) -> Any:
    return chunk if chunk.nbytes <= share else tuple(chunk.shape)


def _same(block: Block, chunk: Any) -> Any:
    if chunk.shape != block.shape:
        raise GpuscaleError(
            f"block {block.index} has shape {chunk.shape} but had {block.shape} when its sizes "
            "were counted; the data must not change between the two, persist() it first"
        )
    return chunk
