"""Indexing: what stands between the brackets."""

from __future__ import annotations

from typing import Any

from gpuscale.array.collection import Array
from gpuscale.array.construct import view
from gpuscale.base.errors import NotSupportedError
from gpuscale.chunks.slicing import is_basic_index, slice_view

__all__: list[str] = []


def getitem(x: Array, index: Any) -> Array:
    """Return ``x[index]``."""
    if is_basic_index(index):
        affine = slice_view(index, x.shape)
        return Array(view(x.expr, affine))
    raise NotSupportedError(f"indexing with {type(index).__name__}")
