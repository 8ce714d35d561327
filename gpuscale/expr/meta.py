"""What is known of a result before any chunk of it exists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, repeat
from operator import mul
from typing import Any

import numpy as np

from gpuscale.backends.creation import check_dtype
from gpuscale.base.types import Chunks, Shape, Unknown, is_known, same_dtype

__all__ = ["ArrayMeta", "axis_size"]


def axis_size(sizes: tuple[Any, ...]) -> Any:
    """Length of an axis from the sizes of its blocks.

    Examples
    --------
    >>> axis_size((3, 3, 1))
    7
    """
    if is_known(sizes):
        return sum(sizes)
    if len(sizes) == 1:
        return sizes[0]
    first = next(size for size in sizes if isinstance(size, Unknown))
    return Unknown(first.token, -1)


@dataclass(frozen=True)
class ArrayMeta:
    """Shape, dtype, chunks and backend of a chunked array; lives on the host.

    Parameters
    ----------
    dtype : numpy.dtype
    chunks : Chunks
        Sizes of the blocks along each axis, in elements.
    backend : str
        Name of the backend whose arrays the chunks are ("numpy", "cupy", ...).

    Raises
    ------
    NotSupportedError
        If the backend is a device, which has no arrays of such a dtype.
    """

    dtype: np.dtype[Any]
    chunks: Chunks
    backend: str = "numpy"

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", same_dtype(self.dtype))
        if self.backend != "numpy":
            check_dtype(self.dtype, self.backend)

    @cached_property
    def shape(self) -> Shape:
        """Length of each axis."""
        return tuple(axis_size(sizes) for sizes in self.chunks)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.chunks)

    @cached_property
    def known(self) -> bool:
        """Whether every size is an integer."""
        return is_known(self.chunks)

    @cached_property
    def size(self) -> int:
        """Number of elements; raises `UnknownSizeError` where it depends on data."""
        return math.prod(int(n) for n in self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array."""
        return self.size * self.dtype.itemsize

    @cached_property
    def numblocks(self) -> tuple[int, ...]:
        """Number of blocks along each axis."""
        return tuple(map(len, self.chunks))

    @cached_property
    def offsets(self) -> tuple[tuple[int, ...], ...]:
        """First position of each block along each axis; 0 where data decides the sizes."""
        return tuple(
            tuple(accumulate(sizes, initial=0))[:-1] if is_known(sizes) else (0,) * len(sizes)
            for sizes in self.chunks
        )

    def block_shape(self, index: tuple[int, ...]) -> Shape:
        """Shape of one block."""
        return tuple(sizes[i] for sizes, i in zip(self.chunks, index, strict=True))

    def block_start(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """Global position of the first element of one block."""
        return tuple(starts[i] for starts, i in zip(self.offsets, index, strict=True))

    def block_slices(self, index: tuple[int, ...]) -> tuple[slice, ...]:
        """Slices of the whole array that one block covers."""
        return tuple(
            slice(starts[i], starts[i] + sizes[i])
            for starts, sizes, i in zip(self.offsets, self.chunks, index, strict=True)
        )

    def block_nbytes(self, index: tuple[int, ...]) -> int | None:
        """Bytes of one block, None where they depend on data."""
        total = self.dtype.itemsize
        for sizes, i in zip(self.chunks, index, strict=True):
            size = sizes[i]
            if isinstance(size, Unknown):
                return None
            total *= size
        return total

    def block_sizes(self, indices: Sequence[tuple[int, ...]]) -> list[int] | None:
        """Elements of many blocks, None where some depend on data.

        Examples
        --------
        >>> ArrayMeta(np.dtype("f8"), ((2, 1), (5,))).block_sizes([(0, 0), (1, 0)])
        [10, 5]
        """
        if not self.known:
            return None
        uniform, counts = 1, None
        for sizes, numbers in zip(self.chunks, zip(*indices, strict=True), strict=False):
            if len(set(sizes)) == 1:
                uniform *= sizes[0]
            else:
                along = map(sizes.__getitem__, numbers)
                counts = along if counts is None else map(mul, counts, along)
        if counts is None:
            return [uniform] * len(indices)
        return list(map(mul, counts, repeat(uniform)))  # type: ignore[arg-type]

    def with_(self, **changes: Any) -> ArrayMeta:
        """Return a copy with some fields changed."""
        return replace(self, **changes)
