"""What is known of a result before any chunk of it exists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, repeat
from operator import mul
from typing import Any, ClassVar

import numpy as np

from gpuscale.backends.creation import check_dtype
from gpuscale.base.types import Chunks, Shape, Unknown, is_known, same_dtype

__all__ = ["ArrayMeta", "GridMeta", "axis_size"]


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


class GridMeta:
    """What is known of any result that comes in a grid of blocks: arrays, frames, single values.

    Attributes
    ----------
    chunks : Chunks
        Sizes of the blocks along each axis.
    dtype : numpy.dtype
        Its ``itemsize`` is what one place of the grid takes.
    backend : str
        Name of the backend that the blocks belong to.
    host : str
        Name of the backend of the host to which such blocks go from a device.
    written : str
        How users write such a result to disk, for errors.
    """

    chunks: Chunks
    dtype: np.dtype[Any]
    backend: str
    host: ClassVar[str]
    written: ClassVar[str] = "x.to_zarr(path)"

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

    @property
    def one_array(self) -> bool:
        """Whether the whole is one array that exists before its blocks, which are written there."""
        return False

    @property
    def projected_nbytes(self) -> int:
        """Bytes of the whole as far as anybody knows them beforehand."""
        raise NotImplementedError

    @property
    def largest_nbytes(self) -> int:
        """Projected bytes of the largest block."""
        raise NotImplementedError

    @property
    def kind(self) -> str:
        """What the blocks are, for people: a dtype, or the columns of a frame."""
        raise NotImplementedError

    def region(self, index: tuple[int, ...]) -> tuple[Any, ...]:
        """Where a block is, in the words of who reads or writes it."""
        raise NotImplementedError


@dataclass(frozen=True)
class ArrayMeta(GridMeta):
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
    host: ClassVar[str] = "numpy"

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", same_dtype(self.dtype))
        if self.backend != "numpy":
            check_dtype(self.dtype, self.backend)

    @cached_property
    def size(self) -> int:
        """Number of elements; raises `UnknownSizeError` where it depends on data."""
        return math.prod(int(n) for n in self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole array."""
        return self.size * self.dtype.itemsize

    @property
    def one_array(self) -> bool:
        """Whether every size is known: then there is room for all blocks before they are there."""
        return self.known

    @property
    def projected_nbytes(self) -> int:
        """Bytes of the whole array, none where data decide them."""
        return self.nbytes if self.known else 0

    @property
    def largest_nbytes(self) -> int:
        """Bytes of a block that is the largest along each axis, as far as sizes are known."""
        known = ((n for n in set(sizes) if isinstance(n, int)) for sizes in self.chunks)
        return self.dtype.itemsize * math.prod(max(sizes, default=1) for sizes in known)

    @property
    def kind(self) -> str:
        """Dtype, for people; none of partial results."""
        return "" if self.dtype.names else str(self.dtype)

    def region(self, index: tuple[int, ...]) -> tuple[slice, ...]:
        """Slices of the whole array that one block covers."""
        return self.block_slices(index)

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
