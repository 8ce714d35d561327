"""Parquet files as pieces: columns, row groups and rows that nobody asks for are not read."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from copy import copy
from itertools import accumulate, chain, groupby, pairwise
from operator import attrgetter
from typing import Any

import numpy as np

from gpuscale.base.tokens import tokenize
from gpuscale.io.arrow_frames import DtypeBackend, conform, rows_of
from gpuscale.io.device_frames import agrees, chosen
from gpuscale.io.files import Files
from gpuscale.io.frames import Columns, Condition, FramePiece, FramePieces, Predicate, Pushdown
from gpuscale.io.hive import hive_columns
from gpuscale.io.parquet_cuts import Cut, cut
from gpuscale.io.parquet_footers import (
    RowGroup,
    check_alike,
    merged_statistics,
    read_footers,
    row_groups_of,
)
from gpuscale.io.parquet_layout import choose
from gpuscale.io.parquet_schema import comparable, flat_frame, flat_schema, labels_of
from gpuscale.io.pieces import Cost
from gpuscale.io.predicates import dates_that_match, may_match, rows_that_match

__all__ = ["ParquetPieces"]

_NOWHERE = np.zeros(0, int)  # the files of no rows


class ParquetPieces(FramePieces):
    """Reads Parquet files, some row groups at a time.

    Parameters
    ----------
    files : Files
    columns : sequence of labels, optional
        Those that the frame has; all of them by default.
    index : label, sequence of labels, False or None
        Columns that are the index; what pandas has noted in the files by default. False makes
        columns of those.
    split_row_groups : bool or int, optional
        True for a piece of each row group, False of each file, a number for that many row groups;
        by default pieces are filled up to ``blocksize``.
    blocksize : int
        Projected bytes of a piece in memory.
    parts : int
        How many pieces there should be at least, if the data is large enough.
    dtype_backend : {"numpy_nullable", "pyarrow"}, optional
    is_sorted : bool
        Whether the index that the files hold is sorted, so that its bounds are divisions. Each
        piece is checked.

    Raises
    ------
    ValueError
        If a file is no Parquet file, or another one has other columns.
    KeyError
        If a column does not exist.
    """

    files: Files
    takes: frozenset[Pushdown] = frozenset({"columns", "predicate", "encoding"})
    is_columnar = True
    cost: Cost = "decode"

    def __init__(
        self,
        files: Files,
        columns: Sequence[Any] | None = None,
        index: Any = None,
        split_row_groups: bool | int | None = None,
        blocksize: int = 128 << 20,
        parts: int = 1,
        dtype_backend: DtypeBackend = None,
        is_sorted: bool = False,
    ) -> None:
        self.files, self._backend = files, dtype_backend
        footers = read_footers(files)
        schemas = [schema for _, schema in footers]
        noted = labels_of(schemas[0])
        layout = choose(noted, hive_columns(files), columns, index, files.name(0))
        names = [*layout.index_names, *layout.names(layout.columns)]
        arrow = check_alike(files.name, schemas, None if columns is None else names)
        arrow = arrow.empty_table().select(names).schema
        groups = [row_groups_of(k, footer, arrow) for k, (footer, _) in enumerate(footers)]
        every = [group for each in groups for group in each]
        self._layout, self._arrow = layout, arrow
        self._encoded = frozenset(names).intersection(*(group.encoded for group in every))
        self._plain = {name for group in every for name in group.plain}
        flat = flat_schema(files, arrow, every, dtype_backend)
        self._dtypes = dict(zip(flat.columns, flat.dtypes, strict=True))
        self._rows = _numbered(noted.range if index is None else None, every)
        self.schema = layout.frame(flat, list(layout.columns), self._rows[:0], _NOWHERE)
        cuts = cut(groups, split_row_groups, blocksize, parts, not layout.hive) or [()]
        self.pieces = tuple(map(self._piece, cuts))
        self.ends = self._noted_ends(cuts)
        self.divisions = self._noted_divisions() if is_sorted else None
        starts = accumulate((piece.rows or 0 for piece in self.pieces), initial=0)
        self._starts = {p.source: at for p, at in zip(self.pieces, starts, strict=False)}
        self._nbytes = {name: sum(group.nbytes[name] for group in every) for name in names}
        if not layout.index:
            self.divisions = self._numbers()
        given = (list(layout.columns), layout.index, dtype_backend, self.pieces)
        self.token = tokenize("parquet", files.token, *given)
        is_plain = files.on_disk and not (layout.hive or layout.index or dtype_backend)
        if is_plain and all(label == name for label, name in layout.columns.items()):
            self.takes |= {"device"}

    def _piece(self, groups: Cut) -> FramePiece:
        found = groupby(groups, attrgetter("file"))
        source = tuple((file, tuple(g.number for g in each)) for file, each in found)
        by_name = merged_statistics(groups)
        rows = sum(group.rows for group in groups)
        statistics = {}
        for label, name in self._layout.columns.items():
            if label in self._layout.hive:
                values = self._layout.hive[label]
                value = values[source[0][0]] if source else None
                value, nulls = (None, rows) if value != value else (value, 0)
                bounds = comparable((value, value, nulls), values.categories.dtype)
            else:
                bounds = comparable(by_name.get(name, (None,) * 3), self._dtypes[name])
            if bounds is not None and bounds != (None, None, None):
                statistics[label] = bounds
        nbytes = sum(sum(group.nbytes.values()) for group in groups)
        return FramePiece(source, rows, nbytes, statistics)

    def _noted_ends(self, cuts: Sequence[Cut]) -> tuple[tuple[Any, Any], ...] | None:
        """Return the ends of an index of numbers or moments, if its pieces follow each other."""
        if len(self._layout.index) != 1 or not cuts[0]:
            return None
        (name,) = self._layout.index_names
        dtype = self._dtypes[name]
        if not isinstance(dtype, np.dtype) or dtype.kind not in "iufM":
            return None  # bounds of texts may be cut short
        bounds = [merged_statistics(groups).get(name, (None,) * 3) for groups in cuts]
        if any(low is None or high is None or nulls != 0 for low, high, nulls in bounds):
            return None
        ends = tuple((low, high) for low, high, _ in bounds)
        return ends if all(a[1] <= b[0] for a, b in pairwise(ends)) else None

    def _noted_divisions(self) -> tuple[Any, ...] | None:
        """Return the bounds of pieces that have no label in common."""
        if self.ends is None or any(a[1] == b[0] for a, b in pairwise(self.ends)):
            return None
        return *(low for low, _ in self.ends), self.ends[-1][1]

    def _numbers(self) -> tuple[Any, ...] | None:
        """Return the numbers of rows at which pieces start, and the last one."""
        if self._rows.step < 0 or not len(self._rows):
            return None
        return *(self._rows[at] for at in self._starts.values()), self._rows[-1]

    def row_bytes(self, columns: Columns) -> int | None:
        """Projected bytes of a row of some columns, with its index."""
        labels = self._layout.columns if columns is None else columns
        names = [*self._layout.index_names, *self._layout.names(labels)]
        return sum(self._nbytes[name] for name in names) // max(len(self._rows), 1)

    def encoded(self, columns: tuple[Any, ...]) -> ParquetPieces:
        """Return the same, with categories of its own in each piece for the texts of some columns.

        Dictionaries of texts are what files mostly have, so that nothing is decoded. Columns of
        which some texts lie there without one stay as they are: to make one would take longer.
        """
        import pandas as pd
        import pyarrow as pa

        found = copy(self)
        columns = tuple(c for c in columns if self._plain.isdisjoint(self._layout.names([c])))
        names = self._layout.names(columns)
        for name in names:
            field = self._arrow.field(name)
            kept = field.with_type(pa.dictionary(pa.int32(), field.type))
            found._arrow = found._arrow.set(found._arrow.get_field_index(name), kept)
        found._encoded = self._encoded.union(names)
        found._dtypes = {n: dtype for n, dtype in self._dtypes.items() if n not in names}
        found.schema = self.schema.astype(dict.fromkeys(columns, pd.CategoricalDtype()))
        found.takes -= {"device"}  # which has other categories in each piece
        found.token = tokenize("encoded", self.token, columns)
        return found

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return rows and columns of a piece; those of the predicate come first, and may suffice.

        Raises
        ------
        ValueError
            If a file is damaged, or has changed since.
        """
        labels = list(self._layout.columns if columns is None else columns)
        if not piece.rows or not may_match(predicate, piece.statistics, piece.rows):
            return self.schema[labels]
        start = self._starts[piece.source]
        rows, files = self._rows[start : start + piece.rows], self._files_of(piece)
        asked = list(dict.fromkeys(label for label, _, _ in predicate))
        table = self._table(piece, self._layout.names(asked))
        met = self._met(table, files, predicate) if predicate else None
        if met is not None and not met.any():
            return self.schema[labels]
        names = list(dict.fromkeys([*self._layout.index_names, *self._layout.names(labels)]))
        rest = self._table(piece, [name for name in names if name not in table.column_names])
        table = _side_by_side(table, rest).select(names)
        if met is not None and not met.all():
            places = np.flatnonzero(met)
            table = rows_of(table, met) if names else table
            rows, files = rows.take(places), files[: len(places)]
        frame = self._layout.frame(self._flat_frame(table, len(rows)), labels, rows, files)
        is_promised = self.divisions is not None and bool(self._layout.index)
        if is_promised and not frame.index.is_monotonic_increasing:
            name = self.files.name(piece.source[0][0])
            raise ValueError(f"{name}: the index is not sorted; leave out calculate_divisions=True")
        return frame

    def read_by(
        self, library: Any, piece: FramePiece, columns: Columns, predicate: Predicate
    ) -> Any:
        """Return a piece read by the library of a device, or None."""
        labels = list(self._layout.columns if columns is None else columns)
        asked = list(dict.fromkeys([*labels, *(label for label, _, _ in predicate)]))
        if not asked or not may_match(predicate, piece.statistics, piece.rows):
            return None
        for file, _ in piece.source:
            self.files.check(file)
        frame = library.read_parquet(
            [self.files.paths[file] for file, _ in piece.source],
            columns=asked,
            row_groups=[list(groups) for _, groups in piece.source],
            use_pandas_metadata=False,
        )
        if not agrees(frame, self.schema[asked]):
            return None
        first = self._starts[piece.source]
        rows = self._rows[first : first + (piece.rows or 0)]
        frame.index = library.RangeIndex(rows.start, rows.stop, rows.step, name=rows.name)
        return chosen(frame, labels, predicate)

    def _met(self, table: Any, files: Any, predicate: Predicate) -> Any:
        """Return which rows meet a predicate; dates are compared before they become objects."""
        met = np.ones(len(files), bool)
        dates = [each for each in predicate if self.compares(each[0], each[2])]
        for condition in dates:
            met &= dates_that_match(table.column(self._layout.columns[condition[0]]), condition)
        rest = [each for each in predicate if each not in dates]
        for condition in rest:
            if self._layout.columns[condition[0]] in self._encoded:
                met &= self._met_by_texts(table, condition)
        others = tuple(c for c in rest if self._layout.columns[c[0]] not in self._encoded)
        if others and met.any():
            labels = list(dict.fromkeys(label for label, _, _ in others))
            names = self._layout.names(labels)
            flat = self._flat_frame(table.select(names) if names else table, len(files))
            met &= rows_that_match(self._layout.columns_of(flat, labels, files), others)
        return met

    def _met_by_texts(self, table: Any, condition: Condition) -> Any:
        """Return which rows meet a condition, of which each different text is asked once."""
        import pyarrow as pa

        name = self._layout.columns[condition[0]]
        schema = pa.schema([self._arrow.field(name)], self._arrow.metadata)
        found = [np.zeros(0, bool)]
        for chunk in table.column(name).chunks:
            texts = pa.concat_arrays([chunk.dictionary, pa.nulls(1, chunk.dictionary.type)])
            flat = self._flat_frame(
                pa.table([texts.cast(schema.field(0).type)], schema), len(texts)
            )
            columns = self._layout.columns_of(flat, [condition[0]], np.zeros(len(texts), int))
            met = rows_that_match(columns, (condition,))
            found.append(met[chunk.indices.fill_null(len(texts) - 1).to_numpy()])
        return np.concatenate(found)

    def smallest(self, piece: FramePiece) -> str:
        """Say which row group a piece is, if it is one."""
        if sum(len(groups) for _, groups in piece.source) != 1:
            return ""
        ((file, (group,)),) = piece.source
        return (
            f"row group {group} of {self.files.name(file)} is the least that is read, whatever "
            "blocksize= and repartition say: write that file with smaller row groups, as "
            "to_parquet(path, row_group_size=100_000) does"
        )

    def compares(self, column: Any, value: Any) -> bool:
        """Whether a column is of dates, and the value is one; pandas has them as objects."""
        import pyarrow as pa

        name = self._layout.columns[column]
        is_date = type(value) is datetime.date and column not in self._layout.hive
        return is_date and bool(pa.types.is_date32(self._arrow.field(name).type))

    def _files_of(self, piece: FramePiece) -> Any:
        """Return the number of the file of each row; all are of one where folders have columns.

        It is one number in memory, seen at each row.
        """
        return np.broadcast_to(piece.source[0][0], (piece.rows or 0,))

    def _table(self, piece: FramePiece, names: list[str]) -> Any:
        """Read some columns of a piece, in the types of the first file, or as numbers of texts."""
        import pyarrow as pa

        if not names:
            return pa.table({})
        read = (self._row_groups(file, groups, names) for file, groups in piece.source)
        tables = list(chain.from_iterable(read))
        table = pa.concat_tables(tables, promote_options="permissive").select(names)
        return self._cast(table, [name for name in names if name not in self._encoded])

    def _cast(self, table: Any, names: Sequence[str]) -> Any:
        """Give some columns the types of the first file."""
        import pyarrow as pa

        fields = [self._arrow.field(e.name) if e.name in names else e for e in table.schema]
        schema = pa.schema(fields, self._arrow.metadata)
        return table.replace_schema_metadata(schema.metadata).cast(schema)

    def _row_groups(self, file: int, groups: tuple[int, ...], names: list[str]) -> list[Any]:
        """Read row groups one by one, so that what is stored of the last one is free again."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.files.check(file)
        try:
            encoded = sorted(self._encoded.intersection(names))
            with (
                self.files.open(file) as source,
                pq.ParquetFile(source, read_dictionary=encoded) as opened,
            ):
                tables = [opened.read_row_group(each, names, use_threads=False) for each in groups]
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{self.files.name(file)} cannot be read: {error}") from error
        return [table.replace_schema_metadata(None) for table in tables]

    def _flat_frame(self, table: Any, rows: int) -> Any:
        import pandas as pd

        if not table.num_columns:
            return pd.DataFrame(index=pd.RangeIndex(rows))
        flat = flat_frame(self._cast(table, table.column_names), self._backend)
        return conform(flat, self._dtypes)


def _side_by_side(one: Any, other: Any) -> Any:
    """Return the columns of two tables; one without columns has no rows either."""
    if not one.num_columns:
        return other
    for field, column in zip(other.schema, other.columns, strict=True):
        one = one.append_column(field, column)
    return one


def _numbered(noted: Any, groups: Sequence[RowGroup]) -> Any:
    """Return the numbers of all rows: as noted, if there are as many, else from 0."""
    import pandas as pd

    rows = sum(group.rows for group in groups)
    return noted if noted is not None and len(noted) == rows else pd.RangeIndex(rows)
