"""Single values that are not computed yet, as sums are."""

from __future__ import annotations

from typing import Any

from gpuscale.collection import Collection
from gpuscale.dataframe.collection import collects, wrap
from gpuscale.dataframe.operators import Operators
from gpuscale.expr.frames import ScalarMeta
from gpuscale.expr.node import Node

__all__ = ["Scalar"]


@collects(ScalarMeta)
class Scalar(Operators, Collection):
    """One value, lazy; an operand of frames, series and other values.

    Made by reductions, never directly.
    """

    __slots__ = ()

    def _wrap(self, expr: Node) -> Any:
        return wrap(expr)

    def __float__(self) -> float:
        return float(self.compute())

    def __int__(self) -> int:
        return int(self.compute())

    def __index__(self) -> int:
        return int(self.compute().__index__())

    def __round__(self, digits: int | None = None) -> Any:
        return round(self.compute(), digits)

    def __format__(self, spec: str) -> str:
        return format(self.compute(), spec) if spec else str(self)

    def __bool__(self) -> bool:
        raise TypeError(f"the truth value of a {type(self).__name__} is not known; compute() it")

    def __repr__(self) -> str:
        return f"gpuscale.dataframe.Scalar<{self.expr.name}, type={self.expr.meta.kind}>"
