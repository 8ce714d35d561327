"""Elements and mask as one array of records, which is what engines compute and keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["pack", "unpack"]


def pack(data: Node, mask: Node) -> Node:
    """Return records with the fields "data" and "mask" of two nodes that are cut alike."""
    axes = tuple(range(data.meta.ndim))
    inputs = (BlockInput(data, axes=axes), BlockInput(mask, axes=axes))
    meta = data.meta.with_(dtype=np.dtype([("data", data.meta.dtype), ("mask", bool)]))
    return Blockwise(FunctionKernel(_pack, label="masked"), inputs, meta.chunks, meta)


def _pack(data: Any, mask: Any) -> Any:
    both = np.empty(data.shape, [("data", data.dtype), ("mask", bool)])
    both["data"], both["mask"] = data, mask
    return both


def unpack(node: Node, name: str, dtype: Any) -> Array:
    """Return one field of records."""
    meta = node.meta.with_(dtype=np.dtype(dtype))
    inputs = (BlockInput(node, axes=tuple(range(meta.ndim))),)
    kernel = FunctionKernel(_unpack, (name,), label=name)
    return Array(Blockwise(kernel, inputs, meta.chunks, meta))


def _unpack(both: Any, name: str) -> Any:
    return both[name]
