"""Frames: means by hour, windows and sorting, and what is asked of a column of texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.frames import implementations, write
from benchmarks.workload import FRAMES, OURS, Run, Size, Workload
from benchmarks.workloads.h2o import texts

FILES = 4


def write_csv(size: Size, folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import csv

    rng = np.random.default_rng(1)
    start = np.datetime64("2026-01-01", "s")
    for k in range(FILES):
        n = size["n"] // FILES
        columns = {
            "timestamp": start + np.arange(k * n, (k + 1) * n),
            "sensor": texts("sensor-", rng.integers(0, 100, n), 3),
            "value": np.round(rng.random(n), 6),
            "other": np.round(rng.random(n), 6),
        }
        csv.write_csv(pa.table(columns), folder / f"{k}.csv")


def slide_lazily(library: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        df = library.read_csv(str(folder / "*.csv"), parse_dates=["timestamp"])
        return df.groupby(df.timestamp.dt.hour).value.mean().compute().sort_index().to_numpy()

    return run


def slide_in_pandas(pd: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        files = sorted(folder.glob("*.csv"))
        df = pd.concat([pd.read_csv(file, parse_dates=["timestamp"]) for file in files])
        return df.groupby(df.timestamp.dt.hour).value.mean().to_numpy()

    return run


def slide_in_polars(pl: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        df = pl.scan_csv(folder / "*.csv", try_parse_dates=True)
        hours = df.group_by(pl.col("timestamp").dt.hour().alias("hour"))
        return hours.agg(pl.col("value").mean()).sort("hour").collect()["value"].to_numpy()

    return run


def slide_in_duckdb(duckdb: Any, size: Size, folder: Path) -> Run:
    sql = (
        f"SELECT avg(value) AS value FROM read_csv('{folder}/*.csv') "
        "GROUP BY hour(timestamp) ORDER BY hour(timestamp)"
    )
    return lambda: duckdb.sql(sql).df()["value"].to_numpy()


def write_numbers(size: Size, folder: Path) -> None:
    n = size["n"]
    rng = np.random.default_rng(1)
    columns = {"key": rng.integers(0, 2**40, n), "value": rng.random(n)}
    write(folder / "x.parquet", columns)


def write_texts(size: Size, folder: Path) -> None:
    rng = np.random.default_rng(1)
    numbers = rng.integers(0, max(size["n"] // 10, 1), size["n"])
    write(folder / "x.parquet", {"name": texts("name ", numbers, 7)})


def write_times(size: Size, folder: Path) -> None:
    import pandas as pd
    import pyarrow as pa

    start = np.datetime64("2026-01-01", "s")
    times = pd.Index(start + np.arange(size["n"]), name="time")
    values = np.random.default_rng(1).random(size["n"])
    table = pa.Table.from_pandas(pd.DataFrame({"value": values}, times))  # which notes the index
    write(folder / "x.parquet", table)


def indexed(t: Any) -> Any:
    found = t["x"].set_index("key")
    return found if hasattr(found, "compute") else found.sort_index()


COLUMN = {
    "nunique": (
        lambda t: t["x"].name.nunique(),
        lambda pl, t: t["x"].select(pl.col("name").n_unique()),
        "SELECT count(DISTINCT name) AS n FROM $x",
    ),
    "value-counts": (
        lambda t: t["x"].name.value_counts(),
        lambda pl, t: t["x"].group_by("name").len(),
        "SELECT count(*) AS n FROM $x GROUP BY name",
    ),
    "str-contains": (
        lambda t: t["x"].name.str.contains("77", regex=False).sum(),
        lambda pl, t: t["x"].select(pl.col("name").str.contains("77", literal=True).sum()),
        "SELECT sum(contains(name, '77')::int) AS n FROM $x",
    ),
}
TIMES = {
    "resample": (
        lambda t: t["x"].resample("1h").mean(),
        lambda pl, t: t["x"].group_by_dynamic("time", every="1h").agg(pl.col("value").mean()),
        "SELECT avg(value) AS value FROM $x GROUP BY time_bucket(INTERVAL '1 hour', time)",
    ),
    "rolling": (
        lambda t: t["x"].rolling(100).mean(),
        lambda pl, t: t["x"].select(pl.col("value").rolling_mean(100)),
        "SELECT CASE WHEN count(*) OVER w = 100 THEN avg(value) OVER w END AS value FROM $x "
        "WINDOW w AS (ORDER BY time ROWS 99 PRECEDING)",
    ),
}
SORTS = {
    "sort-values": (
        lambda t: t["x"].sort_values("key"),
        lambda pl, t: t["x"].sort("key"),
        "SELECT * FROM $x ORDER BY key",
    ),
    "set-index": (
        indexed,
        lambda pl, t: t["x"].sort("key").select("value"),
        "SELECT value FROM $x ORDER BY key",
    ),
}

WORKLOADS = (
    Workload(
        name="slide",
        about="mean by hour of four CSV files, {n} rows together",
        sizes={"full": {"n": 32_000_000}, "quick": {"n": 20_000}},
        implementations={
            OURS: slide_lazily,
            "pandas": slide_in_pandas,
            "dask": slide_lazily,
            "polars": slide_in_polars,
            "duckdb": slide_in_duckdb,
        },
        goals={"dask": 1, "pandas": 1},
        files=write_csv,
        modules=FRAMES,
    ),
    *(
        Workload(
            name=name,
            about="{n} rows in the order of a column of integers",
            sizes={"full": {"n": 20_000_000}, "quick": {"n": 2_000}},
            implementations=implementations(("x",), ways),
            goals={"dask": 2},
            files=write_numbers,
            modules=FRAMES,
        )
        for name, ways in SORTS.items()
    ),
    *(
        Workload(
            name=name,
            about="of {n} texts",
            sizes={"full": {"n": 10_000_000}, "quick": {"n": 2_000}},
            implementations=implementations(("x",), ways),
            goals={"dask": 1, "pandas": 1},
            files=write_texts,
            modules=FRAMES,
        )
        for name, ways in COLUMN.items()
    ),
    *(
        Workload(
            name=name,
            about="of {n} rows, one a second",
            sizes={"full": {"n": 30_000_000}, "quick": {"n": 20_000}},
            implementations=implementations(("x",), ways, calculate_divisions=True),
            goals={"dask": 1, "pandas": 1},
            files=write_times,
            modules=FRAMES,
        )
        for name, ways in TIMES.items()
    ),
)
