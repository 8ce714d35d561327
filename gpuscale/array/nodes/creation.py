"""Arrays whose elements are a function of their index."""

from __future__ import annotations

from typing import Any

from gpuscale.codegen.program import AffineIndex, ScalarProgram
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = ["IndexFunction"]


class IndexFunction(Node):
    """A scalar program over affine functions of the global index: ``full``, ``arange``, random.

    It has no data, so it fuses into whoever reads it, under any view and any chunks.
    """

    program: ScalarProgram
    indices: tuple[AffineIndex, ...]
    params: tuple[Any, ...]
    label: str
    out: ArrayMeta

    @property
    def name(self) -> str:
        return self.label

    def _infer(self) -> ArrayMeta:
        return self.out
