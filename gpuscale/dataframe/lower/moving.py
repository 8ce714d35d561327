"""Moving is a task of its own, so that the device works while the host reads."""

from __future__ import annotations

from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.expr.moving import moved
from gpuscale.expr.node import Node
from gpuscale.expr.stages import lowers

__all__ = ["lower_to_backend"]


@lowers(ToBackend)
def lower_to_backend(node: ToBackend) -> Node:
    """Move each partition."""
    return moved(node.x, node.backend)
