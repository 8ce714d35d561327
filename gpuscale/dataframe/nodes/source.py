"""Where rows come from: frames in memory, and pieces of datasets."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from gpuscale.base.tokens import tokenize
from gpuscale.dataframe.algorithms.columns import selected
from gpuscale.expr.frames import FrameMeta, row_bytes, unknown_rows
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.io.frame_readers import Values, part_of
from gpuscale.io.frames import Columns, FramePieces, Predicate

__all__ = ["FromFrame", "PartitionValues", "ReadPieces"]

Ends: TypeAlias = list[tuple[int, Any, Any]]
"""Rows, and the first and the last label, of each partition; labels are None where no rows are."""

_SAMPLE = 1000  # rows that are measured for all
_PLACES = 8  # where they lie


class FromFrame(Node):
    """A frame, a series or an index of pandas, cut before some rows.

    Parameters
    ----------
    data : object of pandas
        Held as a copy on write, so what its owner does to it later is not seen.
    starts : tuple of int
        First row of each partition.
    columns : tuple or None
        Those that anybody wants of a frame.
    divisions : tuple or None
    """

    data: Any
    starts: tuple[int, ...]
    columns: Columns
    divisions: tuple[Any, ...] | None

    @property
    def name(self) -> str:
        return "from_pandas"

    def _infer(self) -> FrameMeta:
        data = self.data if self.columns is None else selected(self.data, self.columns)
        ends = (*self.starts[1:], len(data))
        rows = tuple(end - start for start, end in zip(self.starts, ends, strict=True))
        return FrameMeta(
            data[:0],
            rows,
            tokenize("from_pandas", self.data, self.starts),
            self.divisions,
            row_bytes=_measured(data),
        )

    @property
    def ends(self) -> Ends | None:
        """Rows, and the first and the last label, of each partition of a sorted index."""
        if self.divisions is None:
            return None
        index = getattr(self.data, "index", self.data)
        spans = zip(self.starts, (*self.starts[1:], len(index)), strict=True)
        return [
            (stop - start, index[start], index[stop - 1]) if start < stop else (0, None, None)
            for start, stop in spans
        ]


def _measured(data: Any) -> int:
    """Bytes of a row, with what objects and texts take, by a sample.

    Its rows lie side by side in a few places: to take single texts Arrow copies all that there are.
    """
    rows, each = len(data), _SAMPLE // _PLACES
    some = (
        [data]
        if rows <= _SAMPLE
        else [_rows(data, k * rows // _PLACES, each) for k in range(_PLACES)]
    )
    used = sum(int(np.sum(each.memory_usage(deep=True))) for each in some)
    return max(1, used // max(1, sum(map(len, some))))


def _rows(data: Any, start: int, count: int) -> Any:
    return (data.iloc if hasattr(data, "iloc") else data)[start : start + count]


class ReadPieces(Node):
    """Pieces of a dataset, a partition each; columns and rows that nobody wants are not read."""

    pieces: FramePieces
    columns: Columns
    predicate: Predicate

    @property
    def name(self) -> str:
        return "read"

    @property
    def note(self) -> str:
        """What is read, of how much."""
        return part_of(self.pieces, self.columns, self.predicate)

    @property
    def ends(self) -> Ends | None:
        """Rows, and the least and the greatest label, of each partition that follows another."""
        ends, index = self.pieces.ends, self.pieces.schema.index
        known = [each.rows for each in self.pieces.pieces]
        if ends is None or self.predicate or None in known:
            return None
        labels = [pd.Index(pair).astype(index.dtype) for pair in ends]
        return [(n or 0, *pair) for n, pair in zip(known, labels, strict=True)]

    def _infer(self) -> FrameMeta:
        pieces = self.pieces
        frame = pieces.schema if self.columns is None else selected(pieces.schema, self.columns)
        layout = tokenize("pieces", pieces.token, self.predicate)
        whole = pieces.row_bytes(None) or row_bytes(pieces.schema)
        known = [each.rows for each in pieces.pieces]
        projected = [
            n if n is not None else each.nbytes // whole
            for n, each in zip(known, pieces.pieces, strict=True)
        ]
        rows: Any = unknown_rows(layout, len(known))
        if not self.predicate:
            rows = [size if n is None else n for n, size in zip(known, rows, strict=True)]
        return FrameMeta(
            frame,
            tuple(rows),
            layout,
            pieces.divisions,
            tuple(projected),
            pieces.row_bytes(self.columns) or row_bytes(frame),
            full=self._full(frame),
        )

    def _full(self, frame: Any) -> tuple[bool, ...] | None:
        """Return which columns have no nulls in any piece; numbers may be NaN without being one."""
        if not isinstance(frame, pd.DataFrame) or not frame.columns.is_unique:
            return None
        dtypes = list(frame.dtypes.items())
        none = (None, None, None)
        found = [
            isinstance(dtype, pd.StringDtype | pd.DatetimeTZDtype | pd.CategoricalDtype)
            or getattr(dtype, "kind", "O") in "iubmM"
            for _, dtype in dtypes
        ]
        for each in self.pieces.pieces:
            if not any(found):
                return None
            for k, (label, dtype) in enumerate(dtypes):
                if found[k] and not (isinstance(dtype, np.dtype) and dtype.kind in "iub"):
                    found[k] = each.statistics.get(label, none)[2] == 0
        return tuple(found)


class PartitionValues(Node):
    """One value for each partition, beside the partitions of frames."""

    values: tuple[Any, ...]

    @property
    def name(self) -> str:
        return "values"

    def _infer(self) -> ArrayMeta:
        return ArrayMeta(Values.dtype, ((1,) * len(self.values),))
