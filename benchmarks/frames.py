"""What workloads of frames share: Parquet files by each library, and results to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import OURS, Prepare, Run, Size

__all__ = ["Ways", "implementations", "sums", "write"]

Tables = Mapping[str, Any]
Ways = tuple[Callable[[Tables], Any], Callable[[Any, Tables], Any], str]
"""A query in the way of pandas, in that of Polars (called with the module), and in SQL."""

ROW_GROUP = 1 << 20


def write(path: Path, columns: Mapping[str, Any]) -> None:
    """Write a Parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(dict(columns)), path, row_group_size=ROW_GROUP)


def sums(result: Any) -> np.ndarray[Any, Any]:
    """Return the rows and the sums of numbers of a result: enough to compare libraries."""
    if hasattr(result, "to_frame"):
        result = result.to_frame()
    if not hasattr(result, "select_dtypes"):
        return np.array([1.0, float(result)])
    numbers = result.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan)
    return np.array([len(result), np.nansum(numbers)])


def implementations(tables: tuple[str, ...], ways: Ways) -> dict[str, Prepare]:
    """Return the implementations of a query of Parquet files that are named like its tables."""
    in_pandas, in_polars, sql = ways

    def read(library: Any, folder: Path) -> Tables:
        return {name: library.read_parquet(str(folder / f"{name}.parquet")) for name in tables}

    def with_pandas(pd: Any, size: Size, folder: Path) -> Run:
        return lambda: sums(in_pandas(read(pd, folder)))

    def lazily(library: Any, size: Size, folder: Path) -> Run:
        return lambda: sums(in_pandas(read(library, folder)).compute())

    def with_polars(pl: Any, size: Size, folder: Path) -> Run:
        def run() -> Any:
            scans = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in tables}
            return sums(in_polars(pl, scans).collect().to_pandas())

        return run

    def with_duckdb(duckdb: Any, size: Size, folder: Path) -> Run:
        text = sql
        for name in tables:
            text = text.replace(f"${name}", f"read_parquet('{folder / name}.parquet')")
        return lambda: sums(duckdb.sql(text).df())

    return {
        OURS: lazily,
        "pandas": with_pandas,
        "dask": lazily,
        "polars": with_polars,
        "duckdb": with_duckdb,
    }
