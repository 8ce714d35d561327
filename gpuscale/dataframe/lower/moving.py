"""Moving is a task of its own, so that the device works while the host reads; or itself reads."""

from __future__ import annotations

from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.expr.moving import moved
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Source
from gpuscale.expr.stages import lowers
from gpuscale.io.frame_readers import PiecesReader

__all__ = ["lower_to_backend"]


@lowers(ToBackend)
def lower_to_backend(node: ToBackend) -> Node:
    """Move each partition, or have it read by the other library."""
    source = node.x
    if isinstance(source, Source) and isinstance(source.reader, PiecesReader):
        reader = source.reader.on(node.backend)
        if reader is not None:
            return Source(reader, node.meta)
    return moved(source, node.backend)
