"""Chunks as those of another library, on another device."""

from __future__ import annotations

from typing import Any

from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.backends.creation import resolve_backend
from gpuscale.backends.transfer import to_device
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["to_backend"]


def to_backend(x: Any, backend: Any = None) -> Array:
    """Move the chunks to another library: "numpy", "cupy", a module or an array of it.

    Raises
    ------
    BackendError
        If there is no such backend.
    """
    x = as_array(x)
    name = resolve_backend(
        None if isinstance(backend, str) else backend, backend if isinstance(backend, str) else None
    )
    if name == x.backend:
        return x
    node = x.expr
    kernel = FunctionKernel(to_device, (name,), label=f"to_{name}")
    meta: ArrayMeta = node.meta.with_(backend=name)
    inputs = (BlockInput(node, axes=tuple(range(x.ndim))),)
    return Array(Blockwise(kernel, inputs, meta.chunks, meta))
