"""Arrays from delayed values, and blocks of arrays as delayed values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import isnan
from typing import Any

import numpy as np

from gpuscale.array.api.index_functions import shape_of
from gpuscale.array.collection import Array
from gpuscale.backends.creation import resolve_backend
from gpuscale.backends.seams import backend_name, on_device
from gpuscale.backends.transfer import to_device
from gpuscale.base.errors import BackendError, GpuscaleError
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Shape, Unknown
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.physical import Call
from gpuscale.graph.handle import Handle
from gpuscale.graph.lazy_values import handle_of

__all__ = ["from_delayed", "to_delayed"]


def from_delayed(
    value: Any,
    shape: Any,
    dtype: Any,
    *,
    like: Any = None,
    backend: str | None = None,
) -> Array:
    """Make an array of one block whose elements a delayed call returns.

    Join several with `concatenate`, `stack` or `block`.

    Parameters
    ----------
    value : Delayed or Future
    shape : tuple of int
        What the call will return; checked when it has. Sizes may be NaN where nobody knows them.
    dtype : dtype
    like, backend
        As for `full`. Where the call returns an array of a device, say so here; what it returns in
        the host's memory goes where it was promised.

    Raises
    ------
    TypeError
        ``value`` is not delayed, or a size is no integer.
    ValueError
        A size is negative.
    GpuscaleError
        When computed: the call returned another shape or dtype than it promised, or an array of a
        device that it did not promise.

    Examples
    --------
    >>> import gpuscale as gs, gpuscale.array as ga, numpy as np
    >>> parts = [ga.from_delayed(gs.delayed(np.full)(2, k), (2,), int) for k in range(3)]
    >>> ga.concatenate(parts).compute()
    array([0, 0, 1, 1, 2, 2])
    """
    handle = handle_of(value)
    if handle is None:
        raise TypeError(
            f"from_delayed takes a Delayed, not {type(value).__name__}; wrap it with "
            "gpuscale.delayed, or use asarray"
        )
    given = list(shape) if isinstance(shape, Iterable) else [shape]
    unknown = {axis for axis, size in enumerate(given) if isinstance(size, float) and isnan(size)}
    known = shape_of([0 if axis in unknown else n for axis, n in enumerate(given)])
    chunks = normalize_chunks(-1, known, max(np.dtype(dtype).itemsize, 1), 1)
    token = tokenize("from_delayed", handle.key)
    sizes = tuple([Unknown(token, k) if k in unknown else n for k, n in enumerate(known)])
    chunks = tuple([(sizes[k],) if k in unknown else each for k, each in enumerate(chunks)])
    meta = ArrayMeta(np.dtype(dtype), chunks, resolve_backend(like, backend, dtype))
    awaited = _Awaited(handle, sizes, meta.dtype, meta.backend)
    return Array(Call(awaited, (), (), (), meta))


@dataclass(frozen=True)
class _Awaited:
    """What a delayed call returned, if it is what was promised; layouts look for `handle`."""

    handle: Handle
    shape: Shape
    dtype: np.dtype[Any]
    backend: str

    @property
    def __name__(self) -> str:
        return "from_delayed"

    def __call__(self, value: Any) -> Any:
        array = value if hasattr(value, "shape") else np.asarray(value)
        if not self._fits(array.shape) or array.dtype != self.dtype:
            raise GpuscaleError(
                f"the delayed value {self.handle.key!r} was promised to be of shape {self.shape} "
                f"and dtype {self.dtype}, but has shape {array.shape} and dtype {array.dtype}; "
                "say what it is in from_delayed, or cast it in the function"
            )
        found = backend_name(array) if on_device(array) else self.backend
        if found != self.backend:
            raise BackendError(
                f"the delayed value {self.handle.key!r} is on {found}, and was promised to be on "
                f"{self.backend}; say from_delayed(value, shape, dtype, backend={found!r})"
            )
        return to_device(array, self.backend)

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == len(self.shape) and all(
            isinstance(said, Unknown) or n == said
            for n, said in zip(shape, self.shape, strict=True)
        )


def to_delayed(x: Array) -> Any:
    """Return the blocks of an array as delayed values.

    Returns
    -------
    numpy.ndarray of object
        One `Delayed` for each block, in the shape of the grid of blocks.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> blocks = ga.arange(6, chunks=2).to_delayed()
    >>> blocks.shape, blocks[1].compute()
    ((3,), array([2, 3]))
    """
    from gpuscale.lazy import delayed  # which few programs need

    grid = np.empty(x.numblocks, dtype=object)
    blocks = x.blocks
    for index in product(*map(range, x.numblocks)):
        grid[index] = delayed(blocks[index] if index else x)
    return grid
