"""ORC files as pieces: some stripes of one each, and only the columns that are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.base.tokens import tokenize
from gpuscale.io.arrow_frames import DtypeBackend, conform
from gpuscale.io.device_frames import agrees
from gpuscale.io.files import Files
from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate, Pushdown
from gpuscale.io.labels import check_labels
from gpuscale.io.parquet_footers import check_alike
from gpuscale.io.parquet_schema import flat_frame
from gpuscale.io.pieces import Cost

__all__ = ["OrcPieces"]


class OrcPieces(FramePieces):
    """Reads ORC files.

    Parameters
    ----------
    files : Files
    columns : sequence of str, optional
    split_stripes : int or False
        So many stripes are a piece; False for whole files.
    dtype_backend : {"numpy_nullable", "pyarrow"}, optional

    Raises
    ------
    ValueError
        If a file is no ORC file, or another one has other columns.
    KeyError
        If a column does not exist.
    """

    files: Files
    takes: frozenset[Pushdown] = frozenset({"columns"})
    is_columnar = True
    cost: Cost = "decode"

    def __init__(
        self,
        files: Files,
        columns: Sequence[str] | None = None,
        split_stripes: int = 1,
        dtype_backend: DtypeBackend = None,
    ) -> None:
        self.files, self._backend = files, dtype_backend
        schemas, pieces = [], []
        for number in range(len(files)):
            with files.open(number) as file:
                opened = self._opened(file, number)
                schemas.append(opened.schema)
                count, rows = opened.nstripes, opened.nrows
            step = split_stripes or max(count, 1)
            for at in range(0, count, step):
                stripes = tuple(range(at, min(at + step, count)))
                whole = len(stripes) == count
                nbytes = 4 * files.size(number) * len(stripes) // count
                pieces.append(FramePiece((number, stripes), rows if whole else None, nbytes))
        check_labels(columns or (), schemas[0].names, files.name(0))
        self._arrow = check_alike(files.name, schemas, columns)
        if columns is not None:
            self._arrow = self._arrow.empty_table().select(list(columns)).schema
        self.schema = flat_frame(self._arrow.empty_table(), dtype_backend)
        self.pieces = tuple(pieces) or (FramePiece((0, ()), 0, 0),)
        if files.on_disk and not dtype_backend:
            self.takes |= {"device"}
        self.token = tokenize("orc", files.token, self._arrow.names, self.pieces, dtype_backend)

    def _opened(self, file: Any, number: int) -> Any:
        import pyarrow as pa
        from pyarrow import orc

        try:
            return orc.ORCFile(file)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(
                f"{self.files.name(number)} is no ORC file, or is truncated: {error}"
            ) from error

    def read_by(
        self, library: Any, piece: FramePiece, columns: Columns, predicate: Predicate
    ) -> Any:
        """Return some stripes read by the library of a device, or None."""
        number, stripes = piece.source
        names = list(self._arrow.names if columns is None else columns)
        if not names or not stripes:
            return None
        self.files.check(number)
        path = self.files.paths[number]
        frame = library.read_orc([path], columns=names, stripes=[list(stripes)])
        if not agrees(frame, self.schema[names]):
            return None
        return frame.reset_index(drop=True)

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return the rows of some stripes, numbered from 0.

        Raises
        ------
        ValueError
            If integers or booleans have nulls, which only some dtypes can be.
        """
        import pandas as pd
        import pyarrow as pa

        number, stripes = piece.source
        names = list(self._arrow.names if columns is None else columns)
        if not stripes:
            return self.schema[names]
        self.files.check(number)
        with self.files.open(number) as file:
            opened = self._opened(file, number)
            if not names:
                rows = sum(opened.read_stripe(k, self._arrow.names[:1]).num_rows for k in stripes)
                return pd.DataFrame(index=pd.RangeIndex(rows), columns=self.schema.columns[:0])
            batches = [opened.read_stripe(stripe, names) for stripe in stripes]
        table = pa.Table.from_batches(batches).select(names)
        schema = pa.schema([self._arrow.field(name) for name in names])
        table = table.replace_schema_metadata(None).cast(schema)
        frame = flat_frame(table, self._backend)
        for name in names:
            dtype = self.schema[name].dtype
            has_nulls = table.column(name).null_count
            if has_nulls and isinstance(dtype, np.dtype) and dtype.kind in "iub":
                raise ValueError(
                    f"{self.files.name(number)}: column {name!r} has nulls, and is {dtype} without "
                    "them; pass dtype_backend='numpy_nullable' or 'pyarrow'"
                )
        return conform(frame, dict(self.schema.dtypes))
