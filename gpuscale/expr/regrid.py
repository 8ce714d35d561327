"""Move rechunks behind the work on what they give, so that pieces are computed where they belong.

Elementwise work does not care how its blocks are cut: instead of copying pieces together and then
working on the copy, a task works on each piece and writes the result into its place in the new
block. So a rechunk between two pieces of elementwise work costs nothing, and shifted views of one
array, as in a stencil, are read where they lie.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import prod
from typing import Any

from gpuscale.base.types import Chunks
from gpuscale.chunks.broadcast import refine_sizes
from gpuscale.chunks.views import view_chunks
from gpuscale.expr.kernels import ProgramKernel, ReduceKernel
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.expr.physical import BlockInput, Blockwise, Exchange, Sink
from gpuscale.expr.plans import RechunkPlan
from gpuscale.expr.reads import count_reads, is_free_to_read
from gpuscale.expr.walk import toposort

__all__ = ["is_joined_in_place", "rechunk_late"]

_FEW_PIECES = 27  # of one block are never too many: three along each of three axes
_LARGE_PIECE = 1 << 16  # elements beside which what a piece costs by itself is small


def rechunk_late(roots: list[Node]) -> list[Node]:
    """Move every rechunk behind the elementwise work or the reduction that alone reads it."""
    readers = count_reads(roots)
    done: dict[str, Node] = {}
    for node in toposort(roots):
        new = node.map_children(lambda child: done[child.token])
        if isinstance(new, Blockwise) and isinstance(new.kernel, ProgramKernel | ReduceKernel):
            new = _on_pieces(new, readers)
        elif isinstance(new, Sink):
            new = _without_rechunk(new)
        done[node.token] = new
        readers.setdefault(new.token, readers[node.token])
    return [done[root.token] for root in roots]


def is_joined_in_place(node: Any, readers: Counter[str]) -> bool:
    """Whether an exchange puts its blocks together by computing each piece in its place."""
    if not _is_rechunk(node):
        return False
    (x,) = node.inputs
    if not (isinstance(x, Blockwise) and x.is_program and readers[x.token] == 1):
        return False
    pairs = zip(x.meta.chunks, node.meta.chunks, strict=True)
    return x.meta.known and all(
        0 not in new and refine_sizes(old, new) == old for old, new in pairs
    )


def _is_rechunk(node: Node) -> bool:
    return (
        isinstance(node, Exchange)
        and isinstance(node.plan, RechunkPlan)
        and len(node.plan.steps) == 1
    )


def _on_pieces(node: Blockwise, readers: Counter[str]) -> Node:
    if not (node.space.known and node.space.size):
        return node
    inputs = tuple(_before_rechunks(each, readers) for each in node.inputs)
    if inputs == node.inputs:
        return node
    fine = _refined(node.domain, inputs)
    if _has_too_many_pieces(node.space.size, fine, node.domain):
        return node
    if isinstance(node.kernel, ReduceKernel):
        return _reduced_on_pieces(node, inputs, fine)
    if fine == node.domain:
        return node.rebuilt(node.kernel, inputs, node.domain, node.out)
    pieces = node.rebuilt(node.kernel, inputs, fine, node.out.with_(chunks=fine))
    return _rechunked(pieces, node)


def _rechunked(pieces: Node, node: Blockwise) -> Node:
    with on_behalf_of(node):
        return Exchange((pieces,), RechunkPlan((node.out.chunks,)), node.out)


def _reduced_on_pieces(node: Blockwise, inputs: tuple[BlockInput, ...], fine: Chunks) -> Node:
    """More partial results along reduced axes go into the tree; along others nothing may change."""
    axes = node.kernel.axes
    kept = (axis for axis in range(len(fine)) if axis not in axes)
    if any(fine[axis] != node.domain[axis] for axis in kept):
        return node
    grid = tuple(
        (1,) * len(fine[axis]) if axis in axes else sizes
        for axis, sizes in enumerate(node.out.chunks)
    )
    return node.rebuilt(node.kernel, inputs, fine, node.out.with_(chunks=grid))


def _before_rechunks(each: BlockInput, readers: Counter[str]) -> BlockInput:
    """The input without the rechunks that need not be done before.

    Where others read the result as well, what went before it would be computed for each.
    """
    node = each.node
    while each.view is not None and _is_rechunk(node):
        (x,) = node.children
        computes = isinstance(x, Blockwise) and x.is_program and not x.kernel.is_copy
        if not x.meta.known or (computes and readers[node.token] > 1):
            break
        node = x
    return replace(each, node=node)


def _refined(domain: Chunks, inputs: tuple[BlockInput, ...]) -> Chunks:
    """Cut the blocks wherever a block of an input ends."""
    cuts = [
        view_chunks(each.view, each.node.meta.chunks)
        for each in inputs
        if each.view is not None and not is_free_to_read(each.node)
    ]
    return tuple(refine_sizes(*sizes) for sizes in zip(domain, *cuts, strict=True))


def _has_too_many_pieces(size: int, fine: Chunks, domain: Chunks) -> bool:
    pieces = prod(map(len, fine))
    return pieces > _FEW_PIECES * prod(map(len, domain)) and size // pieces < _LARGE_PIECE


def _without_rechunk(node: Sink) -> Node:
    """An array in memory is filled by blocks of any grid."""
    x = node.x
    if not (hasattr(node.writer, "target") and _is_rechunk(x)):
        return node
    (source,) = x.children
    if isinstance(source, Blockwise) and source.is_program or not source.meta.known:
        return node  # each piece is computed in its place
    return node.rebuilt(source, node.writer, source.meta)
