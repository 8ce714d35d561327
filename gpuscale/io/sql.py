"""Tables and queries of databases as pieces: ranges of a column each, by way of SQLAlchemy."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gpuscale.io.frames import Columns, FramePiece, FramePieces, FrameWriter, Predicate, Pushdown
from gpuscale.io.pieces import Cost
from gpuscale.io.promised_dtypes import keep_promises

__all__ = ["SqlPieces", "SqlWriter"]


@contextmanager
def _connected(uri: str, options: Mapping[str, Any]) -> Iterator[Any]:
    """Connect to a database for as long as it takes to ask it one thing."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri, **options)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _anchored(uri: Any) -> Any:
    """Make the path of a file absolute: workers may have another current folder."""
    import sqlalchemy

    url = sqlalchemy.make_url(uri)
    file = url.database
    if url.get_backend_name() != "sqlite" or not file or file.startswith((":memory:", "file:")):
        return uri
    return url.set(database=os.path.abspath(file))


class SqlPieces(FramePieces):
    """Reads ranges of a column of a table or a query.

    Parameters
    ----------
    uri : str
        Of the database, as SQLAlchemy writes it.
    source : str
        What stands after FROM: the name of a table, quoted, or a query in parentheses with a name.
    index : str
        The column by whose ranges rows are read; it becomes the index.
    columns : sequence of str, optional
    divisions : sequence, optional
        Bounds of the ranges; by default they are of equal length, between what is least and what is
        greatest.
    npartitions : int, optional
        How many ranges, instead of as many as have about ``blocksize`` bytes each.
    blocksize : int
    head_rows : int
        Rows that decide about dtypes.
    engine_options : mapping
        Arguments of ``sqlalchemy.create_engine``.
    options : mapping
        Arguments of ``pandas.read_sql_query``, as ``dtype`` and ``parse_dates``.

    Raises
    ------
    ValueError
        If rows have no value of the index, or no ranges can be made of its values.
    """

    takes: frozenset[Pushdown] = frozenset({"columns"})
    cost: Cost = "decode"

    def __init__(
        self,
        uri: str,
        source: str,
        index: str,
        columns: Sequence[str] | None = None,
        divisions: Sequence[Any] | None = None,
        npartitions: int | None = None,
        blocksize: int = 128 << 20,
        head_rows: int = 1000,
        engine_options: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._uri, self._source, self._index = _anchored(uri), source, index
        self._engine_options, self._options = dict(engine_options or {}), dict(options or {})
        wanted = None if columns is None else [name for name in columns if name != index]
        head = self._read(wanted, limit=head_rows)
        self.schema = head.iloc[:0]
        low, high, rows, filled = self._extent()
        if filled != rows:
            raise ValueError(
                f"{rows - filled} rows have no value of {index!r}, and would be in no partition; "
                "leave them out by a query"
            )
        row_bytes = max(1, int(head.memory_usage(deep=True).sum()) // max(len(head), 1))
        if divisions is None:
            count = npartitions or max(1, -(-rows * row_bytes // blocksize))
            divisions = _ranges(low, high, count, head.index) if rows else (low, high)
        bounds = list(divisions)
        if len(bounds) < 2 or rows and (bounds[0] > low or bounds[-1] < high):
            raise ValueError(
                f"divisions from {bounds[0]!r} to {bounds[-1]!r} leave out rows, since values of "
                f"{index!r} go from {low!r} to {high!r}"
            )
        self.divisions = tuple(bounds) if rows else None
        nbytes = rows * row_bytes // (len(bounds) - 1)
        last = len(bounds) - 2
        self.pieces = tuple(
            FramePiece((a, b, k == last), None if rows else 0, nbytes)
            for k, (a, b) in enumerate(zip(bounds, bounds[1:], strict=False))
        )
        # A database tells nobody when it changes: what was read before is not known to be the same.
        self.token = f"sql-{uuid.uuid4().hex}"

    def _extent(self) -> tuple[Any, Any, int, int]:
        """Return the least and the greatest value of the index, and how many rows have one."""
        import pandas as pd
        import sqlalchemy as sa

        column: Any = sa.column(self._index)
        asked = [sa.func.min(column), sa.func.max(column), sa.func.count(), sa.func.count(column)]
        named = [each.label(f"v{k}") for k, each in enumerate(asked)]
        query = sa.select(*named).select_from(sa.text(self._source))
        dates = self._options.get("parse_dates") or ()
        parsed = ["v0", "v1"] if self._index in dates else None
        with _connected(self._uri, self._engine_options) as connection:
            found = pd.read_sql_query(query, connection, parse_dates=parsed)
        low, high, rows, filled = (found[name].iloc[0] for name in found.columns)
        return _plain(low), _plain(high), int(rows), int(filled)

    def _read(
        self, columns: Sequence[str] | None, where: Sequence[Any] = (), limit: int | None = None
    ) -> Any:
        """Run one query; rows come in the order of the index."""
        import pandas as pd
        import sqlalchemy as sa

        index: Any = sa.column(self._index)
        asked = [sa.text("*")] if columns is None else [index, *map(sa.column, columns)]
        query = sa.select(*asked).select_from(sa.text(self._source)).where(*where)
        query = query.limit(limit) if limit is not None else query.order_by(index)
        with _connected(self._uri, self._engine_options) as connection:
            frame = pd.read_sql_query(query, connection, **self._options)
        return frame.set_index(self._index)

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Return the rows of one range.

        Raises
        ------
        ValueError
            If values are not of the dtypes that the first rows have.
        """
        import sqlalchemy as sa

        labels = list(self.schema.columns if columns is None else columns)
        if piece.rows == 0:
            return self.schema[labels]
        low, high, is_last = piece.source
        index: Any = sa.column(self._index)
        low, high = _plain(low), _plain(high)
        bounds = (index >= low, index <= high if is_last else index < high)
        frame = self._read(labels, bounds)
        schema = self.schema[labels]
        if not len(frame):
            return schema
        try:
            return keep_promises(frame, schema)
        except ValueError as error:
            where = f"{self._source}, {self._index} from {low} to {high}"
            raise ValueError(f"{where}: {error}") from None


def _plain(value: Any) -> Any:
    """Return a value as databases take it, which know no scalars of NumPy and pandas."""
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


def _ranges(low: Any, high: Any, count: int, index: Any) -> list[Any]:
    """Cut what lies between two values into ranges of equal length."""
    import numpy as np
    import pandas as pd

    if count == 1:
        return [low, high]
    if index.dtype.kind == "M":
        return list(pd.date_range(low, high, periods=count + 1).floor("us")[:-1]) + [high]
    if index.dtype.kind in "iuf":
        inner = np.linspace(low, high, count + 1)[:-1]
        inner = np.unique(np.floor(inner).astype(int)) if index.dtype.kind != "f" else inner
        return [*inner.tolist(), high]
    raise ValueError(
        f"ranges of {index.dtype} cannot be made from {low!r} and {high!r}: pass divisions="
    )


class SqlWriter(FrameWriter):
    """Writes a table of a database, in one transaction.

    Parameters
    ----------
    uri : str
    name : str
        Of the table.
    if_exists : {"fail", "replace", "append"}
    engine_options : mapping
        Arguments of ``sqlalchemy.create_engine``.
    options : mapping
        Arguments of ``pandas.DataFrame.to_sql``.
    """

    is_local = True  # one connection holds the transaction

    def __init__(
        self,
        uri: str,
        name: str,
        if_exists: str,
        engine_options: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> None:
        self._uri, self._name, self._if_exists = _anchored(uri), name, if_exists
        self._engine_options, self._options = dict(engine_options), dict(options)
        self._lock = threading.Lock()
        self._connection: Any = None
        self.token = f"sql-{uuid.uuid4().hex}"

    def open(self, schema: Any, npartitions: int) -> None:
        """Begin a transaction, and make the table.

        Raises
        ------
        ValueError
            If there is a table of that name, and it is not to be replaced or appended to.
        """
        import sqlalchemy

        self._connection = sqlalchemy.create_engine(self._uri, **self._engine_options).connect()
        if self._connection.dialect.name == "sqlite":  # else it makes tables beside transactions
            self._connection.exec_driver_sql("BEGIN")
        try:
            schema.to_sql(self._name, self._connection, if_exists=self._if_exists, **self._options)
        except BaseException:
            self.abort()
            raise

    def write(self, place: tuple[int], frame: Any) -> None:
        """Append the rows of a partition; partitions come in the order in which they are made."""
        with self._lock:
            frame.to_sql(self._name, self._connection, if_exists="append", **self._options)

    def commit(self) -> None:
        """Commit the transaction."""
        self._connection.commit()
        self._close()

    def abort(self) -> None:
        """Roll the transaction back."""
        if self._connection is not None:
            self._connection.rollback()
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        connection.close()
        connection.engine.dispose()
