"""What workloads of frames share: Parquet files or frames in memory, and results to compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import OURS, Prepare, Run, Size

__all__ = ["Ways", "implementations", "in_memory", "sums", "write"]

Tables = Mapping[str, Any]
Ways = tuple[Callable[[Tables], Any], Callable[[Any, Tables], Any], str]
"""A query in the way of pandas, in that of Polars (called with the module), and in SQL."""

ROW_GROUP = 1 << 20
PARTITION = 64 << 20  # bytes that one of dask has of a frame in memory, as one of ours has


def write(path: Path, columns: Any) -> None:
    """Write a Parquet file of a mapping of columns, or of a table of Arrow."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table(dict(columns)) if isinstance(columns, Mapping) else columns
    parquet.write_table(table, path, row_group_size=ROW_GROUP)


def sums(result: Any) -> np.ndarray[Any, Any]:
    """Return the rows and the sums of numbers of a result: enough to compare libraries."""
    if hasattr(result, "to_frame"):
        result = result.to_frame()
    if not hasattr(result, "select_dtypes"):
        return np.array([1.0, float(result)])
    numbers = result.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan)
    return np.array([len(result), np.nansum(numbers)])


def implementations(tables: tuple[str, ...], ways: Ways, **options: Any) -> dict[str, Prepare]:
    """Return the implementations of a query of Parquet files that are named like its tables.

    The options are of ``read_parquet`` of the two libraries that are lazy.
    """
    in_pandas, in_polars, sql = ways

    def read(library: Any, folder: Path, **options: Any) -> Tables:
        paths = {name: str(folder / f"{name}.parquet") for name in tables}
        return {name: library.read_parquet(path, **options) for name, path in paths.items()}

    def with_pandas(pd: Any, size: Size, folder: Path) -> Run:
        return lambda: sums(in_pandas(read(pd, folder)))

    def lazily(library: Any, size: Size, folder: Path) -> Run:
        return lambda: sums(in_pandas(read(library, folder, **options)).compute())

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


def in_memory(tables: tuple[str, ...], ways: Ways) -> dict[str, Prepare]:
    """Return the implementations of a query of frames that are in memory before the clock starts.

    Each library has them as its own: what it makes of those of pandas is not timed.
    """
    in_pandas, in_polars, sql = ways

    def read(folder: Path) -> Tables:
        import pandas as pd

        return {name: pd.read_parquet(folder / f"{name}.parquet") for name in tables}

    def with_pandas(pd: Any, size: Size, folder: Path) -> Run:
        frames = read(folder)
        return lambda: sums(in_pandas(frames))

    def with_ours(gd: Any, size: Size, folder: Path) -> Run:
        frames = {name: gd.from_pandas(frame) for name, frame in read(folder).items()}
        return lambda: sums(in_pandas(frames).compute())

    def with_dask(dd: Any, size: Size, folder: Path) -> Run:
        def cut(frame: Any) -> Any:
            nbytes = int(frame.memory_usage(deep=True).sum())
            return dd.from_pandas(frame, npartitions=2 + nbytes // PARTITION)

        frames = {name: cut(frame) for name, frame in read(folder).items()}
        return lambda: sums(in_pandas(frames).compute())

    def with_polars(pl: Any, size: Size, folder: Path) -> Run:
        frames = {name: pl.from_pandas(frame).lazy() for name, frame in read(folder).items()}
        return lambda: sums(in_polars(pl, frames).collect().to_pandas())

    def with_duckdb(duckdb: Any, size: Size, folder: Path) -> Run:
        text = sql
        for name, frame in read(folder).items():
            duckdb.register(name, frame)
            text = text.replace(f"${name}", name)
        return lambda: sums(duckdb.sql(text).df())

    return {
        OURS: with_ours,
        "pandas": with_pandas,
        "dask": with_dask,
        "polars": with_polars,
        "duckdb": with_duckdb,
    }
