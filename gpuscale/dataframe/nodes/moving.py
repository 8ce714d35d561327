"""Partitions that go to where another library has them."""

from __future__ import annotations

from collections.abc import Iterable

from gpuscale.base.errors import BackendError
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["ToBackend", "common_backend"]


class ToBackend(Node):
    """The same rows as frames of another library."""

    x: Node
    backend: str

    @property
    def name(self) -> str:
        return f"to_{self.backend}"

    def _infer(self) -> FrameMeta:
        meta: FrameMeta = self.x.meta
        return meta.with_(backend=self.backend, otherwise=None)


def common_backend(nodes: Iterable[Node]) -> str:
    """Return the library of the frames among some nodes.

    Raises
    ------
    BackendError
        If frames of two libraries meet.
    """
    metas = (node.meta for node in nodes)
    names = list(dict.fromkeys(meta.backend for meta in metas if isinstance(meta, FrameMeta)))
    if len(names) > 1:
        raise BackendError(
            f"frames of {' and '.join(names)} meet, which would be copies that nobody asked for; "
            f"move one of them by to_backend({names[0]!r})"
        )
    return names[0] if names else "pandas"
