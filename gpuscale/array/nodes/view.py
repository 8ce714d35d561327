"""Affine views: every way of looking at an array that computes nothing."""

from __future__ import annotations

from gpuscale.base.types import Chunks
from gpuscale.chunks.views import View as AffineMap
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = ["View"]


class View(Node):
    """Transposes, slices with any step, flips, integer indices, new and broadcast axes.

    ``chunks`` follow the blocks of ``x``, unless ``x`` can be read at any chunks.
    """

    x: Node
    view: AffineMap
    chunks: Chunks

    def _infer(self) -> ArrayMeta:
        return ArrayMeta(self.x.meta.dtype, self.chunks, self.x.meta.backend)
