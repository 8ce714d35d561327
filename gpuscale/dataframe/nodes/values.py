"""The elements of frames, as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.base.types import Chunks
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = ["Values"]


class Values(Node):
    """A function of each partition that gives an array with a row for each of its rows.

    Parameters
    ----------
    x : Node
    function : callable
        Called with a partition and the dtype.
    dtype : numpy.dtype
    columns : tuple of int
        How many columns the array has, () for none.
    """

    x: Node
    function: Any
    dtype: np.dtype[Any]
    columns: tuple[int, ...]

    @property
    def name(self) -> str:
        return "values"

    def _infer(self) -> ArrayMeta:
        meta: FrameMeta = self.x.meta
        chunks: Chunks = (meta.rows, *((n,) for n in self.columns))
        return ArrayMeta(self.dtype, chunks)
