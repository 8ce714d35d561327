"""Where rows come from: frames in memory, and pieces of datasets."""

from __future__ import annotations

from typing import Any

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


_SAMPLE = 1000  # rows that are measured for all


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


def _measured(data: Any) -> int:
    """Bytes of a row, with what objects and texts take, by a sample."""
    step = max(1, len(data) // _SAMPLE)
    some = data[::step] if not hasattr(data, "iloc") else data.iloc[::step]
    used = some.memory_usage(deep=True)
    return max(1, int(used if isinstance(used, int) else used.sum()) // max(1, len(some)))


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

    def _infer(self) -> FrameMeta:
        pieces = self.pieces
        frame = pieces.schema if self.columns is None else pieces.schema[list(self.columns)]
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
        dtypes = list(frame.dtypes.items()) if frame.columns.is_unique else []
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
