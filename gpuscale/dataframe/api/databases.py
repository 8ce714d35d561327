"""Frames of tables and queries of databases, and tables of frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gpuscale.dataframe.api.creating import block_bytes
from gpuscale.dataframe.api.moving import placed
from gpuscale.dataframe.api.writing import write
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.dataframe.settling import exact
from gpuscale.io.sql import SqlPieces, SqlWriter

__all__ = ["read_sql", "read_sql_query", "read_sql_table", "to_sql"]


def read_sql_query(
    sql: Any,
    con: str,
    index_col: str | None = None,
    divisions: Sequence[Any] | None = None,
    npartitions: int | None = None,
    bytes_per_chunk: float | str = "auto",
    head_rows: int = 1000,
    engine_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Read what a query selects, a range of the values of a column for each partition.

    Parameters
    ----------
    sql : str or sqlalchemy.Select
        A query; it becomes a part of one for each range.
    con : str
        URI of the database, as SQLAlchemy writes it: tasks connect by themselves.
    index_col : str
        The column whose ranges are read; it becomes the index. One that the database has an index
        of makes that fast. All rows have a value of it.
    divisions : sequence, optional
        Bounds of the ranges; those of texts have to be said.
    npartitions : int, optional
        How many ranges of equal length, instead of ``bytes_per_chunk``.
    bytes_per_chunk : int or str
        Projected bytes of a partition in memory, if values are spread evenly; by default 128 MiB,
        and less where memory is short.
    head_rows : int
        Rows that decide about dtypes, with which all others are compared.
    engine_kwargs : mapping, optional
        Arguments of ``sqlalchemy.create_engine``.
    **kwargs
        As `pandas.read_sql_query` has them: ``dtype``, ``parse_dates`` and so on.

    Raises
    ------
    ValueError
        If rows have no value of ``index_col``, or divisions leave some out.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> uri = f"sqlite:///{tempfile.mkdtemp()}/x.db"
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}, index=[10, 20, 30]), npartitions=2)
    >>> gd.to_sql(df, "numbers", uri, index_label="id")
    >>> query = "SELECT id, 2 * x AS twice FROM numbers"
    >>> gd.read_sql_query(query, uri, "id", npartitions=2).twice.sum().compute()
    np.int64(12)
    """
    text = sql if isinstance(sql, str) else _compiled(sql, con)
    source = f"({text.strip().rstrip(';')}) AS selected"
    return _read(
        con, source, index_col, None, divisions, npartitions, bytes_per_chunk, head_rows,
        engine_kwargs, kwargs,
    )  # fmt: skip


def read_sql_table(
    table_name: str,
    con: str,
    index_col: str | None = None,
    divisions: Sequence[Any] | None = None,
    npartitions: int | None = None,
    columns: Sequence[str] | None = None,
    bytes_per_chunk: float | str = "auto",
    head_rows: int = 1000,
    schema: str | None = None,
    engine_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Read a table of a database, a range of the values of a column for each partition.

    Parameters
    ----------
    table_name : str
    con, index_col, divisions, npartitions, bytes_per_chunk, head_rows, engine_kwargs, **kwargs
        As of `read_sql_query`.
    columns : list of str, optional
    schema : str, optional
        Of the database, in which the table is.
    """
    name = _quoted(table_name, con)
    source = name if schema is None else f"{_quoted(schema, con)}.{name}"
    return _read(
        con, source, index_col, columns, divisions, npartitions, bytes_per_chunk, head_rows,
        engine_kwargs, kwargs,
    )  # fmt: skip


def read_sql(sql: Any, con: str, index_col: str | None = None, **kwargs: Any) -> Any:
    """Read a table, by its name, or a query; see `read_sql_table` and `read_sql_query`."""
    is_name = isinstance(sql, str) and not sql.lstrip()[:6].lower().startswith(("select", "with "))
    read = read_sql_table if is_name else read_sql_query
    return read(sql, con, index_col, **kwargs)


def _read(
    con: str,
    source: str,
    index: str | None,
    columns: Sequence[str] | None,
    divisions: Sequence[Any] | None,
    npartitions: int | None,
    blocksize: float | str,
    head_rows: int,
    engine_kwargs: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> Any:
    if index is None:
        raise TypeError(
            "index_col= names the column whose ranges of values are the partitions; of a small "
            "table make one partition: gd.from_pandas(pandas.read_sql(...), npartitions=1)"
        )
    pieces = SqlPieces(
        _checked(con), source, index, columns, divisions, npartitions,
        block_bytes(blocksize), head_rows, engine_kwargs, options,
    )  # fmt: skip
    return placed(ReadPieces(pieces, None, ()), None)


def _checked(con: Any) -> str:
    if not isinstance(con, str):
        raise TypeError(
            f"con is the URI of a database, not {type(con).__name__}: each task has a connection "
            "of its own"
        )
    return con


def _dialect(con: str) -> Any:
    import sqlalchemy

    return sqlalchemy.make_url(_checked(con)).get_dialect()()


def _quoted(name: str, con: str) -> str:
    return str(_dialect(con).identifier_preparer.quote(name))


def _compiled(sql: Any, con: str) -> str:
    """Write a query down, with all values in it."""
    return str(sql.compile(dialect=_dialect(con), compile_kwargs={"literal_binds": True}))


def to_sql(
    df: Any,
    name: str,
    uri: str,
    *,
    if_exists: str = "fail",
    engine_kwargs: Mapping[str, Any] | None = None,
    compute_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Write a table of a database; see `pandas.DataFrame.to_sql`.

    All is one transaction: a run that fails leaves nothing, where the database makes tables within
    transactions (MySQL does not).

    Parameters
    ----------
    df : DataFrame or Series
    name : str
        Of the table.
    uri : str
        Of the database, as SQLAlchemy writes it.
    if_exists : {"fail", "replace", "append"}
    engine_kwargs : mapping, optional
        Arguments of ``sqlalchemy.create_engine``.
    compute_kwargs : mapping, optional
        Arguments of `gpuscale.compute`.
    **kwargs
        As pandas has them: ``schema``, ``index``, ``index_label``, ``dtype`` and so on.
    """
    writer = SqlWriter(_checked(uri), name, if_exists, engine_kwargs or {}, kwargs)
    write(wrap(exact(df.expr)), writer, dict(compute_kwargs or {}))
