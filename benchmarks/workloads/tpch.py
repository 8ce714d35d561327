"""Eleven queries of TPC-H from Parquet files, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.frames import sums
from benchmarks.tpch import answers, data, in_polars
from benchmarks.tpch.queries import QUERIES, TABLES, Tables
from benchmarks.workload import FRAMES, OURS, Run, Size, Workload

NUMBERS = (1, 3, 4, 5, 6, 9, 10, 12, 13, 18, 21)


def files(size: Size, folder: Path) -> None:
    data.generate(size["thousandths"] / 1000, folder)


def sums_of_all(results: Iterable[Any]) -> np.ndarray[Any, Any]:
    return np.array([sums(result) for result in results])


def in_pandas(pd: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        tables = data.read(pd, folder)
        return sums_of_all(QUERIES[number](tables) for number in NUMBERS)

    return run


def lazily(library: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        tables = data.read(library, folder)
        lazy = (QUERIES[number](tables) for number in NUMBERS)
        # The first rows of a frame are computed at once.
        return sums_of_all(each.compute() if hasattr(each, "compute") else each for each in lazy)

    return run


def polars_way(pl: Any, size: Size, folder: Path) -> Run:
    queries = in_polars.queries()

    def run() -> Any:
        tables = Tables(*(pl.scan_parquet(folder / f"{table}.parquet") for table in TABLES))
        frames = (queries[number](tables).collect() for number in NUMBERS)
        return sums_of_all(frame.to_pandas() for frame in frames)

    return run


def in_duckdb(duckdb: Any, size: Size, folder: Path) -> Run:
    return lambda: sums_of_all(answers.answer(number, folder, 1) for number in NUMBERS)


WORKLOADS = (
    Workload(
        name="tpch",
        about="queries " + " ".join(map(str, NUMBERS)) + " of TPC-H, scale {thousandths} / 1000",
        sizes={"full": {"thousandths": 1000}, "quick": {"thousandths": 1}},
        implementations={
            OURS: lazily,
            "pandas": in_pandas,
            "dask": lazily,
            "polars": polars_way,
            "duckdb": in_duckdb,
        },
        goals={"dask": 3, "pandas": 1},
        files=files,
        modules=FRAMES,
    ),
)
