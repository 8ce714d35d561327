"""A reduction becomes a chunk stage, which fuses with the work before it, and a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from gpuscale.array.nodes.reduce import Reduce
from gpuscale.backends.creation import parcel
from gpuscale.chunks.views import identity
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.codegen.reductions import REDUCTIONS, Partial
from gpuscale.expr.kernels import ReduceKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise, TreeReduce
from gpuscale.expr.stages import lowers

__all__ = ["CombinePartials", "lower_reduce"]


@dataclass(frozen=True)
class CombinePartials:
    """Combine the partials of several reductions, in the order of the blocks.

    Parameters
    ----------
    reductions : tuple of str
    widths : tuple of int
        Arrays in the partial of each.
    """

    reductions: tuple[str, ...]
    widths: tuple[int, ...]

    def __call__(self, parts: Sequence[Partial], grid: tuple[int, ...]) -> Partial:
        """Fold the parts from the first to the last."""
        with np.errstate(all="ignore"):  # infinities meet; the result says so
            return reduce(self._two, parts)

    def _two(self, a: Partial, b: Partial) -> Partial:
        result: list[Any] = []
        at = 0
        for name, width in zip(self.reductions, self.widths, strict=True):
            span = slice(at, at + width)
            result.extend(REDUCTIONS[name].combine(a[span], b[span]))
            at += width
        return tuple(result)


@lowers(Reduce)
def lower_reduce(node: Reduce) -> Node:
    """Reduce each block to its partials, combine them by a tree, finish."""
    dtypes = [
        REDUCTIONS[name].dtypes(each.meta.dtype)
        for name, each in zip(node.reductions, node.inputs, strict=True)
    ]
    return TreeReduce(
        _chunk_stage(node, [dtype for each in dtypes for dtype in each]),
        CombinePartials(node.reductions, tuple(map(len, dtypes))),
        node.finalize,
        node.axes,
        node.keepdims,
        node.split_every,
        node.label,
        node.meta,
    )


def _chunk_stage(node: Reduce, dtypes: list[np.dtype[Any]]) -> Node:
    x = node.inputs[0].meta
    builder = ProgramBuilder()
    loads = [builder.load(k, each.meta.dtype) for k, each in enumerate(node.inputs)]
    positions = any(name in ("argmin", "argmax") for name in node.reductions)
    kernel = ReduceKernel(
        builder.build(*loads),
        (),
        (),
        node.reductions,
        node.axes,
        x.shape if positions else None,
        node.label,
    )
    inputs = tuple(BlockInput(each, view=identity(x.shape)) for each in node.inputs)
    grid = tuple(
        (1,) * len(sizes) if axis in node.axes else sizes for axis, sizes in enumerate(x.chunks)
    )
    fields: list[Any] = [(f"f{k}", dtype) for k, dtype in enumerate(dtypes)]
    meta = node.meta.with_(dtype=parcel(np.dtype(fields).itemsize), chunks=grid)
    return Blockwise(kernel, inputs, x.chunks, meta)
