"""Sums of products over shared axes."""

from __future__ import annotations

from gpuscale.array.nodes.elementwise import common_backend
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node

__all__ = ["Contract"]


class Contract(Node):
    """The products of two arrays, summed over the letters that the result lacks.

    How that is done depends on the memory there is: see `gpuscale.array.rules.contraction`.

    Parameters
    ----------
    a, b : Node
        Of one dtype; along letters that they share they have the same chunks.
    letters : pair of tuple
        Of the axes of each.
    out : tuple
        Letters of the result.
    label : str
    """

    a: Node
    b: Node
    letters: tuple[tuple[object, ...], tuple[object, ...]]
    out: tuple[object, ...]
    label: str

    @property
    def name(self) -> str:
        return self.label

    def _infer(self) -> ArrayMeta:
        sizes = {
            letter: chunks
            for node, own in zip((self.b, self.a), self.letters[::-1], strict=True)
            for letter, chunks in zip(own, node.meta.chunks, strict=True)
        }
        chunks = tuple(sizes[letter] for letter in self.out)
        backend = common_backend((self.a, self.b), self.label)
        meta: ArrayMeta = self.a.meta.with_(chunks=chunks, backend=backend)
        return meta
