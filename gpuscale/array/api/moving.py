"""Chunks as those of another library, on another device."""

from __future__ import annotations

from typing import Any

from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.backends.creation import resolve_backend
from gpuscale.base.errors import BackendError
from gpuscale.expr.moving import moved

__all__ = ["to_backend"]


def to_backend(x: Any, backend: Any) -> Array:
    """Move the chunks to another library: "numpy", "cupy", a module or an array of it.

    Raises
    ------
    BackendError
        If there is no such backend.
    """
    if backend is None:
        raise BackendError(
            "to_backend takes 'numpy', 'cupy', a module or an array, and got None; ask for "
            "'numpy' to move chunks to the host"
        )
    x = as_array(x)
    name = resolve_backend(
        None if isinstance(backend, str) else backend, backend if isinstance(backend, str) else None
    )
    return x if name == x.backend else Array(moved(x.expr, name))
