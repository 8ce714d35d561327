"""The six physical nodes: all that fusion, memory projection, graph and engines know.

`Source` brings data in, `Blockwise` makes each output block from aligned input blocks,
`TreeReduce` combines partial results, `Exchange` moves elements between blocks, `Call` runs one
Python function on whole inputs, `Sink` writes blocks out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from gpuscale.backends.shared_ops import own
from gpuscale.base.errors import add_note
from gpuscale.base.types import BlockIndex, Chunks, Unknown
from gpuscale.chunks.views import View
from gpuscale.expr.arrange import LocalAxis, arrange, forward_slice
from gpuscale.expr.kernels import Block, ProgramKernel
from gpuscale.expr.locator import Locator
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = [
    "BlockInput",
    "Blockwise",
    "Call",
    "Exchange",
    "Physical",
    "Sink",
    "Source",
    "TreeReduce",
]


_MOST_KEPT = 1.125  # bytes that a view keeps alive, for one of its own


class Physical(Node):
    """A node that the graph builder understands; its last operand, ``out``, is its metadata."""

    def _infer(self) -> ArrayMeta:
        meta: ArrayMeta = self.operands[-1]
        return meta

    @property
    def operation(self) -> str:
        """What its tasks are for, in messages about them."""
        from gpuscale.expr.inside import operation_of  # which knows all of these nodes

        return operation_of(self)

    def reads(self, blocks: Sequence[BlockIndex]) -> Iterator[tuple[Node, Sequence[BlockIndex]]]:
        """Yield what `run` takes, in order: a node, and its block for each of some blocks."""
        raise NotImplementedError

    def run(self, *values_and_index: Any) -> Any:
        """Compute one block from the results that `reads` names, then the block's number."""
        raise NotImplementedError


class Source(Physical):
    """Pieces of data: files, arrays in memory, chunks that an engine keeps.

    ``reader`` follows `gpuscale.io.pieces.PieceReader`: ``read(slices)``, ``token``, ``cost``.
    """

    reader: Any
    out: ArrayMeta

    @property
    def advice(self) -> str:
        """What to do about pieces that are too large, where they cannot be cut."""
        return str(getattr(self.reader, "advice", ""))

    def reads(self, blocks: Sequence[BlockIndex]) -> Iterator[tuple[Node, Sequence[BlockIndex]]]:
        return iter(())

    def run(self, index: BlockIndex) -> Any:  # type: ignore[override]
        return self.reader.read(self.meta.region(index))

    def _run(self, values: Iterator[Any], index: BlockIndex) -> Any:
        return self.run(index)

    def read_region(self, axes: tuple[LocalAxis, ...], shape: tuple[int, ...]) -> Any:
        """Read just what an affine view of the whole source needs, arranged for a block."""
        slices, local = [], []
        for axis, start, step in axes:
            length = 1 if axis is None else shape[axis]
            first = start if step > 0 else start + step * (length - 1)
            if length == 0:
                slices.append(slice(0, 0))
            else:
                slices.append(forward_slice(first, abs(step) or 1, length))
            local.append(
                (axis, 0 if step > 0 or axis is None else length - 1, 1 if step > 0 else -1)
            )
        return arrange(self.reader.read(tuple(slices)), tuple(local), shape)

    @property
    def name(self) -> str:
        return "read"

    @property
    def note(self) -> str:
        """What is read, of how much."""
        return str(getattr(self.reader, "note", ""))

    @property
    def room(self) -> float:
        """Bytes that reading a piece takes beside it, for each of its bytes."""
        return float(getattr(self.reader, "room", 0))


@dataclass(frozen=True)
class BlockInput:
    """One input of a `Blockwise` and how its blocks line up with the iteration space.

    Exactly one of ``view`` and ``axes`` is given.

    Parameters
    ----------
    node : Node
    view : View or None
        Affine map from global positions of the iteration space to positions of the node.
    axes : tuple of (int or None), or None
        For each axis of the node, the axis of the iteration space whose block *number* it
        follows; None where the node has one block.
    inline : bool
        Evaluate the node inside the task instead of in a task of its own.
    """

    node: Node
    view: View | None = None
    axes: tuple[int | None, ...] | None = None
    inline: bool = False

    @property
    def is_in_memory(self) -> bool:
        """Whether blocks are views of memory that others hold in any case."""
        return self.inline and isinstance(self.node, Source) and self.node.reader.cost == "view"

    def map_nodes(self, function: Callable[[Node], Node]) -> BlockInput:
        """Return this input over another node."""
        node = function(self.node)
        return self if node is self.node else replace(self, node=node)


class Blockwise(Physical):
    """Each output block from aligned blocks of the inputs; views are part of the alignment.

    ``domain`` are the chunks of the iteration space: those of the output for elementwise
    work, those of the input for the chunk stage of a reduction. Both have the same grid.
    """

    kernel: Any
    inputs: tuple[BlockInput, ...]
    domain: Chunks
    out: ArrayMeta

    @property
    def name(self) -> str:
        return str(self.kernel.label)

    @cached_property
    def space(self) -> ArrayMeta:
        """The iteration space, with offsets of its blocks."""
        return ArrayMeta(self.meta.dtype, self.domain, self.meta.backend)

    @cached_property
    def locators(self) -> tuple[Locator | None, ...]:
        """One for each input; None for a `Source` that is read in place by region."""
        return tuple(
            None if _by_region(each) else Locator(each.node.meta, each.view, each.axes, self.space)
            for each in self.inputs
        )

    def reads(self, blocks: Sequence[BlockIndex]) -> Iterator[tuple[Node, Sequence[BlockIndex]]]:
        for each, locator in zip(self.inputs, self.locators, strict=True):
            if locator is None:
                continue
            if each.inline:
                yield from each.node.reads(locator.blocks(blocks))  # type: ignore[attr-defined]
            else:
                yield each.node, locator.blocks(blocks)

    @property
    def advice(self) -> str:
        """What to do about blocks that are too large: what a kernel says that runs in the task."""
        inside = (each.node for each in self.inputs if each.inline)
        said = (getattr(node, "advice", "") for node in inside)
        return getattr(self.kernel, "advice", "") or next(filter(None, said), "")

    @property
    def otherwise(self) -> str:
        """What helps where nothing inside has an advice of its own."""
        return str(getattr(self.kernel, "otherwise", ""))

    def run(self, *values_and_index: Any, out: Any = None) -> Any:
        *values, index = values_and_index
        block, arrays = self._prepared(iter(values), index)
        if out is None and self._is_view:
            arrays = [own(arrays[0], most=_MOST_KEPT)]
        return self.kernel(block, arrays, out)

    @cached_property
    def _is_view(self) -> bool:
        """Whether blocks are views of results, which they keep alive as a whole, uncounted."""
        return self.is_program and self.kernel.is_copy and not self.inputs[0].is_in_memory

    @property
    def runs_in_parts(self) -> bool:
        """Whether `run_in_parts` does what `run` does."""
        from gpuscale.expr.halving import can_halve

        return can_halve(self.kernel)

    def run_in_parts(self, *values_and_index: Any, out: Any = None) -> Any:
        """Do what `run` does where a device has no memory for all of a block at once."""
        from gpuscale.expr.halving import run_halved  # here: it is rarely needed

        *values, index = values_and_index
        return run_halved(self.kernel, *self._prepared(iter(values), index), out)

    def _run(self, values: Iterator[Any], index: BlockIndex, out: Any = None) -> Any:
        return self.kernel(*self._prepared(values, index), out)

    def run_mirrored(self, *values_and_indices: Any) -> list[Any]:
        """Compute some blocks in one go from what `reads` names for each, then their numbers.

        They are blocks (I, J) and (J, I), or one on the diagonal: see `ReduceKernel.run_mirrored`.
        """
        *values, indices = values_and_indices
        each = iter(values)
        return self.kernel.run_mirrored([self._prepared(each, index) for index in indices])

    def _prepared(self, values: Iterator[Any], index: BlockIndex) -> tuple[Block, list[Any]]:
        """Where a block lies, and the arrays that it is made from."""
        space = self.space
        shape = space.block_shape(index)
        arrays = [
            self._arranged(each, locator, values, index, shape)
            for each, locator in zip(self.inputs, self.locators, strict=True)
        ]
        start = space.block_start(index)
        if not space.known:
            shape = _actual(shape, self.inputs, arrays)
        return Block(index, start, shape, space.backend), arrays  # type: ignore[arg-type]

    def _arranged(
        self,
        each: BlockInput,
        locator: Locator | None,
        values: Iterator[Any],
        index: BlockIndex,
        shape: tuple[Any, ...],
    ) -> Any:
        if locator is None:
            return each.node.read_region(_region(each.view, self.space, index), shape)  # type: ignore
        if each.inline:
            chunk = _run_inside(each.node, values, locator.block(index))
        else:
            chunk = next(values)
        if each.view is None or locator.is_identity and chunk.shape == shape:
            return chunk
        return arrange(chunk, locator.local(index), shape)

    @property
    def is_program(self) -> bool:
        """Whether this is elementwise work that others can fuse."""
        return isinstance(self.kernel, ProgramKernel)


def _run_inside(node: Any, values: Iterator[Any], block: BlockIndex) -> Any:
    """Evaluate a block inside another task; the engine only knows the line of that other one."""
    try:
        return node._run(values, block)
    except (Exception, SystemExit) as error:
        add_note(error, operation=node.name, origin=node.origin, chunk=block)
        raise


def _by_region(each: BlockInput) -> bool:
    return each.inline and isinstance(each.node, Source) and each.view is not None


def _region(view: View | None, space: ArrayMeta, index: BlockIndex) -> tuple[LocalAxis, ...]:
    assert view is not None
    start = space.block_start(index)
    return tuple(
        (axis, first if axis is None else first + step * start[axis], step)
        for axis, first, step in view.axes
    )


def _lengths(each: BlockInput, array: Any) -> Iterable[tuple[int | None, int]]:
    """Axes of the iteration space that an input follows, and its lengths; a frame follows one."""
    if each.axes is None:
        return enumerate(array.shape)
    shape = getattr(array, "shape", ())  # single values beside partitions have none
    return zip(each.axes, shape, strict=False)


def _actual(
    shape: tuple[Any, ...], inputs: tuple[BlockInput, ...], arrays: list[Any]
) -> tuple[int, ...]:
    """Sizes of a block that depend on data, as its arrays have them."""
    sizes = list(shape)
    for axis, size in enumerate(sizes):
        if isinstance(size, Unknown):
            found = {
                length
                for each, array in zip(inputs, arrays, strict=True)
                for own, length in _lengths(each, array)
                if axis == own
            }
            sizes[axis] = next(iter(found - {1}), 1)  # others are broadcast along it
    return tuple(sizes)


class TreeReduce(Physical):
    """Combine the partials of all blocks along some axes, a few at a time.

    Parameters
    ----------
    x : Node
        One partial for each block.
    combine : callable
        ``combine(parts, grid) -> partial`` for parts in C order of a ``grid`` of blocks. A partial
        is as large as each of its parts, and takes as much again to make, unless a method
        ``needs(sizes) -> (partial, workspace)`` says more from the bytes of the parts; where
        ``data_decide`` is true that is an upper bound.
    finalize : callable
        ``finalize(partial) -> array`` with reduced axes of length 1. Where it has a method
        ``of_parts(parts, grid)``, that makes the result of the last partials instead, without
        combining them first and with the axes as they should be.
    axes : tuple of int
    keepdims : bool
    split_every : tuple of int
        Blocks combined by one task, for each of ``axes``.
    label : str
    """

    x: Node
    combine: Any
    finalize: Any
    axes: tuple[int, ...]
    keepdims: bool
    split_every: tuple[int, ...]
    label: str
    out: ArrayMeta

    @property
    def name(self) -> str:
        return self.label

    def merge(self, parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
        """Combine the partials of a group."""
        return parts[0] if len(parts) == 1 else self.combine(parts, grid)

    def finish(self, parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
        """Turn the last partials into the result's block."""
        if hasattr(self.finalize, "of_parts"):
            return self.finalize.of_parts(parts, grid)
        result = self.finalize(self.merge(parts, grid))
        return result if self.keepdims else result.squeeze(self.axes)


class Exchange(Physical):
    """Elements move between blocks: rechunk, shuffle, sort, scan.

    ``plan`` is plain data; `graph.build` finds the function that lays its tasks out by the
    plan's type.
    """

    inputs: tuple[Node, ...]
    plan: Any
    out: ArrayMeta

    @property
    def name(self) -> str:
        return str(self.plan.label)


class Call(Physical):
    """One Python function on whole inputs; the result is one block.

    ``function(*arrays, *args, **kwargs)``, with ``kwargs`` as pairs.
    """

    function: Any
    inputs: tuple[Node, ...]
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]
    out: ArrayMeta

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", "call").lstrip("_")

    def apply(self, *arrays: Any) -> Any:
        """Call the function on whole arrays."""
        return self.function(*arrays, *self.args, **dict(self.kwargs))


class Sink(Physical):
    """Write each block of ``x`` where ``writer`` wants it.

    ``writer.write(slices, chunk)`` is called once for each block; ``writer.target(slices)``,
    where it exists, is memory that the producing task may fill in place. Where
    ``writer.is_local``, only this process can write.
    """

    x: Node
    writer: Any
    out: ArrayMeta

    @property
    def name(self) -> str:
        return "write"

    def reads(self, blocks: Sequence[BlockIndex]) -> Iterator[tuple[Node, Sequence[BlockIndex]]]:
        yield self.x, blocks

    def run(self, chunk: Any, index: BlockIndex) -> None:  # type: ignore[override]
        self.writer.write(self.x.meta.region(index), chunk)
