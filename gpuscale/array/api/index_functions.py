"""How index functions are made: arrays whose elements a program computes from their position."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.nodes.creation import IndexFunction
from gpuscale.backends.seams import on_device
from gpuscale.base.errors import BackendError
from gpuscale.base.types import Chunks
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.codegen.program import AffineIndex, ProgramBuilder
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.expr.meta import ArrayMeta

__all__ = [
    "axis_index",
    "backend_of",
    "computed",
    "index_function",
    "is_lazy",
    "lengths_of",
    "linear_index",
    "new_chunks",
    "place_of",
    "shape_of",
]


def lengths_of(shape: Any) -> tuple[Any, ...]:
    """Lengths of a shape that a user gave: an integer or several, also those of arrays.

    Examples
    --------
    >>> lengths_of(3), lengths_of(np.array([2, 3])), lengths_of((2, np.int64(-1)))
    ((3,), (2, 3), (2, np.int64(-1)))
    """
    shape = shape.tolist() if hasattr(shape, "tolist") else shape
    lengths = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    return tuple([each.item() if on_device(each) else each for each in lengths])


def shape_of(shape: Any) -> tuple[int, ...]:
    """Check a shape that a user gave.

    Raises
    ------
    ValueError
        If a length is negative, or there are more elements than 64 bits can number.
    TypeError
        If a length is not an integer.
    """
    lengths = tuple(map(operator.index, lengths_of(shape)))
    if any(n < 0 for n in lengths):
        raise ValueError(f"negative dimensions are not allowed: {lengths}")
    if math.prod(lengths) > np.iinfo(np.int64).max:
        raise ValueError(f"array is too big: elements of shape {lengths} cannot be numbered")
    return lengths


def new_chunks(chunks: Any, shape: tuple[int, ...], dtype: np.dtype[Any], backend: str) -> Chunks:
    """Chunks of a new array from what the user said."""
    itemsize = max(dtype.itemsize, 1)
    limit = chunk_bytes(backend, nbytes=math.prod(shape) * itemsize)
    return normalize_chunks(chunks, shape, itemsize, limit)


def linear_index(shape: tuple[int, ...]) -> AffineIndex:
    """Number of an element in C order, as an affine function of its position.

    Examples
    --------
    >>> linear_index((4, 5))
    AffineIndex(base=0, coefs=(5, 1))
    """
    return AffineIndex(0, tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape))))


def axis_index(axis: int, ndim: int) -> AffineIndex:
    """Position of an element along one axis."""
    return AffineIndex(0, tuple(int(k == axis) for k in range(ndim)))


def index_function(
    builder: ProgramBuilder,
    value: int,
    indices: tuple[AffineIndex, ...],
    params: tuple[Any, ...],
    shape: tuple[int, ...],
    chunks: Any,
    label: str,
    backend: str,
) -> Array:
    """Return an array whose elements a program computes from the index."""
    dtype = builder.instr(value).dtype
    meta = ArrayMeta(dtype, new_chunks(chunks, shape, dtype, backend), backend)
    return Array(IndexFunction(builder.build(value), indices, params, label, meta))


def is_lazy(value: Any) -> bool:
    """Whether a value that a new array is made of shall not come to the host for that.

    Examples
    --------
    >>> is_lazy(3.5)
    False
    """
    return isinstance(value, Array) or on_device(value)


def computed(value: Any) -> Any:
    """A value that is needed now, computed where it is lazy."""
    return as_array(value).compute() if is_lazy(value) else value


def place_of(like: Any, backend: str | None, device: Any, *values: Any) -> Any:
    """What a new array is like: as said, else a lazy value that it is made of, on a device first.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> place_of(None, None, None, 1.0, ga.ones((), like="cupy")).backend
    'cupy'
    """
    if like is not None or backend is not None or device is not None:
        return like
    lazy = [as_array(value) for value in values if is_lazy(value)]
    return max(lazy, key=lambda x: x.backend != "numpy", default=None)


def backend_of(device: Any, backend: str | None = None) -> str | None:
    """Name of the backend that is said, or that a device of the Array API standard stands for.

    Raises
    ------
    BackendError
        Both are said, and disagree.

    Examples
    --------
    >>> backend_of("cpu"), backend_of(None, "cupy"), backend_of("cpu", "numpy")
    ('numpy', 'cupy', 'numpy')
    """
    place: str | None = "numpy" if device == "cpu" else device
    if backend is not None and place not in (None, backend):
        raise BackendError(f"backend= asks for {backend!r} but device= for {device!r}; pass one")
    return place if backend is None else backend
