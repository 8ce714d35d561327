"""Reductions as blueprints: what each chunk yields, how partials combine, how they finish."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.nodes.elementwise import common_backend
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = ["Reduce"]


class Reduce(Node):
    """Reduce inputs of one shape together, in one pass.

    Parameters
    ----------
    inputs : tuple of Node
        Equal shapes and chunks; input i is reduced by ``reductions[i]``.
    reductions : tuple of str
        Rows of `codegen.run.run_reduce`; each yields one or more partials.
    finalize : callable
        ``finalize(partials) -> array``: the tuple of combined partials to the result.
    axes : tuple of int
        Sorted, not negative.
    keepdims : bool
    split_every : tuple of int
        Blocks combined at once along each of ``axes``.
    label : str
    dtype : numpy.dtype
        Of the result.
    """

    inputs: tuple[Node, ...]
    reductions: tuple[str, ...]
    finalize: Any
    axes: tuple[int, ...]
    keepdims: bool
    split_every: tuple[int, ...]
    label: str
    dtype: np.dtype[Any]

    @property
    def name(self) -> str:
        return self.label

    def _infer(self) -> ArrayMeta:
        chunks = tuple(
            (1,) if axis in self.axes else sizes
            for axis, sizes in enumerate(self.inputs[0].meta.chunks)
            if self.keepdims or axis not in self.axes
        )
        return ArrayMeta(np.dtype(self.dtype), chunks, common_backend(self.inputs, self.label))
