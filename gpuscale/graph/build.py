"""Lay physical nodes out as tasks, from the blocks that are wanted back to the sources.

Readers come before what they read, so each node knows all blocks that anyone wants of it, and
blocks that nobody wants get no task.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import product, repeat
from typing import Any

from gpuscale.backends.transfer import to_device
from gpuscale.base.types import BlockIndex, Key
from gpuscale.expr.inside import operation_of
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Call, Exchange, Sink, Source, TreeReduce
from gpuscale.expr.reads import count_reads, is_free_to_read, is_out_of_reach
from gpuscale.expr.regrid import is_joined_in_place
from gpuscale.expr.walk import toposort
from gpuscale.graph.join import hand_on, join_blocks
from gpuscale.graph.mirror import is_mirrored, lay_out_mirrored
from gpuscale.graph.numbering import no_collection
from gpuscale.graph.pieces import joined_pieces
from gpuscale.graph.sizes import all_nbytes, block_nbytes, workspaces
from gpuscale.graph.task import Graph, Task
from gpuscale.memory.limits import budget_of
from gpuscale.memory.spaces import DEVICE, HOST, space_of

__all__ = ["GraphBuilder", "block_keys", "build", "lays_out"]

Layout = Callable[["GraphBuilder", Any, list[BlockIndex]], None]
_layouts: dict[type, Layout] = {}


def lays_out(node_or_plan: type) -> Callable[[Layout], Layout]:
    """Register the function that makes the tasks of a node type, or of a plan of `Exchange`."""

    def register(function: Layout) -> Layout:
        _layouts[node_or_plan] = function
        return function

    return register


def block_keys(node: Node) -> list[Key]:
    """Keys of all blocks of a node, in C order."""
    name = node.task_prefix
    return [(name, *index) for index in product(*map(range, node.meta.numblocks))]


def build(roots: Iterable[Node]) -> Graph:
    """Make the tasks for all blocks of the roots, which must be physical nodes."""
    with no_collection():
        return GraphBuilder(list(roots)).graph


class GraphBuilder:
    """The graph while it grows; layouts call `want` and `add`."""

    def __init__(self, roots: list[Node]) -> None:
        self.graph: Graph = {}
        self.readers = count_reads(roots)
        self._wanted: dict[str, dict[BlockIndex, Key]] = {}
        self._same: dict[Key, Key] = {}  # blocks that are blocks of other nodes
        self._requested: set[Key] = set()
        for root in roots:
            blocks = list(product(*map(range, root.meta.numblocks)))
            self._requested.update(self.want_all(root, blocks))
        for node in reversed(list(toposort(roots))):
            wanted = self._wanted.get(node.token)
            if wanted:
                kind = type(node.plan) if isinstance(node, Exchange) else type(node)
                _layouts[kind](self, node, list(wanted))
        if self._same:
            self._read_at_source()

    def want(self, node: Node, index: BlockIndex) -> Key:
        """Say that a task reads a block; return the block's key."""
        return self.want_all(node, (index,))[0]

    def want_all(self, node: Node, blocks: Sequence[BlockIndex]) -> list[Key]:
        """Say that tasks read some blocks, one each; return the blocks' keys."""
        wanted = self._wanted.get(node.token)
        if wanted is None:
            wanted = self._wanted[node.token] = {}
        name = node.task_prefix
        wanted.update([(index, (name, *index)) for index in blocks if index not in wanted])
        return list(map(wanted.__getitem__, blocks))

    def key(self, node: Node, index: BlockIndex) -> Key:
        """Key of a block that somebody wants."""
        return (node.task_prefix, *index)

    def keys(self, node: Node, blocks: Iterable[BlockIndex]) -> list[Key]:
        """Keys of blocks that somebody wants."""
        return list(map(self._wanted[node.token].__getitem__, blocks))

    def add(
        self,
        key: Key,
        node: Node,
        function: Callable[..., Any],
        deps: Sequence[Key],
        args: tuple[Any, ...] = (),
        nbytes: int = 0,
        workspace: int = 0,
        space: int | None = None,
    ) -> None:
        """Add one task; bytes are those of its result and of what it needs while it runs.

        Both lie where the node's blocks do, unless a `space` is said.
        """
        self.graph[key] = Task(
            key,
            function,
            tuple(deps),
            args,
            nbytes,
            workspace,
            0,
            node.name,
            node.origin,
            None,
            space_of(node.meta.backend) if space is None else space,
        )

    def hand_on(self, key: Key, node: Node, source: Key) -> None:
        """Say that a block is the very block of another node, which its readers then read.

        A task of its own would hold the block a second time: it could not be written to disk, and
        all readers of the first would wait for it apart from those of the second.
        """
        if key in self._requested:
            self.add(key, node, hand_on, (source,))
        else:
            self._same[key] = source

    def _read_at_source(self) -> None:
        same = self._same
        for key in reversed(same):  # those who read come before what they read
            same[key] = same.get(same[key], same[key])
        for task in self.graph.values():
            if not same.keys().isdisjoint(task.deps):
                task.deps = tuple([same.get(dep, dep) for dep in task.deps])

    def add_all(
        self,
        keys: Sequence[Key],
        node: Node,
        function: Callable[..., Any],
        deps: Iterable[tuple[Key, ...]],
        args: Iterable[tuple[Any, ...]],
        nbytes: Iterable[int],
        workspace: Iterable[int],
        space: int | None = None,
    ) -> None:
        """Add one task for each key, all of the same function.

        Results and workspace lie where the node's blocks do, unless a `space` is said.
        """
        space = space_of(node.meta.backend) if space is None else space
        same = repeat(0), repeat(node.name), repeat(node.origin), repeat(None), repeat(space)
        tasks = map(Task, keys, repeat(function), deps, args, nbytes, workspace, *same)
        self.graph.update(zip(keys, tasks, strict=True))


@lays_out(Source)
def _lay_out_source(builder: GraphBuilder, node: Source, wanted: list[BlockIndex]) -> None:
    nbytes = [0] * len(wanted) if is_free_to_read(node) else all_nbytes(node, wanted)
    keys = builder.keys(node, wanted)
    rooms = [int(each * node.room) for each in nbytes]
    builder.add_all(keys, node, node.run, repeat(()), zip(wanted), nbytes, rooms)


@lays_out(Blockwise)
def _lay_out_blockwise(builder: GraphBuilder, node: Blockwise, wanted: list[BlockIndex]) -> None:
    if is_mirrored(node):
        lay_out_mirrored(builder, node, wanted)
        return
    nbytes, workspace = all_nbytes(node, wanted), workspaces(node, wanted)
    deps, keys = _reads(builder, node, wanted), builder.keys(node, wanted)
    function = _MeasuredMove(node) if _moves_what_data_decide(node) else node.run
    builder.add_all(keys, node, function, deps, zip(wanted), nbytes, workspace)


def _moves_what_data_decide(node: Blockwise) -> bool:
    is_move = getattr(node.kernel, "function", None) is to_device
    return is_move and isinstance(node.inputs[0].node, TreeReduce) and not node.meta.known


class _MeasuredMove:
    """The move of a result that is as large as data make it."""

    __slots__ = ("node",)

    def __init__(self, node: Blockwise) -> None:
        self.node = node

    def __call__(self, *values_and_index: Any) -> Any:
        return self.node.run(*values_and_index)

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        return sizes[0], 0


def _reads(
    builder: GraphBuilder, node: Blockwise, blocks: list[BlockIndex]
) -> Iterable[tuple[Key, ...]]:
    """Keys that the tasks of some blocks take."""
    columns = [builder.want_all(each, theirs) for each, theirs in node.reads(blocks)]
    return zip(*columns, strict=True) if columns else repeat((), len(blocks))


@lays_out(TreeReduce)
def _lay_out_tree(builder: GraphBuilder, node: TreeReduce, wanted: list[BlockIndex]) -> None:
    name, limit = builder.key(node, ())[0], budget_of(node.meta.backend)
    for index in wanted:
        outer = _spread(node, index)
        grid = [node.x.meta.numblocks[axis] for axis in node.axes]
        places = list(product(*map(range, grid)))
        leaves = [_place(outer, node.axes, at) for at in places]
        keys = dict(zip(places, builder.want_all(node.x, leaves), strict=True))
        sizes = dict(zip(keys.values(), all_nbytes(node.x, leaves), strict=True))
        split = _split(node, grid, max(sizes.values()), limit)
        level = 0
        while True:
            groups = [-(-n // s) for n, s in zip(grid, split, strict=True)]
            last = math.prod(groups) == 1
            parents: dict[BlockIndex, Key] = {}
            for at in product(*map(range, groups)):
                spans = [
                    range(g * s, min((g + 1) * s, n))
                    for g, s, n in zip(at, split, grid, strict=True)
                ]
                deps = [keys[child] for child in product(*spans)]
                key = (name, *index) if last else (f"{name}-{level}", *index, *at)
                function = _combine(node, tuple(map(len, spans)), last)
                needs = _tree_needs(node, [sizes[dep] for dep in deps])
                builder.add(key, node, function, deps, (), *needs)
                parents[at], sizes[key] = key, needs[0]
            if last:
                break
            keys, grid, level = parents, groups, level + 1


def _split(node: TreeReduce, grid: list[int], largest: int, limit: int) -> tuple[int, ...]:
    """Blocks that one task combines along each axis: two where more might not fit."""
    size = largest
    while True:
        count = math.prod(map(min, node.split_every, grid))
        nbytes, workspace = _tree_needs(node, [size] * count)
        if count * size + nbytes + workspace > limit:
            return (2,) * len(grid)
        if math.prod(grid) <= count:
            return node.split_every
        size, grid = nbytes, [-(-n // s) for n, s in zip(grid, node.split_every, strict=True)]


def _spread(node: TreeReduce, index: BlockIndex) -> list[int]:
    """Position of an output block in the grid of the input, zeros on reduced axes."""
    if node.keepdims:
        return list(index)
    rest = iter(index)
    return [0 if axis in node.axes else next(rest) for axis in range(node.x.meta.ndim)]


def _place(outer: list[int], axes: tuple[int, ...], at: BlockIndex) -> BlockIndex:
    place = list(outer)
    for axis, position in zip(axes, at, strict=True):
        place[axis] = position
    return tuple(place)


class _Combine:
    """One task of a tree: combine the partials of a group, finish at the root."""

    __slots__ = ("grid", "last", "node")

    def __init__(self, node: TreeReduce, grid: tuple[int, ...], last: bool) -> None:
        self.node, self.grid, self.last = node, grid, last

    def __call__(self, *parts: Any) -> Any:
        step = self.node.finish if self.last else self.node.merge
        return step(parts, self.grid)


class _MeasuredCombine(_Combine):
    """One whose parts are as large as data make them."""

    __slots__ = ()

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        return _tree_needs(self.node, sizes)

    @property
    def advice(self) -> str:
        return str(getattr(self.node.combine, "advice", ""))


def _combine(node: TreeReduce, grid: tuple[int, ...], last: bool) -> _Combine:
    measured = getattr(node.combine, "data_decide", False)
    return (_MeasuredCombine if measured else _Combine)(node, grid, last)


def _tree_needs(node: TreeReduce, sizes: Sequence[int]) -> tuple[int, int]:
    """Bytes of a partial that is made of some others, and of what that takes."""
    needs = getattr(node.combine, "needs", None)
    return (sizes[0], sizes[0]) if needs is None else needs(sizes)


@lays_out(Call)
def _lay_out_call(builder: GraphBuilder, node: Call, wanted: list[BlockIndex]) -> None:
    handle = getattr(node.function, "handle", None)  # of a value that some task returns
    if handle is not None:
        key, nbytes = builder.key(node, wanted[0]), block_nbytes(node, wanted[0])
        builder.add(key, node, node.apply, (handle.key,), (), nbytes)
        return
    grids = [each.meta.numblocks for each in node.inputs]
    deps = [
        builder.want(each, index)
        for each, grid in zip(node.inputs, grids, strict=True)
        for index in product(*map(range, grid))
    ]
    if getattr(node.function, "hands_on", False):
        nbytes = whole = 0
    else:
        nbytes = block_nbytes(node, wanted[0])
        whole = sum(each.meta.projected_nbytes for each in node.inputs)
    builder.add(
        builder.key(node, wanted[0]), node, _WholeCall(node, grids), deps, (), nbytes, whole
    )


class _WholeCall:
    """Assemble whole inputs from their blocks, then call the function."""

    __slots__ = ("grids", "node")

    def __init__(self, node: Call, grids: list[tuple[int, ...]]) -> None:
        self.node, self.grids = node, grids

    @property
    def hands_on(self) -> bool:
        return getattr(self.node.function, "hands_on", False)

    def __call__(self, *blocks: Any) -> Any:
        rest = list(blocks)
        arrays = []
        for grid in self.grids:
            count = math.prod(grid)
            arrays.append(join_blocks(rest[:count], grid))
            rest = rest[count:]
        return self.node.apply(*arrays)


@lays_out(Sink)
def _lay_out_sink(builder: GraphBuilder, node: Sink, wanted: list[BlockIndex]) -> None:
    x = node.x
    keys, none = builder.keys(node, wanted), repeat(0)
    fills = hasattr(node.writer, "target") and x.meta.backend == "numpy"  # memory of the host
    fills = fills and not is_out_of_reach(node)
    alone = fills and builder.readers[x.token] == 1 and x.meta.known
    if alone and isinstance(x, Blockwise):
        deps, workspace = _reads(builder, x, wanted), workspaces(x, wanted, in_place=True)
        in_place = _WriteInPlace(node, x.run)
        builder.add_all(keys, x, in_place, deps, zip(wanted), none, workspace)
    elif alone and isinstance(x, Exchange) and is_joined_in_place(x, builder.readers):
        for index, key, task in zip(wanted, keys, joined_pieces(builder, x, wanted), strict=True):
            reads, join, room = task
            builder.add(key, x, _WriteInPlace(node, join), reads, (index,), 0, room)
    else:
        deps = zip(builder.want_all(x, wanted))
        # What a device has comes to the host as a copy before it is written.
        copies: Iterable[int] = (
            all_nbytes(x, wanted) if space_of(x.meta.backend) == DEVICE else none
        )
        builder.add_all(keys, node, node.run, deps, zip(wanted), none, copies, HOST)


class _WriteInPlace:
    """Compute a block straight into the memory it is meant for."""

    __slots__ = ("compute", "node")

    def __init__(self, node: Sink, compute: Callable[..., Any]) -> None:
        self.node, self.compute = node, compute

    @property
    def operation(self) -> str:
        return operation_of(self.node.x)

    def __call__(self, *values_and_index: Any) -> None:
        target = self.node.writer.target(self.node.x.meta.block_slices(values_and_index[-1]))
        self.compute(*values_and_index, out=target)
