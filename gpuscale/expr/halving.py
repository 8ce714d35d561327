"""Run the kernel of a block over parts of it, where a device has no memory for all at once.

The block is halved along its longest axis until a part fits, down to a floor. Axes that a reduction
keeps go first: partial results that are combined along a reduced axis are rounded in another order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gpuscale.backends.devices import free_blocks
from gpuscale.backends.seams import array_namespace, is_out_of_memory
from gpuscale.base.errors import NotSupportedError
from gpuscale.codegen.reductions import REDUCTIONS
from gpuscale.expr.kernels import Block, ProgramKernel, ReduceKernel, namespace_of

__all__ = ["can_halve", "run_halved"]

FLOOR = 1 << 12  # elements: where these do not fit, nothing does


def can_halve(kernel: Any) -> bool:
    """Whether a kernel may run over parts of its block."""
    return isinstance(kernel, ProgramKernel | ReduceKernel)


def run_halved(kernel: Any, block: Block, arrays: Sequence[Any], out: Any = None) -> Any:
    """Run a kernel over halves of a block, and over halves of these where they do not fit either.

    Parameters
    ----------
    kernel : ProgramKernel or ReduceKernel
    block : Block
    arrays : sequence of arrays
        Any views that broadcast to the block.
    out : array, optional
        As for the kernel.

    Returns
    -------
    array or tuple of arrays
        What the kernel returns.

    Raises
    ------
    Exception
        That of the device, where a part at the floor does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> x = b.load(0, np.dtype("f8"))
    >>> kernel = ProgramKernel(b.build(b.apply("add", x, x)))
    >>> run_halved(kernel, Block((0,), (0,), (3,), "numpy"), [np.arange(3.0)])
    array([0., 2., 4.])
    """
    if isinstance(kernel, ReduceKernel):
        return _reduced(kernel, block, arrays)
    if not can_halve(kernel):
        raise NotSupportedError(f"{kernel.label} cannot run over parts of a block")
    if out is None:
        out = namespace_of(block, arrays).empty(block.shape, kernel.program.dtypes[0])
    _mapped(kernel, block, arrays, out)
    return out


def _mapped(kernel: ProgramKernel, block: Block, arrays: Sequence[Any], out: Any) -> None:
    axis = _longest(block, ())
    if axis is None:
        kernel(block, arrays, out)
        return
    for cut in _halves(block, axis):
        part, theirs = _part(block, axis, cut), _cut(arrays, block, axis, cut)
        target = out[(slice(None),) * axis + (cut,)]
        try:
            kernel(part, theirs, target)
            continue
        except Exception as error:
            if not is_out_of_memory(error) or math.prod(part.shape) <= FLOOR:
                raise
        free_blocks()  # without the error, whose traceback holds what did not suffice
        _mapped(kernel, part, theirs, target)


def _reduced(kernel: ReduceKernel, block: Block, arrays: Sequence[Any]) -> tuple[Any, ...]:
    axis = _longest(block, kernel.axes)
    if axis is None:
        return kernel(block, arrays)
    found = []
    for cut in _halves(block, axis):
        part, theirs = _part(block, axis, cut), _cut(arrays, block, axis, cut)
        found.append(_reduced_part(kernel, part, theirs))
    if axis in kernel.axes:
        return _combined(kernel, *found)
    xp = array_namespace(found[0][0])
    return tuple(xp.concatenate(pair, axis=axis) for pair in zip(*found, strict=True))


def _reduced_part(kernel: ReduceKernel, part: Block, arrays: Sequence[Any]) -> tuple[Any, ...]:
    try:
        return kernel(part, arrays)
    except Exception as error:
        if not is_out_of_memory(error) or math.prod(part.shape) <= FLOOR:
            raise
    free_blocks()
    return _reduced(kernel, part, arrays)


def _combined(
    kernel: ReduceKernel, one: tuple[Any, ...], other: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Combine the partial results of two halves, each a flat tuple of those of all reductions."""
    found: list[Any] = []
    for name, dtype in zip(kernel.reductions, kernel.program.dtypes, strict=True):
        row, first = REDUCTIONS[name], len(found)
        last = first + len(row.dtypes(dtype))
        found.extend(row.combine(one[first:last], other[first:last]))
    return tuple(found)


def _longest(block: Block, spared: tuple[int, ...]) -> int | None:
    """Find the longest axis, of those that are not spared as long as there is one to halve."""
    axes = [axis for axis, n in enumerate(block.shape) if n > 1]
    kept = [axis for axis in axes if axis not in spared]
    return max(kept or axes, key=lambda axis: block.shape[axis], default=None)


def _halves(block: Block, axis: int) -> tuple[slice, slice]:
    n = block.shape[axis]
    return slice(0, n // 2), slice(n // 2, n)


def _part(block: Block, axis: int, cut: slice) -> Block:
    start, shape = list(block.start), list(block.shape)
    start[axis] += cut.start
    shape[axis] = cut.stop - cut.start
    return Block(block.index, tuple(start), tuple(shape), block.backend)


def _cut(arrays: Sequence[Any], block: Block, axis: int, cut: slice) -> list[Any]:
    """The part of each array, which may lack leading axes and be broadcast along others."""
    found = []
    for array in arrays:
        own = axis - len(block.shape) + array.ndim
        broadcast = own < 0 or array.shape[own] == 1
        found.append(array if broadcast else array[(slice(None),) * own + (cut,)])
    return found
