"""The same elements in other chunks."""

from __future__ import annotations

from gpuscale.base.types import Chunks
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = ["Rechunk"]


class Rechunk(Node):
    """``x`` with the blocks that ``chunks`` say."""

    x: Node
    chunks: Chunks

    def _infer(self) -> ArrayMeta:
        return ArrayMeta(self.x.meta.dtype, self.chunks, self.x.meta.backend)
