"""Partitions that are put together of pieces of others."""

from __future__ import annotations

from math import ceil
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Size, Unknown
from gpuscale.dataframe.algorithms.cuts import Rows
from gpuscale.dataframe.nodes.moving import common_backend
from gpuscale.dataframe.undecided import unlike
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["Pieces", "Regroup"]

Pieces = tuple[tuple[tuple[int, int, Any], ...], ...]
"""For each new partition: input, partition, and a cut of `gpuscale.dataframe.algorithms.cuts`."""


class Regroup(Node):
    """Repartition, concatenate, align: the same rows, or some, in other partitions.

    Parameters
    ----------
    inputs : tuple of Node
        Frames of the same columns and dtypes.
    pieces : Pieces
    divisions : tuple or None
    label : str
    """

    inputs: tuple[Node, ...]
    pieces: Pieces
    divisions: tuple[Any, ...] | None
    label: str

    @property
    def name(self) -> str:
        return self.label

    def _infer(self) -> FrameMeta:
        metas: list[FrameMeta] = [each.meta for each in self.inputs]
        layout = tokenize("regroup", [meta.layout for meta in metas], self.pieces)
        sizes = [[_rows(metas[k], block, cut) for k, block, cut in each] for each in self.pieces]
        rows: list[Size] = [
            Unknown(layout, number) if None in each else sum(n for n in each if n is not None)
            for number, each in enumerate(sizes)
        ]
        projected = [sum(_projected(metas[k], *rest) for k, *rest in each) for each in self.pieces]
        total = sum(sum(meta.projected) for meta in metas)
        share = max(1, total // max(1, sum(projected)))
        return FrameMeta(
            metas[0].frame,
            tuple(rows),
            layout,
            self.divisions,
            tuple(n * share for n in projected),
            max(meta.row_bytes for meta in metas),
            common_backend(self.inputs),
            otherwise=unlike(metas[0].frame, [meta.otherwise for meta in metas]),
            full=metas[0].full if len(metas) == 1 else None,
        )


def _rows(meta: FrameMeta, block: int, cut: Any) -> int | None:
    """Rows of a piece, where they are known."""
    rows = meta.rows[block]
    if isinstance(rows, Unknown):
        return None
    if cut is None:
        return rows
    return cut.count(rows) if isinstance(cut, Rows) else None


def _projected(meta: FrameMeta, block: int, cut: Any) -> int:
    """Rows of a piece by projection: those of the partition, or a share that is known."""
    return ceil(meta.projected[block] * getattr(cut, "share", 1))
