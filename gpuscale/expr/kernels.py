"""What one task of a `Blockwise` does with its chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gpuscale.backends.creation import namespace
from gpuscale.backends.seams import array_namespace
from gpuscale.codegen.program import AffineIndex, ScalarProgram

__all__ = ["Block", "FunctionKernel", "ProgramKernel", "ReduceKernel"]


@dataclass(frozen=True, slots=True)
class Block:
    """Where a task stands in the iteration space of its node.

    Attributes
    ----------
    index : tuple of int
        Block number along each axis.
    start : tuple of int
        Global position of the first element.
    shape : tuple of int
        Elements along each axis.
    backend : str
        Backend for chunks that are made from nothing.
    """

    index: tuple[int, ...]
    start: tuple[int, ...]
    shape: tuple[int, ...]
    backend: str


def _localize(indices: Sequence[AffineIndex], start: tuple[int, ...]) -> list[AffineIndex]:
    """Move global index functions to the origin of a block."""
    return [
        AffineIndex(ix.base + sum(c * s for c, s in zip(ix.coefs, start, strict=True)), ix.coefs)
        for ix in indices
    ]


def namespace_of(block: Block, arrays: Sequence[Any]) -> Any:
    """Where the functions are for the chunks of a block, or for what is made of none."""
    return array_namespace(arrays[0]) if arrays else namespace(block.backend)


def _broadcast(array: Any, shape: tuple[int, ...]) -> Any:
    if array.shape == shape:
        return array
    return array_namespace(array).broadcast_to(array, shape)


@dataclass(frozen=True)
class ProgramKernel:
    """Elementwise work as one scalar program over loads, index functions and parameters.

    Parameters
    ----------
    program : ScalarProgram
        With one output.
    indices : tuple of AffineIndex
        In global coordinates of the iteration space.
    params : tuple of NumPy scalars
    label : str
        Operations inside, for people.
    """

    program: ScalarProgram
    indices: tuple[AffineIndex, ...] = ()
    params: tuple[Any, ...] = ()
    label: str = "map"

    @property
    def is_copy(self) -> bool:
        """Whether the program only hands its one load on."""
        instrs = self.program.instrs
        return len(instrs) == 1 and instrs[0].op == "load"

    def __call__(self, block: Block, arrays: Sequence[Any], out: Any = None) -> Any:
        """Compute one chunk, into ``out`` where given."""
        if self.is_copy and out is None:
            return _broadcast(arrays[0], block.shape)
        from gpuscale.codegen.run import run_map  # here: whoever plans needs no compiler

        outs = None if out is None else (out,)
        return run_map(
            self.program,
            arrays,
            _localize(self.indices, block.start),
            self.params,
            block.shape,
            out=outs,
            xp=namespace_of(block, arrays),
        )[0]


@dataclass(frozen=True)
class ReduceKernel:
    """The chunk stage of a reduction, fused with the elementwise work before it.

    The result is the tuple of partials of all reductions, reduced axes kept with length 1.

    Parameters
    ----------
    program : ScalarProgram
        One output for each reduction.
    indices, params
        As for `ProgramKernel`.
    reductions : tuple of str
        Rows of `codegen.run.run_reduce`.
    axes : tuple of int
    shape : tuple of int or None
        Global shape, needed only to give "argmin" and "argmax" global positions.
    """

    program: ScalarProgram
    indices: tuple[AffineIndex, ...]
    params: tuple[Any, ...]
    reductions: tuple[str, ...]
    axes: tuple[int, ...]
    shape: tuple[Any, ...] | None = None
    label: str = "reduce"

    def __call__(self, block: Block, arrays: Sequence[Any], out: Any = None) -> tuple[Any, ...]:
        """Reduce one chunk to its partials."""
        from gpuscale.codegen.run import run_reduce

        partials = run_reduce(
            self.program,
            self.reductions,
            arrays,
            _localize(self.indices, block.start),
            self.params,
            block.shape,
            self.axes,
            xp=namespace_of(block, arrays),
        )
        return self._placed(partials, block)

    def reads_transposed(self) -> bool:
        """Whether blocks (I, J) and (J, I) of a square matrix need the same random numbers."""
        from gpuscale.codegen import mirror

        return mirror.reads_transposed(self.program, self.indices)

    def run_mirrored(self, sides: Sequence[tuple[Block, Sequence[Any]]]) -> list[tuple[Any, ...]]:
        """Reduce blocks (I, J) and (J, I), each given with its chunks, drawing numbers once."""
        from gpuscale.codegen import mirror

        blocks = [
            mirror.Block(arrays, _localize(self.indices, block.start), block.shape)
            for block, arrays in sides
        ]
        found = mirror.run_reduce_mirror(
            self.program, self.reductions, blocks, self.params, self.axes, namespace_of(*sides[0])
        )
        return [self._placed(each, block) for each, (block, _) in zip(found, sides, strict=True)]

    def _placed(self, partials: tuple[Any, ...], block: Block) -> tuple[Any, ...]:
        if self.shape is None:
            return partials
        return (self._global_position(partials[0], block), *partials[1:])

    def _global_position(self, local: Any, block: Block) -> Any:
        """Turn positions inside the block into positions inside the whole reduced extent."""
        assert self.shape is not None
        position: Any = 0
        stride = inner = 1
        for axis in reversed(self.axes):
            coordinate = local // inner % block.shape[axis] + block.start[axis]
            position = position + coordinate * stride
            inner *= block.shape[axis]
            stride *= self.shape[axis]
        return array_namespace(local).where(local < 0, local, position)  # -1: no elements here


@dataclass(frozen=True)
class FunctionKernel:
    """Any Python function of aligned chunks.

    Parameters
    ----------
    function : callable
        Called as ``function(*chunks, *args, **kwargs)``.
    args : tuple
    kwargs : tuple of (str, object)
    wants_block : bool
        Pass the `Block` as first argument.
    label : str
    room : int, optional
        Bytes that the function takes for its largest block, beside the inputs and the result; by
        default it is thought to copy the result once, or an input that is larger.
    advice : str
        What to do where a block is too large and smaller chunks alone do not help.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    wants_block: bool = False
    label: str = "function"
    room: int | None = None
    advice: str = ""

    def __call__(self, block: Block, arrays: Sequence[Any], out: Any = None) -> Any:
        """Call the function on one set of chunks."""
        first = (block,) if self.wants_block else ()
        result = self.function(*first, *arrays, *self.args, **dict(self.kwargs))
        if out is None:
            return result
        out[...] = result
        return out
