"""What is known of a frame, or of one value, before any partition of it exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from gpuscale.backends.creation import parcel
from gpuscale.base.tokens import tokenize
from gpuscale.base.types import Chunks, Size, Unknown, is_known
from gpuscale.expr.meta import GridMeta

__all__ = ["FrameMeta", "ScalarMeta", "row_bytes", "unknown_rows"]

_TEXT = 24  # projected bytes of an element that is text, or any other object
_VALUE = 64  # of a single value


def row_bytes(frame: Any) -> int:
    """Project the bytes of a row of a frame, a series or an index from their dtypes.

    Examples
    --------
    >>> import pandas as pd
    >>> row_bytes(pd.DataFrame({"x": [1.0], "name": ["a"]}))
    40
    """
    has_several = hasattr(frame, "columns") or hasattr(frame, "levels")
    dtypes = list(frame.dtypes) if has_several else [frame.dtype]
    total = sum(map(_element_bytes, dtypes))
    return max(1, total + (_index_bytes(frame.index) if hasattr(frame, "index") else 0))


def _index_bytes(index: Any) -> int:
    return 8 * index.nlevels if index.nlevels > 1 else _element_bytes(index.dtype)


def _element_bytes(dtype: Any) -> int:
    if isinstance(dtype, np.dtype):
        return _TEXT if dtype.kind == "O" else dtype.itemsize
    if hasattr(dtype, "categories"):
        return 4
    size = getattr(dtype, "itemsize", None)
    is_number = getattr(dtype, "kind", "O") in "iufbmM"
    return int(size) if is_number and size else _TEXT


def unknown_rows(layout: str, npartitions: int) -> tuple[Size, ...]:
    """Rows of partitions that data decide."""
    return tuple(Unknown(layout, k) for k in range(npartitions))


@dataclass(frozen=True, eq=False)
class FrameMeta(GridMeta):
    """Columns, dtypes, index, partitions and backend of a frame, a series or an index.

    Physical nodes see one axis, that of the rows, and a place of it that takes ``row_bytes``.

    Parameters
    ----------
    frame : pandas.DataFrame, pandas.Series or pandas.Index
        Without rows; with the exact dtypes, and the index.
    rows : tuple of int or Unknown
        Rows of each partition.
    layout : str
        Two frames of one layout have the very same index in every partition.
    divisions : tuple or None
        Bounds of the index, one more than partitions, where it is sorted: a label of a partition is
        not less than its bound, and less than the next; the last bound is a label.
    projected : tuple of int
        Rows of each partition as far as they can be foreseen, at most rather than at least; no part
        of the identity, as are bytes.
    row_bytes : int
    backend : str
    sample : object of pandas, optional
        Something with the labels of the result, where these are known beforehand, as those of the
        sums of columns; no part of the identity either.
    otherwise : tuple of dtype, optional
        The dtypes that columns have if there are nulls, or what else makes a dtype depend on all
        rows; None where all are sure.
    full : tuple of bool, optional
        Which columns have no nulls, as files say; no part of the identity.
    """

    frame: Any
    rows: tuple[Size, ...]
    layout: str
    divisions: tuple[Any, ...] | None = None
    projected: tuple[int, ...] = ()
    row_bytes: int = 0
    backend: str = "pandas"
    sample: Any = None
    otherwise: tuple[Any, ...] | None = None
    full: tuple[bool, ...] | None = None
    host: ClassVar[str] = "pandas"
    written: ClassVar[str] = "df.to_parquet(path)"

    def __post_init__(self) -> None:
        if not self.row_bytes:
            object.__setattr__(self, "row_bytes", row_bytes(self.frame))
        if is_known(self.rows) or not self.projected:
            known = tuple(0 if isinstance(n, Unknown) else n for n in self.rows)
            object.__setattr__(self, "projected", known)

    @cached_property
    def token(self) -> str:
        """Identity of what is promised."""
        undecided = () if self.otherwise is None else (self.otherwise,)
        said = self.frame, self.rows, self.layout, self.divisions, self.backend
        return tokenize(*said, *undecided)

    def __gpuscale_tokenize__(self) -> str:
        return self.token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameMeta) and self.token == other.token

    def __hash__(self) -> int:
        return hash(self.token)

    @property
    def npartitions(self) -> int:
        """Number of partitions."""
        return len(self.rows)

    @property
    def chunks(self) -> Chunks:  # type: ignore[override]
        """Rows of the partitions."""
        return (self.rows,)

    @cached_property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """What stands for a row, by its bytes alone."""
        return parcel(self.row_bytes)

    @property
    def kind(self) -> str:
        """Class and columns, for people."""
        name = type(self.frame).__name__
        if not hasattr(self.frame, "columns"):
            return f"{name} {self.frame.dtype}"
        names = ", ".join(map(str, self.frame.columns[:6]))
        return f"{name}[{names}{', ...' * (self.frame.shape[1] > 6)}]"

    @property
    def nbytes(self) -> int:
        """Projected bytes of all rows."""
        return sum(self.projected) * self.row_bytes

    projected_nbytes = nbytes

    @property
    def largest_nbytes(self) -> int:
        """Projected bytes of the largest partition."""
        return max(self.projected, default=0) * self.row_bytes

    def region(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """Number of a partition."""
        return index

    def block_nbytes(self, index: tuple[int, ...]) -> int:
        """Projected bytes of one partition."""
        return self.projected[index[0]] * self.row_bytes

    def block_sizes(self, indices: Sequence[tuple[int, ...]]) -> list[int]:
        """Projected rows of some partitions."""
        return [self.projected[number] for (number,) in indices]

    def with_(self, **changes: Any) -> FrameMeta:
        """Return a copy with some fields changed; ``chunks`` are rows."""
        if "chunks" in changes:
            (changes["rows"],) = changes.pop("chunks")
            changes["projected"] = ()
        return replace(self, **changes)

    def of(self, frame: Any, **changes: Any) -> FrameMeta:
        """Return what is known of other columns of the same rows."""
        own = {"row_bytes": 0, "sample": None, "otherwise": None, "full": None}
        changes = {**own, **changes}
        return replace(self, frame=frame, **changes)


@dataclass(frozen=True, eq=False)
class ScalarMeta(GridMeta):
    """What is known of a single value: one of its kind.

    Parameters
    ----------
    value : object
        A value of the type that the result will have, as far as anybody can know.
    """

    value: Any
    backend: str = "pandas"
    host: ClassVar[str] = "pandas"

    @property
    def chunks(self) -> Chunks:  # type: ignore[override]
        """No axes."""
        return ()

    @property
    def dtype(self) -> np.dtype[Any]:  # type: ignore[override]
        """What stands for a value, by its bytes alone."""
        return parcel(_VALUE)

    @cached_property
    def token(self) -> str:
        """Identity of what is promised."""
        return tokenize(type(self.value), self.backend)

    def __gpuscale_tokenize__(self) -> str:
        return self.token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScalarMeta) and self.token == other.token

    def __hash__(self) -> int:
        return hash(self.token)

    @property
    def kind(self) -> str:
        """Type of the value, for people."""
        return type(self.value).__name__

    @property
    def nbytes(self) -> int:
        """Projected bytes."""
        return _VALUE

    projected_nbytes = largest_nbytes = nbytes

    def region(self, index: tuple[int, ...]) -> tuple[int, ...]:
        """Return the one place that there is."""
        return index

    def block_nbytes(self, index: tuple[int, ...]) -> int:
        """Projected bytes."""
        return _VALUE

    def block_sizes(self, indices: Sequence[tuple[int, ...]]) -> list[int]:
        """Return how many values there are in some blocks, which is one."""
        return [1] * len(indices)

    def with_(self, **changes: Any) -> ScalarMeta:
        """Return a copy with some fields changed."""
        changes.pop("chunks", None)
        return replace(self, **changes)
