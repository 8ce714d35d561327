"""Whole partitions of a frame."""

from __future__ import annotations

from dataclasses import replace

from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Unknown
from gpuscale.expr.frames import FrameMeta, unknown_rows
from gpuscale.expr.node import Node

__all__ = ["Partitions"]


class Partitions(Node):
    """Some partitions of a frame, by their numbers, in the order in which these stand."""

    x: Node
    numbers: tuple[int, ...]

    @property
    def name(self) -> str:
        return "partitions"

    def _infer(self) -> FrameMeta:
        meta: FrameMeta = self.x.meta
        layout = tokenize("partitions", meta.layout, self.numbers)
        unknown = unknown_rows(layout, len(self.numbers))
        rows = tuple(
            unknown[k] if isinstance(meta.rows[number], Unknown) else meta.rows[number]
            for k, number in enumerate(self.numbers)
        )
        return replace(
            meta,
            rows=rows,
            projected=tuple(meta.projected[number] for number in self.numbers),
            layout=layout,
            divisions=self._divisions(meta.divisions),
            sample=None,
        )

    def _divisions(self, bounds: tuple[object, ...] | None) -> tuple[object, ...] | None:
        if bounds is None or not self.numbers:
            return None
        first = self.numbers[0]
        if self.numbers != tuple(range(first, first + len(self.numbers))):
            return None
        return bounds[first : first + len(self.numbers) + 1]
