"""The answers of DuckDB, by the SQL of the specification."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.tpch.queries import TABLES

__all__ = ["answer", "statement"]

SQL = Path(__file__).with_name("queries.sql")


@cache
def statements() -> dict[int, str]:
    found = {}
    for text in SQL.read_text().split("-- query ")[1:]:
        number, _, statement = text.partition("\n")
        found[int(number)] = statement.strip().rstrip(";")
    return found


def statement(number: int, scale: float) -> str:
    """Return the SQL of a query, with the fraction of query 11 for a scale factor."""
    return statements()[number].replace("$fraction", f"{0.0001 / scale:.10f}")


def answer(number: int, folder: Path, scale: float) -> Any:
    """Run a query on the Parquet files of a folder; return a frame of pandas."""
    import duckdb

    for table in TABLES:
        path = str(folder / f"{table}.parquet").replace("'", "''")
        duckdb.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM read_parquet('{path}')")
    return duckdb.sql(statement(number, scale)).df()
