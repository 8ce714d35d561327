"""Rows by their positions among all: how many are before each partition."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Size
from gpuscale.dataframe.inference import emptied, sample
from gpuscale.dataframe.undecided import nulled, unlike
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["Counted", "Numbered"]


class Counted(Node):
    """A frame whose rows were counted; it must have as many when it is computed again."""

    x: Node
    rows: tuple[int, ...]

    def _infer(self) -> FrameMeta:
        meta: FrameMeta = self.x.meta
        return replace(meta, rows=self.rows, projected=())


class Numbered(Node):
    """A function of each partition and of a value of its own, such as the number of its first row.

    Parameters
    ----------
    function : callable
        ``function(*partitions, value, *args)``.
    inputs : tuple of Node
        Aligned, or values that all partitions share.
    values : tuple
        One for each partition.
    args : tuple
    label : str
    rows : tuple of int or Unknown, or None
        Rows of each partition where they are not those of the first input.
    out : object of pandas, optional
        What comes out, without rows.
    """

    function: Any
    inputs: tuple[Node, ...]
    values: tuple[Any, ...]
    args: tuple[Any, ...]
    label: str
    rows: tuple[Size, ...] | None
    out: Any

    @property
    def name(self) -> str:
        return self.label

    def _infer(self) -> FrameMeta:
        meta: FrameMeta = self.inputs[0].meta
        out = self.out
        if out is None:
            first = self.values[0] if self.values else None
            out = emptied(self.function(*map(sample, self.inputs), first, *self.args))
        found = unlike(out, nulled(out, self.inputs))
        if self.rows is None:
            return meta.of(out, otherwise=found)
        layout = tokenize("numbered", meta.layout, self.token)
        return meta.of(out, rows=self.rows, layout=layout, divisions=None, otherwise=found)
