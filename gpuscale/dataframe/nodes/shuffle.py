"""Rows that go to other partitions, by what they are."""

from __future__ import annotations

from typing import Any

from gpuscale.expr.frames import FrameMeta, unknown_rows
from gpuscale.expr.node import Node

__all__ = ["Shuffle"]


class Shuffle(Node):
    """The rows of a frame in new partitions.

    Parameters
    ----------
    x : Node
    others : tuple of Node
        Of one partition each; `cut` takes them, too.
    cut : callable
        See `gpuscale.expr.plans.ShufflePlan`.
    make : callable
        The same.
    npartitions : int
    divisions : tuple or None
    label : str
    """

    x: Node
    others: tuple[Node, ...]
    cut: Any
    make: Any
    npartitions: int
    divisions: tuple[Any, ...] | None
    label: str

    @property
    def name(self) -> str:
        return self.label

    def _infer(self) -> FrameMeta:
        meta: FrameMeta = self.x.meta
        share = -(-sum(meta.projected) // self.npartitions)
        return meta.with_(
            rows=unknown_rows(self.token, self.npartitions),
            layout=self.token,
            projected=(share,) * self.npartitions,
            divisions=self.divisions,
            sample=None,
        )
