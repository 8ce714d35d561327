"""Run expressions: the only place where expressions, graphs and engines meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import product
from os import PathLike
from typing import Any, TypeVar

from gpuscale.backends.creation import backend_names, namespace
from gpuscale.base import config
from gpuscale.base.errors import GpuscaleError, MemoryBudgetError, format_bytes
from gpuscale.base.types import Chunks, Key
from gpuscale.collection import Collection
from gpuscale.diagnostics.drawing import Drawing, draw
from gpuscale.diagnostics.plan import announce_plan
from gpuscale.diagnostics.progress import default_listeners
from gpuscale.engines.base import get_engine
from gpuscale.expr import stages
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, Sink, Source
from gpuscale.graph import layouts as _layouts  # noqa: F401 - registers the layouts of plans
from gpuscale.graph.build import block_keys, build
from gpuscale.graph.join import join_blocks
from gpuscale.graph.task import Graph
from gpuscale.io.memory import KeptChunks, MemoryWriter
from gpuscale.memory.limits import memory_limit
from gpuscale.memory.projection import check_fits

__all__ = ["compute", "count_sizes", "graph_of", "optimize", "persist", "run_sinks", "visualize"]

C = TypeVar("C", bound=Collection)


def compute(*collections: Any, engine: Any = None, **options: Any) -> tuple[Any, ...]:
    """Compute collections together, sharing what they have in common.

    Parameters
    ----------
    *collections : Collection or object
        Anything nested in lists, tuples, dictionaries or sets is found; other objects are
        handed back as they are.
    engine : str or Engine, optional
        "threads" or "sync"; by default the option ``engine``.
    **options
        Options of `gpuscale.config` for this run, such as ``num_workers=1``.

    Returns
    -------
    tuple
        One result for each argument: NumPy arrays (or those of their backend) for arrays.

    Raises
    ------
    MemoryBudgetError
        If a result, or a single task, is larger than ``memory-limit``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(10, chunks=5)
    >>> compute(x.sum(), {"max": x.max()})
    (np.int64(45), {'max': np.int64(9)})
    """
    found = list(dict.fromkeys(_collections_in(collections)))
    with _set(options):
        computed = _compute_nodes([c.expr for c in found], engine)
    results = {c: c._present(result) for c, result in zip(found, computed, strict=True)}
    return tuple(_replace(each, lambda c: results[c]) for each in collections)


def _compute_nodes(nodes: list[Node], engine: Any) -> list[Any]:
    for name in {node.meta.backend for node in nodes}.intersection(backend_names()):
        namespace(name)  # a library that is missing is told first: no memory would help
    _check_budget(nodes)
    targets = [MemoryWriter(n.meta) if n.meta.known else None for n in nodes]
    roots = stages.optimize(
        node if target is None else Sink(node, target, node.meta)
        for node, target in zip(nodes, targets, strict=True)
    )
    keys, values = _run_blocks(roots, engine)
    return [
        _scalar(join_blocks([values[k] for k in own], root.meta.numblocks))
        if target is None
        else _scalar(target.array)
        for root, target, own in zip(roots, targets, keys, strict=True)
    ]


def _scalar(array: Any) -> Any:
    """Give results without axes the type NumPy gives them."""
    return array[()] if array.ndim == 0 and type(array).__module__ == "numpy" else array


def _check_budget(nodes: Iterable[Node]) -> None:
    total = sum(node.meta.nbytes for node in nodes if node.meta.known)
    limit = memory_limit()
    if total > limit:
        raise MemoryBudgetError(
            f"the result would take {format_bytes(total)}, more than the memory limit of "
            f"{format_bytes(limit)}; write it to disk with x.to_zarr(path), reduce it first, "
            "or raise the limit with gpuscale.config.set({'memory-limit': ...})"
        )


def _set(options: dict[str, Any]) -> AbstractContextManager[Any]:
    if "scheduler" in options:
        raise TypeError(
            'there is no option scheduler; say engine="threads", or engine="sync" for one thread'
        )
    return config.set({key.replace("_", "-"): value for key, value in options.items()})


def _run_blocks(roots: Sequence[Node], engine: Any) -> tuple[list[list[Key]], dict[Key, Any]]:
    """Compute all blocks of physical nodes; return the keys of each and the value of every key."""
    graph = build(roots)
    keys = [block_keys(root) for root in roots]
    wanted = list(dict.fromkeys(key for each in keys for key in each))
    check_fits(graph, memory_limit(), wanted)
    listeners = default_listeners()
    announce_plan(listeners, roots, graph)
    found = get_engine(engine).run(graph, wanted, listeners=listeners)
    return keys, dict(zip(wanted, found, strict=True))


def persist(*collections: Any, engine: Any = None, **options: Any) -> tuple[Any, ...]:
    """Compute chunks and keep them in memory; return collections that read them.

    Parameters
    ----------
    *collections : Collection or object
    engine, **options
        As for `compute`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> (x,) = persist(ga.ones(6, chunks=3) + 1)
    >>> x.sum().compute()
    np.float64(12.0)
    """
    found = list(dict.fromkeys(_collections_in(collections)))
    with _set(options):
        physical = stages.optimize([c.expr for c in found])
        keys, values = _run_blocks(physical, engine)
    kept = {
        old: old._wrap(_keep(node, [values[k] for k in own]))
        for old, node, own in zip(found, physical, keys, strict=True)
    }
    return tuple(_replace(each, lambda c: kept[c]) for each in collections)


def _keep(node: Node, blocks: list[Any]) -> Node:
    grid = node.meta.numblocks
    meta = node.meta
    if not meta.known:
        meta = meta.with_(chunks=_chunks_of([block.shape for block in blocks], grid))
    return Source(KeptChunks(dict(zip(_indices(grid), blocks, strict=True)), meta), meta)


def _indices(grid: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return product(*map(range, grid))


def _chunks_of(shapes: list[tuple[int, ...]], grid: tuple[int, ...]) -> Chunks:
    """Sizes along each axis from the shapes of all blocks."""
    by_index = dict(zip(_indices(grid), shapes, strict=True))
    origin = (0,) * len(grid)
    return tuple(
        tuple(by_index[(*origin[:axis], k, *origin[axis + 1 :])][axis] for k in range(count))
        for axis, count in enumerate(grid)
    )


KEEP_BYTES = 64 << 20  # while sizes are counted, results up to this are kept for their use


def count_sizes(collection: C) -> C:
    """Return the collection with every size known, by a pass that counts.

    Small results are kept from that pass; large ones are computed again when they are used, so
    that the pass holds no more than a few chunks.
    """
    node = collection.expr
    if node.meta.known:
        return collection
    (physical,) = stages.optimize([node])
    share = KEEP_BYTES // max(1, len(block_keys(physical)))
    axes = tuple(range(node.meta.ndim))
    kernel = FunctionKernel(_shape_or_chunk, (share,), label="count")
    counted = Blockwise(
        kernel, (BlockInput(physical, axes=axes, inline=False),), node.meta.chunks, node.meta
    )
    (keys,), values = _run_blocks([counted], None)
    found = [values[key] for key in keys]
    if all(not isinstance(each, tuple) for each in found):
        return collection._wrap(_keep(node, found))
    shapes = [each if isinstance(each, tuple) else each.shape for each in found]
    meta = node.meta.with_(chunks=_chunks_of(shapes, node.meta.numblocks))
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


def run_sinks(
    nodes: Sequence[Node], writers: Sequence[Any], engine: Any = None, **options: Any
) -> None:
    """Compute expressions into writers, all in one run.

    Writers are opened already. On success each is committed, on any failure each is aborted, so
    that nothing is left that looks complete.
    """
    try:
        with _set(options):
            sinks = [Sink(n, w, n.meta) for n, w in zip(nodes, writers, strict=True)]
            _run_blocks(stages.optimize(sinks), engine)
        for writer in writers:
            writer.commit()
    except BaseException:
        for writer in writers:
            writer.abort()
        raise


def optimize(*collections: Any, until: str = "fuse") -> tuple[Any, ...]:
    """Optimize collections together.

    Parameters
    ----------
    *collections : Collection or object
    until : {"expression", "simplify", "lower", "fuse"}
        Last stage to run.
    """
    found = list(dict.fromkeys(_collections_in(collections)))
    nodes = stages.optimize([c.expr for c in found], until)
    new = {old: old._wrap(node) for old, node in zip(found, nodes, strict=True)}
    return tuple(_replace(each, lambda c: new[c]) for each in collections)


def visualize(
    *collections: Any,
    filename: str | PathLike[str] | None = None,
    kind: str = "graph",
    stage: str = "fuse",
    color: str | None = None,
    format: str | None = None,
) -> Drawing:
    """Draw what computing the collections would do, without doing it.

    Parameters
    ----------
    *collections : Collection or object
    filename : str or path, optional
        Where to write the picture as well.
    kind : {"graph", "expression"}
        One box for each task, or one for each node of the expression.
    stage : {"expression", "simplify", "lower", "fuse"}
        Last stage of optimization before drawing; there are tasks from "lower" on.
    color : {"order", "memory", "worker"}, optional
        Colour tasks by the order in which they should run, by the bytes in memory while each
        runs, or by the worker that runs it, for which they are run. By default, by kind of node.
    format : {"svg", "png"}, optional
        By default the ending of the filename. PNG needs the package resvg-py.

    Returns
    -------
    Drawing
        Notebooks show it; ``.svg`` is its text.

    Raises
    ------
    ValueError
        If there is no such kind, stage, colour or format, or more boxes than anyone can read.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> picture = visualize(ga.ones((4, 4), chunks=2), stage="lower")
    >>> picture.svg.count('class="box"')
    4
    """
    drawing = draw([c.expr for c in _collections_in(collections)], kind, stage, color)
    if filename is not None:
        drawing.save(filename, format)
    return drawing


def graph_of(*collections: Any) -> Graph:
    """Return the tasks that computing the collections would run."""
    return build(stages.optimize([c.expr for c in _collections_in(collections)]))


def _collections_in(value: Any) -> Iterator[Collection]:
    if isinstance(value, Collection):
        yield value
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _collections_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _collections_in(item)


def _replace(value: Any, function: Callable[[Collection], Any]) -> Any:
    if isinstance(value, Collection):
        return function(value)
    if isinstance(value, list | set | frozenset):
        return type(value)(_replace(item, function) for item in value)
    if isinstance(value, tuple):
        items = [_replace(item, function) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, dict):
        return {key: _replace(item, function) for key, item in value.items()}
    return value
