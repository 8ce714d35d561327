"""Which library has the partitions of a frame."""

from __future__ import annotations

from typing import Any

from gpuscale.backends.frame_libraries import resolve_frames
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.expr.node import Node

__all__: list[str] = []


def to_backend(x: Any, backend: str | None = None) -> Any:
    """Return the same rows as frames of another library."""
    return placed(x.expr, backend)


def placed(node: Node, backend: str | None) -> Any:
    """Return the collection of a node, with its partitions in a library of frames."""
    name = resolve_frames(backend)
    return wrap(node if node.meta.backend == name else ToBackend(node, name))
