"""Run expressions: the only place where expressions, graphs and engines meet."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from gpuscale.backends.frame_libraries import use
from gpuscale.base import config
from gpuscale.base.blocks import block
from gpuscale.base.errors import LostError
from gpuscale.base.types import Key
from gpuscale.collection import Collection
from gpuscale.diagnostics.plan import announce_plan
from gpuscale.diagnostics.progress import default_listeners
from gpuscale.engines.base import Engine, OnError, get_engine
from gpuscale.engines.failure import Failure
from gpuscale.expr import stages
from gpuscale.expr.moving import moved
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Sink
from gpuscale.expr.reads import reads_what_may_change
from gpuscale.expr.walk import toposort
from gpuscale.graph.annotations import annotate_tasks, without_annotations
from gpuscale.graph.build import block_keys
from gpuscale.graph.calls import Calls, calls_behind
from gpuscale.graph.fresh import with_new_keys
from gpuscale.graph.handle import Handle, whole_key
from gpuscale.graph.join import join_blocks, scalar
from gpuscale.graph.numbering import no_collection
from gpuscale.graph.plain import tasks_of, wanted_keys
from gpuscale.graph.task import Graph
from gpuscale.io.memory import HostWriter, host_writer
from gpuscale.memory.limits import limits_for, process_limit
from gpuscale.memory.projection import check_fits, check_results
from gpuscale.nested import find, listed, on_top, replace, with_handles

if TYPE_CHECKING:
    from gpuscale.diagnostics.drawing import Drawing

__all__ = [
    "asked",
    "compute",
    "get",
    "graph_of",
    "optimize",
    "replaced",
    "run_blocks",
    "run_quietly",
    "run_sinks",
    "tell_apart",
    "visualize",
    "whole_values",
]

C = TypeVar("C", bound=Collection)


def compute(
    *collections: Any,
    engine: Any = None,
    on_error: OnError = "raise",
    traverse: bool = True,
    **options: Any,
) -> tuple[Any, ...]:
    """Compute collections together, sharing what they have in common.

    Parameters
    ----------
    *collections : Collection or object
        Arrays, `delayed` values and futures nested in lists, tuples, dictionaries, sets, slices or
        dataclasses are found; other objects are handed back as they are.
    engine : str or Engine, optional
        "threads" or "sync"; by default the option ``engine``.
    on_error : {"raise", "continue"}
        What the first task that fails for good does: end the computation, which raises its
        exception, or only what needs the task. Then a `gpuscale.Failure`, which names the task
        and has its exception, stands in the place of each result that there is not.
    traverse : bool
        Whether lists, dictionaries and the like are looked into, or arguments alone are computed.
    **options
        Options of `gpuscale.config` while this runs, such as ``num_workers=1``. They are of the
        process: what other threads compute meanwhile sees them, too.

    Returns
    -------
    tuple
        One result for each argument: NumPy arrays for arrays, whatever their backend, what their
        functions return for delayed values.

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
    collections = with_handles(listed(collections) if traverse else collections, traverse)
    if not traverse:
        return on_top(partial(compute, engine=engine, on_error=on_error, **options), collections)
    arrays, handles = tell_apart(collections)
    nodes = [array.expr for array in arrays]
    with asked(engine, options) as chosen:
        computed, values = _compute_nodes(nodes, handles, chosen, _checked(on_error))
    results = {
        id(c): result if isinstance(result, Failure) else c._present(result)
        for c, result in zip(arrays, computed, strict=True)
    }
    return replaced(collections, results, values)


def tell_apart(values: Any) -> tuple[list[Collection], list[Handle]]:
    """Find and tell collections and delayed values apart, each named once."""
    with no_collection():  # there may be a million
        found = {id(each): each for each in find(values)}.values()
    arrays = [each for each in found if isinstance(each, Collection)]
    return arrays, [each for each in found if isinstance(each, Handle)]


def replaced(values: Any, arrays: dict[int, Any], handles: dict[Key, Any]) -> tuple[Any, ...]:
    """Put other objects in the place of collections, by their id, and of delayed values."""

    def new(old: Any) -> Any:
        return handles[old.key] if isinstance(old, Handle) else arrays[id(old)]

    with no_collection():
        return tuple(replace(each, new) for each in values)


def _checked(on_error: OnError) -> OnError:
    if on_error not in get_args(OnError):
        raise ValueError(f"on_error is 'raise' or 'continue', not {on_error!r}")
    return on_error


def _compute_nodes(
    nodes: list[Node], handles: list[Handle], engine: Engine, on_error: OnError
) -> tuple[list[Any], dict[Key, Any]]:
    _load_backends(nodes)  # a library that is missing is told first: no memory would help
    check_results((node.meta for node in nodes), process_limit())
    targets = [host_writer(node.meta) if node.meta.one_array else None for node in nodes]
    sinks = [
        moved(node, node.meta.host) if target is None else _sink(node, target, engine)
        for node, target in zip(nodes, targets, strict=True)
    ]
    calls = calls_behind(handles, nodes)
    roots, arguments = calls.optimize(sinks)
    keys, values = run_blocks(roots, engine, handles, calls, arguments, on_error)
    computed = [
        _joined([values[k] for k in own], root, target)
        for root, target, own in zip(roots, targets, keys, strict=True)
    ]
    return computed, values


def _sink(node: Node, writer: Any, engine: Engine) -> Sink:
    """Write a node; what comes from other processes to be written here leaves devices first."""
    if not engine.shares_memory and writer.is_local:
        node = moved(node, node.meta.host)
    return Sink(node, writer, node.meta)


def _load_backends(nodes: Iterable[Node]) -> None:
    """Load all backends that an expression needs, so that what is missing is told before it runs.

    Devices are set up by that: tasks find their streams from the first one on.
    """
    names = {getattr(node.meta, "backend", "numpy") for node in toposort(nodes)}
    for name in sorted(names):
        use(name)


def _joined(blocks: list[Any], node: Node, target: HostWriter | None) -> Any:
    """Make one array of its blocks, or find it where they were written; or say what failed."""
    for each in blocks:
        if isinstance(each, Failure):
            return each
    if target is not None:
        return scalar(target.array)
    return scalar(join_blocks(blocks, node.meta.numblocks))


_OF_DASK = {
    "scheduler": 'say engine="threads", or engine="sync" for one thread',
    "optimize_graph": "leave it out, what is computed is optimized in any case",
}


@block
def asked(engine: str | Engine | None, options: dict[str, Any]) -> Generator[Engine, None, None]:
    """Set what ``**options`` of a function say, and plan for the engine that it names."""
    for name in _OF_DASK.keys() & options.keys():
        raise TypeError(f"there is no option {name}; {_OF_DASK[name]}")
    with config.set({key.replace("_", "-"): value for key, value in options.items()}):
        chosen = get_engine(engine)
        with chosen.planning():
            yield chosen


def run_blocks(
    roots: Sequence[Node],
    engine: Engine,
    handles: Sequence[Handle] = (),
    calls: Calls | None = None,
    arguments: Sequence[Node] = (),
    on_error: OnError = "raise",
    keeps: bool = False,
) -> tuple[list[list[Key]], dict[Key, Any]]:
    """Compute all blocks of physical nodes, and delayed values.

    Returns
    -------
    list, dict
        The keys of each node, and the value of every key; with ``keeps`` as `Engine.persist`
        gives it.
    """
    _load_backends(roots)
    if calls is None:
        calls = calls_behind((), roots)
        arguments = calls.optimize(())[1]
    graph = calls.build(roots, arguments)
    keys = [block_keys(root) for root in roots]
    wanted = dict.fromkeys(key for each in keys for key in each)
    wanted.update(dict.fromkeys(handle.key for handle in handles))
    # What is kept may lie on disk: each task has to fit, all results together need not. Where data
    # decide the size of a result, the plan has no more than a bound of it.
    open_ended = {k for r, own in zip(roots, keys, strict=True) if not _is_known(r) for k in own}
    _check_fits(graph, () if keeps else [key for key in wanted if key not in open_ended])
    listeners = default_listeners()
    announce_plan(listeners, roots, graph)
    with without_annotations():
        try:
            if keeps:
                return keys, engine.persist(graph, list(wanted), listeners=listeners)
            values = engine.run(graph, list(wanted), listeners=listeners, on_error=on_error)
        except LostError as error:  # it says all there is to say; who noticed it is long
            raise error.with_traceback(None) from None
    return keys, dict(zip(wanted, values, strict=True))


def _is_known(node: Node) -> bool:
    return getattr(node.meta, "known", True)


def _check_fits(graph: Graph, keys: Iterable[Key]) -> None:
    """Refuse tasks that are too large where they run, and results that are so here."""
    tasks = graph.values()
    check_fits(graph, limits_for(tasks), keys, limits_for(tasks, process_limit()))


def get(
    graph: Mapping[Any, Any],
    keys: Any,
    *,
    engine: Any = None,
    on_error: OnError = "raise",
    **options: Any,
) -> Any:
    """Run a plain dictionary of tasks: like make, where each task is a short Python function.

    Parameters
    ----------
    graph : mapping
        Each value is a call ``(function, *arguments)``, another key, a list of these, or a
        constant; arguments may be keys, calls and lists of these.
    keys : key, or list of keys and lists
        Which results to return.
    engine, on_error, **options
        As for `compute`.

    Returns
    -------
    object or tuple
        The result of a key; a tuple in the place of each list.

    Raises
    ------
    GraphError
        A key is not in the graph, or tasks need each other in a circle, which is shown.

    Examples
    --------
    >>> get({"x": 1, "y": (max, "x", 2), "z": (sum, ["x", "y"])}, ["z", ["x", "y"]])
    (3, (1, 2))
    """
    tasks = tasks_of(graph)
    annotate_tasks(tasks.values())
    wanted = wanted_keys(keys, tasks)
    with asked(engine, options) as chosen:
        _check_fits(tasks, wanted)
        with without_annotations():
            listeners, checked = default_listeners(), _checked(on_error)
            found = chosen.run(tasks, wanted, listeners=listeners, on_error=checked)
    results = dict(zip(wanted, found, strict=True))

    def nested(value: Any) -> Any:
        return tuple(map(nested, value)) if isinstance(value, list) else results[value]

    return nested(keys)


def run_quietly(nodes: Sequence[Node], handles: Sequence[Handle], engine: Engine) -> None:
    """Compute nodes and delayed values whose results nobody wants."""
    calls = calls_behind(handles, nodes)
    roots, arguments = calls.optimize(nodes)
    run_blocks(roots, engine, handles, calls, arguments)


def run_sinks(
    nodes: Sequence[Node], writers: Sequence[Any], engine: Any = None, **options: Any
) -> None:
    """Compute expressions into writers, all in one run.

    Writers are opened already. On success each is committed, on any failure each is aborted, so
    that nothing is left that looks complete.
    """
    with ExitStack() as undone:
        for writer in writers:
            undone.callback(writer.abort)
        with asked(engine, options) as chosen:
            sinks = [_sink(n, w, chosen) for n, w in zip(nodes, writers, strict=True)]
            run_blocks(stages.optimize(sinks), chosen)
        for writer in writers:
            writer.commit()
        undone.pop_all()


def optimize(*collections: Any, until: str = "fuse") -> tuple[Any, ...]:
    """Optimize collections together.

    Parameters
    ----------
    *collections : Collection or object
    until : {"expression", "simplify", "lower", "fuse"}
        Last stage to run.
    """
    collections = listed(collections)
    found, handles = tell_apart(collections)
    nodes = stages.optimize([c.expr for c in found], until)
    new = {id(old): old._wrap(node) for old, node in zip(found, nodes, strict=True)}
    return replaced(collections, new, {handle.key: handle for handle in handles})


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
        If there is no such kind, stage, colour or format, more boxes than anyone can read, or an
        expression is asked for of delayed values, which are tasks and have none.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> picture = visualize(ga.ones((4, 4), chunks=2), stage="lower")
    >>> picture.svg.count('class="box"')
    4
    """
    from gpuscale.diagnostics.drawing import draw  # which few programs need

    arrays, handles = tell_apart(listed(collections))
    drawing = draw([array.expr for array in arrays], kind, stage, color, handles)
    if filename is not None:
        drawing.save(filename, format)
    return drawing


def graph_of(*collections: Any) -> Graph:
    """Return the tasks that computing the collections would run."""
    arrays, handles = tell_apart(collections)
    nodes = [array.expr for array in arrays]
    calls = calls_behind(handles, nodes)
    return calls.build(*calls.optimize(nodes))


def whole_values(*values: Any) -> tuple[Graph, list[Key]]:
    """Return tasks for lazy values, each of which has one task that returns the whole of it.

    `compute` writes the blocks of an array where they belong; this is for those who keep the
    results of tasks. Where memory of the program is read, which may change, arrays have new keys.
    Arrays of a device come to the host block by block.
    """
    values = tuple(v if isinstance(v, Handle) else _on_host(v) for v in values)
    keys: list[Key] = [v.key if isinstance(v, Handle) else whole_key(v) for v in values]
    with no_collection():
        calls = calls_behind(values, ())
        _load_backends(calls.nodes)
        graph = calls.build(*calls.optimize(()))
        if reads_what_may_change(calls.nodes):
            graph, new = with_new_keys(graph, calls.tasks)
            keys = [new[key] for key in keys]
    _check_fits(graph, ())
    return graph, keys


def _on_host(value: Collection) -> Collection:
    node = moved(value.expr, value.expr.meta.host)
    return value if node is value.expr else value._wrap(node)
