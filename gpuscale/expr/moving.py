"""Bring the blocks of a node to another backend."""

from __future__ import annotations

from gpuscale.backends.transfer import to_device
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["moved"]


def moved(node: Node, backend: str) -> Node:
    """Return the node with its chunks on a backend; itself where they are there."""
    meta: ArrayMeta = node.meta.with_(backend=backend)
    if node.meta.backend == backend:
        return node
    kernel = FunctionKernel(to_device, (backend,), label=f"to_{backend}")
    if isinstance(node, Blockwise) and getattr(node.kernel, "function", None) is to_device:
        return moved(node.inputs[0].node, backend)  # there and back again
    inputs = (BlockInput(node, axes=tuple(range(meta.ndim))),)
    return Blockwise(kernel, inputs, meta.chunks, meta)
