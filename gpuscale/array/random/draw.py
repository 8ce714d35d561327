"""Random arrays as functions of (key, element index): the same numbers for every chunking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from math import prod
from typing import Any

import numpy as np

from gpuscale.array.api.index_functions import (
    index_function,
    linear_index,
    new_chunks,
    place_of,
    shape_of,
)
from gpuscale.array.api.manipulation import broadcast_to
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array
from gpuscale.backends.creation import is_on_device, namespace, resolve_backend
from gpuscale.backends.seams import to_host
from gpuscale.base.types import Chunks
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.kernels.philox.distributions import sampling

__all__ = ["Place", "base_draw", "sampled", "size_of"]

Key = tuple[int, int]
COMPILE_FROM = 100_000  # elements of a block; below, compiling a rejection loop does not pay


@dataclass(frozen=True)
class Place:
    """Where random numbers go: shape, chunks and backend of the array.

    Attributes
    ----------
    shape : tuple of int
    chunks : int, str, tuple or dict
    backend : str
    """

    shape: tuple[int, ...]
    chunks: Any
    backend: str

    @classmethod
    def of(
        cls, size: Any, chunks: Any, like: Any, backend: str | None, params: Sequence[Any] = ()
    ) -> Place:
        """Check what a user said; shape and backend are those of the parameters by default."""
        name = resolve_backend(place_of(like, backend, None, *params), backend)
        return cls(size_of(size, params), chunks, name)


def size_of(size: Any, params: Sequence[Any] = ()) -> tuple[int, ...]:
    """Shape of the result.

    Raises
    ------
    ValueError
        If the parameters do not broadcast to the size.
    """
    shapes = [p.shape if isinstance(p, Array) else np.shape(p) for p in params]
    natural = np.broadcast_shapes(*shapes)
    if size is None:
        return natural
    shape = shape_of(size)
    if np.broadcast_shapes(natural, shape) != shape:
        raise ValueError(
            f"Output size {shape} is not compatible with broadcast dimensions of inputs {natural}."
        )
    return shape


def base_draw(op: str, key: Key, place: Place) -> Array:
    """Return an array of one fused draw, a row ``philox_*`` of `codegen.ops.OPS`."""
    builder = ProgramBuilder()
    halves = (builder.param(0, np.dtype(np.uint32)), builder.param(1, np.dtype(np.uint32)))
    value = builder.apply(op, *halves, builder.index(0))
    return index_function(
        builder,
        value,
        (linear_index(place.shape),),
        (np.uint32(key[0]), np.uint32(key[1])),
        place.shape,
        place.chunks,
        op.removeprefix("philox_"),
        place.backend,
    )


def sampled(
    name: str,
    key: Key,
    place: Place,
    params: Sequence[Any],
    dtype: Any = None,
    vector: int | None = None,
) -> Array:
    """Return an array whose blocks a distribution of `kernels.philox` fills.

    Parameters
    ----------
    name : str
        A distribution of `kernels.philox.distributions.sampling`.
    key : tuple of int
    place : Place
    params : sequence
        Legal parameters. Scalars, or arrays that broadcast to the shape; for distributions of
        vectors, arrays that belong to the distribution as a whole.
    dtype : dtype, optional
    vector : int, optional
        Length of the last axis that a distribution of vectors adds.
    """
    target = np.dtype(sampling.result_dtype(name) if dtype is None else dtype)
    whole = name in sampling.WHOLES
    chunks = new_chunks(place.chunks, place.shape, target, place.backend)
    aligned = [] if whole else [p for p in params if _has_axes(p)]
    inputs = tuple(_aligned(p, place.shape, chunks) for p in aligned)
    slots = tuple(None if not whole and _has_axes(p) else np.asarray(p) for p in params)
    out = chunks if vector is None else (*chunks, (vector,))
    draw = _Sample(name, key, place.shape, slots, target)
    room = 0 if is_on_device(place.backend) else _bytes_to_draw(out, chunks)
    kernel = FunctionKernel(draw, wants_block=True, label=name, room=room)
    return Array(Blockwise(kernel, inputs, out, ArrayMeta(target, out, place.backend)))


def _bytes_to_draw(out: Chunks, chunks: Chunks) -> int:
    """Bytes of the host that drawing the largest block takes: positions, and a tile of values."""
    values, positions = (prod(map(partial(max, default=0), each)) for each in (out, chunks))
    return 8 * positions + sampling.bytes_beside(values)


def _has_axes(value: Any) -> bool:
    return isinstance(value, Array) or np.ndim(value) > 0


def _aligned(param: Any, shape: tuple[int, ...], chunks: Chunks) -> BlockInput:
    node = rechunk(broadcast_to(as_array(param), shape, chunks).expr, chunks)
    return BlockInput(node, axes=tuple(range(len(shape))))


@dataclass(frozen=True)
class _Sample:
    """Fill one block: the values depend on the positions of its elements in the whole array."""

    name: str
    key: Key
    shape: tuple[int, ...]
    params: tuple[Any, ...]
    dtype: np.dtype[Any]

    def __call__(self, block: Block, *chunks: Any) -> Any:
        ndim = len(self.shape)
        start, shape = block.start[:ndim], block.shape[:ndim]
        lines = [
            np.arange(first, first + n, dtype=np.uint64)
            for first, n in zip(start, shape, strict=True)
        ]
        for line, coef in zip(lines, linear_index(self.shape).coefs, strict=True):
            line *= np.uint64(coef)
        index: Any = reduce(np.add.outer, lines) if lines else np.zeros((), np.uint64)
        rest = iter(chunks)
        params = [to_host(next(rest)) if p is None else p for p in self.params]
        values = sampling.sample(
            self.name, self.key, index, params, self.dtype, compiled=index.size >= COMPILE_FROM
        )
        return namespace(block.backend).asarray(values)
