"""Elements and mask as one array of records, which is what engines compute and keep.

Records lie in the host's memory: devices have no such dtype.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.backends.seams import to_host
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.moving import moved
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["pack", "unpack"]


def pack(data: Node, mask: Node) -> Node:
    """Return records with the fields "data" and "mask" of two nodes that are cut alike."""
    axes = tuple(range(data.meta.ndim))
    inputs = (BlockInput(data, axes=axes), BlockInput(mask, axes=axes))
    dtype = np.dtype([("data", data.meta.dtype), ("mask", bool)])
    meta = data.meta.with_(dtype=dtype, backend="numpy")
    return Blockwise(FunctionKernel(_pack, label="masked"), inputs, meta.chunks, meta)


def _pack(data: Any, mask: Any) -> Any:
    both = np.empty(data.shape, [("data", data.dtype), ("mask", bool)])
    both["data"], both["mask"] = to_host((data, mask))
    return both


def unpack(node: Node, name: str, dtype: Any, backend: str) -> Array:
    """Return one field of records, on a backend."""
    meta = node.meta.with_(dtype=np.dtype(dtype))
    inputs = (BlockInput(node, axes=tuple(range(meta.ndim))),)
    kernel = FunctionKernel(_unpack, (name,), label=name)
    return Array(moved(Blockwise(kernel, inputs, meta.chunks, meta), backend))


def _unpack(both: Any, name: str) -> Any:
    return both[name]
