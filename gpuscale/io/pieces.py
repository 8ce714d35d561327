"""The two contracts of this floor: read a piece of an array, write a piece of one."""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

__all__ = ["Cells", "Cost", "PieceReader", "PieceWriter", "Region"]

Region: TypeAlias = tuple[slice, ...]
"""One slice for each axis; stops may lie beyond the end, steps are positive."""

Cells: TypeAlias = tuple[tuple[int, ...], ...]
"""Sizes of stored chunks, or of blocks, along each axis; all of them are known."""

Cost: TypeAlias = Literal["view", "copy", "decode"]
"""What reading a piece again costs: nothing, a copy of its bytes, or decoding it."""


@runtime_checkable
class PieceReader(Protocol):
    """An array that exists somewhere and can be read in pieces, by many threads at once.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    chunks : Cells or None
        Pieces in which the data is stored; None where any piece is as good as another.
    token : str
        Deterministic identity of the data.
    cost : {"view", "copy", "decode"}
        What reading the same piece twice costs.
    backend : str
        Name of the backend whose arrays `read` returns.
    may_change : bool
        Whether the data may become other data under the same token.
    is_memory : bool
        Whether the data lies in memory of this process, where others do not see it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: Cells | None
    token: str
    cost: Cost
    backend: str = "numpy"
    may_change: bool = False
    is_memory: bool = False

    def read(self, region: Region) -> Any:
        """Return one piece, possibly as a read-only view of the stored data."""
        ...

    def shows(self, target: Any) -> bool:
        """Whether pieces read later may show what somebody assigns to an array."""
        return False

    def __gpuscale_tokenize__(self) -> str:
        return self.token


@runtime_checkable
class PieceWriter(Protocol):
    """A place where an array can be written in pieces, by many threads at once.

    A target comes to be in `commit` only: until then, and after `abort`, nothing is there that
    looks complete. Pieces that are unions of cells of `safe_grid` never touch one stored chunk
    from two sides.

    Attributes
    ----------
    token : str
        Identity of this one act of writing: no two writers share it.
    is_local : bool
        Whether only this process can write there, as into its memory; where tasks run in others,
        their results come here to be written.
    """

    token: str
    is_local: bool = False

    def open(self, shape: tuple[int, ...], dtype: np.dtype[Any], chunks: Cells) -> None:
        """Check the target and make room for an array that will come in these blocks.

        Where this raises, nothing is left behind.
        """
        ...

    def safe_grid(self) -> Cells | None:
        """Return the cells that one task must write whole; None where any piece is safe."""
        ...

    def write(self, region: Region, chunk: Any) -> None:
        """Store one piece."""
        ...

    def commit(self) -> None:
        """Make the finished array appear."""
        ...

    def abort(self) -> None:
        """Remove what was written since `open`; after `commit`, do nothing."""
        ...

    def __gpuscale_tokenize__(self) -> str:
        return self.token
