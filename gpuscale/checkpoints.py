"""Results that are kept on disk, so that a program that was killed goes on where it was."""

from __future__ import annotations

import re
from collections.abc import Callable
from os import PathLike
from typing import Any

from gpuscale.base.errors import CheckpointError
from gpuscale.base.steady import Steady
from gpuscale.base.types import Key
from gpuscale.collection import Collection
from gpuscale.engines.base import Engine
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange, Source
from gpuscale.expr.plans import CheckpointPlan
from gpuscale.graph.handle import Handle, new_key
from gpuscale.graph.steady import steady_tokens
from gpuscale.graph.task import Task
from gpuscale.io.checkpoint import CheckpointReader, ChunkEntry, ValueEntry, make_folder
from gpuscale.keeping import chunks_of, indices
from gpuscale.lazy import Delayed
from gpuscale.run import replaced, run_quietly, tell_apart

__all__ = ["checkpoint", "persist_on_disk"]


def checkpoint(collection: Any, path: str | PathLike[str], *, name: str | None = None) -> Any:
    """Return a lazy collection whose results are kept on disk as soon as they are computed.

    Whenever it, or something made of it, is computed, the chunks that are on disk are read and
    nothing behind them is computed; the others are computed and written. So a program that was
    killed goes on where it was when it is started again.

    Parameters
    ----------
    collection : Collection or object
        Arrays and `delayed` values nested in lists, tuples, dictionaries and sets are found.
    path : str or path
        A folder; it is made if there is none. Several programs may use it at the same time.
    name : str, optional
        Name of the result, for one collection. By default results are found by what is computed:
        the expression, the code of functions, and the content of what they are given.

    Returns
    -------
    object
        The same, with lazy collections in it that read what is on disk.

    Raises
    ------
    CheckpointError
        Something has no name that another process would find again, such as a lock, and there is
        no ``name``; or, when computed, a result cannot be written, or pickled.

    Notes
    -----
    A changed function is seen, and so are functions of the same file that it calls, classes that
    are not installed, and plain data that it reads of other modules by name; functions that it
    calls from other modules are not, nor what it fetches from the environment, files or
    ``globals()``. Calls of one function with equal arguments have one result. Random numbers need a
    seed. With a ``name``, shape, dtype and chunks are all that is compared.

    There is a folder for each array and a file for each delayed value; they may be removed at any
    time when no program uses them, and are computed again when they are needed. Results of delayed
    calls are pickled: read only folders that you trust.

    Examples
    --------
    >>> import tempfile
    >>> import gpuscale as gs
    >>> import gpuscale.array as ga
    >>> folder = tempfile.mkdtemp()
    >>> y = gs.checkpoint(ga.arange(6, chunks=3) ** 2, folder)
    >>> y.sum().compute()
    np.int64(55)
    >>> y[4:].compute()  # is read
    array([16, 25])
    """

    def kept_call(call: Delayed, entry: ValueEntry) -> Delayed:
        return _CheckpointedCall(call, entry)

    def kept_node(node: Node, entry: ChunkEntry) -> Node:
        return Exchange((node,), CheckpointPlan(entry, False), node.meta)

    return _each(collection, path, name, kept_node, kept_call)


def persist_on_disk(
    collections: tuple[Any, ...], path: str | PathLike[str], name: str | None, engine: Engine
) -> tuple[Any, ...]:
    """Compute what is not on disk yet; return collections that read the results there."""
    nodes: list[Node] = []
    calls: list[Delayed] = []
    results: list[Callable[[], Any]] = []

    def quiet_call(call: Delayed, entry: ValueEntry) -> Delayed:
        calls.append(_CheckpointedCall(call, entry, quiet=True))
        return Delayed(Task(call.key, entry.read, label="kept"), (), call._nout)

    def quiet_node(node: Node, entry: ChunkEntry) -> Node:
        nodes.append(Exchange((node,), CheckpointPlan(entry, True), node.meta))
        results.append(lambda: _source(node, entry))
        return node

    found = _each(collections, path, name, quiet_node, quiet_call)
    run_quietly(nodes, calls, engine)
    made = iter(results)
    arrays, _ = tell_apart(found)
    return replaced(found, {id(c): c._wrap(next(made)()) for c in arrays}, _themselves(found))


def _themselves(found: Any) -> dict[Any, Any]:
    return {handle.key: handle for handle in tell_apart(found)[1]}


def _source(node: Node, entry: ChunkEntry) -> Node:
    meta = node.meta
    if not meta.known:
        grid = meta.numblocks
        meta = meta.with_(chunks=chunks_of([entry.shape(index) for index in indices(grid)], grid))
    return Source(CheckpointReader(entry, meta), meta)


def _each(
    value: Any,
    path: str | PathLike[str],
    name: str | None,
    of_node: Callable[[Node, ChunkEntry], Node],
    of_call: Callable[[Any, ValueEntry], Delayed],
) -> Any:
    """Replace the collections in a value, given where each is kept."""
    arrays, handles = tell_apart(value)
    if not arrays and not handles:
        raise TypeError(f"nothing lazy to keep in a {type(value).__name__}")
    for handle in handles:
        if not isinstance(handle, Delayed):
            raise TypeError(
                f"a {type(handle).__name__} runs already, and its key does not tell the next "
                "program what it is the result of: keep arrays, and calls of gpuscale.delayed"
            )
    names = _names(arrays, handles, name)
    folder = make_folder(path)
    new_arrays = {
        id(c): c._wrap(of_node(c.expr, ChunkEntry(folder, next(names), c.expr.meta)))
        for c in arrays
    }
    new_calls = {h.key: of_call(h, ValueEntry(folder, next(names))) for h in handles}
    return replaced((value,), new_arrays, new_calls)[0]


def _names(arrays: list[Collection], handles: list[Handle], name: str | None) -> Any:
    nodes = [array.expr for array in arrays]
    if name is None:
        labels = [*(node.name for node in nodes), *(handle._task.label for handle in handles)]
        tokens = steady_tokens([*nodes, *handles])
        return iter([f"{_plain(a)}-{b}" for a, b in zip(labels, tokens, strict=True)])
    if len(nodes) + len(handles) > 1:
        raise CheckpointError(
            f"name={name!r} is for one collection, and there are {len(nodes) + len(handles)}"
        )
    if not isinstance(name, str) or not re.fullmatch(r"[\w+-]{1,60}", name):
        raise CheckpointError(f"a name is made of letters, digits, '_', '+' and '-', not {name!r}")
    metas = [(str(node.meta.dtype), node.meta.chunks, node.meta.backend) for node in nodes]
    return iter([f"{name}-{Steady({}).token(*metas)[:8]}" if metas else name])


def _plain(label: str) -> str:
    return re.sub(r"[^\w+-]", "_", label)[:60]


class _CheckpointedCall(Delayed):
    """A delayed value that is read where it is on disk, and else computed and written."""

    __slots__ = ("_call", "_entry", "_key", "_quiet")

    def __init__(
        self, call: Delayed, entry: ValueEntry, quiet: bool = False, key: Key | None = None
    ) -> None:
        self._call, self._entry, self._quiet = call, entry, quiet
        self._key, self._parents = key or new_key("checkpoint"), (call,)
        self._nout = getattr(call, "_nout", None)

    @property
    def _stands_for(self) -> Delayed:  # type: ignore[override]
        return self._call

    @property
    def _task(self) -> Task:  # type: ignore[override]
        entry, call = self._entry, self._call
        label = f"checkpoint {call._task.label}"
        if entry.is_kept():
            function = _nothing if self._quiet else entry.read
            return Task(self._key, function, label=label)
        return Task(self._key, _KeepValue(entry, self._quiet), (call.key,), label=label)

    @property
    def key(self) -> Any:
        """Name of the result."""
        return self._key

    def __hash__(self) -> int:
        return hash(self._key)

    def _recipe(self) -> tuple[Any, ...]:
        return _checkpointed_again, self._entry, self._quiet, self._key


def _checkpointed_again(
    entry: ValueEntry, quiet: bool, key: Key, parents: tuple[Any, ...]
) -> _CheckpointedCall:
    (call,) = parents
    return _CheckpointedCall(call, entry, quiet, key)


class _KeepValue:
    """Write a value, and hand it on where somebody wants it."""

    __slots__ = ("entry", "quiet")

    def __init__(self, entry: ValueEntry, quiet: bool) -> None:
        self.entry, self.quiet = entry, quiet

    def __call__(self, value: Any) -> Any:
        self.entry.keep(value)
        return None if self.quiet else value


def _nothing() -> None:
    return None
