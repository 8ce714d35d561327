"""Results for which there are several ways, of which the memory of the run takes one."""

from __future__ import annotations

from typing import Any

from gpuscale.expr.node import Node

__all__ = ["ByMemory"]


class ByMemory(Node):
    """What a function makes of frames, which asks how much memory there is.

    Parameters
    ----------
    inputs : tuple of Node
    make : callable
        ``make(inputs)`` is the node of the result under the limits that are in force.
    plan : Node
        What it was when the user wrote it, which says what all else may rely on.
    """

    inputs: tuple[Node, ...]
    make: Any
    plan: Node

    @property
    def name(self) -> str:
        return self.plan.name

    def _infer(self) -> Any:
        return self.plan.meta
