"""Rechunking moves towards the data, and disappears where data can be read at any chunks."""

from __future__ import annotations

from typing import Any

from gpuscale.array.construct import rechunk
from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.array.nodes.elementwise import Elementwise
from gpuscale.array.nodes.rechunk import Rechunk
from gpuscale.array.nodes.view import View
from gpuscale.array.rules.free import is_free
from gpuscale.base.types import Chunks
from gpuscale.expr.meta import axis_size
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Source
from gpuscale.expr.stages import simplify_rules

__all__: list[str] = []


@simplify_rules.rule(Elementwise)
def align_inputs(node: Elementwise) -> Node | None:
    """Inputs of elementwise work get the chunks of its result."""
    inputs = tuple(rechunk(each, _aligned(each, node.meta.chunks)) for each in node.inputs)
    if inputs == node.inputs:
        return None
    return Elementwise(node.op, inputs, node.dtype)


def _aligned(node: Node, chunks: Chunks) -> Chunks:
    """Chunks of the result, as an input sees them: one block where it broadcasts."""
    own = chunks[len(chunks) - node.meta.ndim :]
    return tuple(
        sizes if length == 1 and axis_size(target) != 1 else target
        for sizes, length, target in zip(node.meta.chunks, node.meta.shape, own, strict=True)
    )


@simplify_rules.rule(Rechunk)
def drop_rechunk(node: Rechunk) -> Node | None:
    """Chunks that are as they should be need nothing."""
    return node.x if node.x.meta.chunks == node.chunks else None


@simplify_rules.rule(Rechunk)
def rechunk_twice(node: Rechunk) -> Node | None:
    """Only the last of two rechunks counts."""
    return Rechunk(node.x.x, node.chunks) if isinstance(node.x, Rechunk) else None


@simplify_rules.rule(Rechunk)
def rechunk_index_function(node: Rechunk) -> Node | None:
    """An index function takes any chunks."""
    x = node.x
    if not isinstance(x, IndexFunction):
        return None
    return IndexFunction(x.program, x.indices, x.params, x.label, node.meta)


@simplify_rules.rule(Rechunk)
def rechunk_source(node: Rechunk) -> Node | None:
    """Memory, and files whose stored chunks are not cut, are read at any chunks."""
    x = node.x
    if not isinstance(x, Source) or not x.meta.known:
        return None
    if x.reader.cost != "view" and not _keeps_boundaries(x.meta.chunks, node.chunks):
        return None
    return Source(x.reader, node.meta)


def _keeps_boundaries(old: Chunks, new: Chunks) -> bool:
    """Whether every boundary of the new chunks is one of the old chunks."""
    return all(_ends(fresh) <= _ends(sizes) for sizes, fresh in zip(old, new, strict=True))


def _ends(sizes: tuple[Any, ...]) -> set[int]:
    ends, at = set(), 0
    for size in sizes:
        at += size
        ends.add(at)
    return ends


@simplify_rules.rule(Rechunk)
def rechunk_view_of_free(node: Rechunk) -> Node | None:
    """A view of what is free to read takes any chunks."""
    x = node.x
    return View(x.x, x.view, node.chunks) if isinstance(x, View) and is_free(x) else None


@simplify_rules.rule(Rechunk)
def rechunk_free_elementwise(node: Rechunk) -> Node | None:
    """Work on free inputs takes any chunks."""
    x = node.x
    if not (isinstance(x, Elementwise) and is_free(x)):
        return None
    return Elementwise(
        x.op, tuple(rechunk(each, _aligned(each, node.chunks)) for each in x.inputs), x.dtype
    )
