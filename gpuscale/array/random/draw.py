"""Random arrays as functions of (key, element index): the same numbers for every chunking."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.creation import index_function, linear_index, shape_of
from gpuscale.array.collection import Array
from gpuscale.backends.creation import resolve_backend
from gpuscale.codegen.program import ProgramBuilder

__all__ = ["draw"]


def draw(
    op: str,
    key: tuple[int, int],
    shape: Any,
    chunks: Any,
    like: Any = None,
    backend: str | None = None,
    extra: tuple[Any, ...] = (),
) -> Array:
    """Return an array of one fused draw, a row ``philox_*`` of `codegen.ops.OPS`.

    Parameters
    ----------
    op : str
    key : tuple of int
        Two halves of 32 bits.
    shape : int or tuple of int
    chunks, like, backend
        As for creation.
    extra : tuple of NumPy scalars
        Further parameters of the draw, after key and index.
    """
    builder = ProgramBuilder()
    params = (np.uint32(key[0]), np.uint32(key[1]), *extra)
    values = [builder.param(k, np.asarray(p).dtype) for k, p in enumerate(params)]
    value = builder.apply(op, values[0], values[1], builder.index(0), *values[2:])
    lengths = shape_of(shape)
    return index_function(
        builder,
        value,
        (linear_index(lengths),),
        params,
        lengths,
        chunks,
        op.removeprefix("philox_"),
        resolve_backend(like, backend),
    )
