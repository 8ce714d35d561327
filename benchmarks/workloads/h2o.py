"""The group-bys and joins of H2O.ai's database benchmark, from Parquet files and in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.frames import Ways, implementations, in_memory, write
from benchmarks.workload import FRAMES, Prepare, Size, Workload

GROUPS = 100  # values of the short keys


def texts(prefix: str, numbers: Any, width: int) -> Any:
    """Return names such as id007 of numbers, by looking each distinct one up."""
    import pyarrow as pa

    distinct, codes = np.unique(numbers, return_inverse=True)
    names = pa.array([f"{prefix}{number:0{width}d}" for number in distinct.tolist()])
    return names.take(pa.array(codes))


def write_groups(size: Size, folder: Path) -> None:
    n = size["n"]
    rng = np.random.default_rng(1)
    many = max(n // GROUPS, 1)
    short, other, long = (rng.integers(1, high + 1, n) for high in (GROUPS, GROUPS, many))
    write(
        folder / "x.parquet",
        {
            "id1": texts("id", short, 3),
            "id2": texts("id", other, 3),
            "id3": texts("id", long, 10),
            "id4": rng.integers(1, GROUPS + 1, n),
            "id5": rng.integers(1, GROUPS + 1, n),
            "id6": rng.integers(1, many + 1, n),
            "v1": rng.integers(1, 6, n),
            "v2": rng.integers(1, 16, n),
            "v3": np.round(rng.random(n) * 100, 6),
        },
    )


def write_joined(size: Size, folder: Path) -> None:
    n = size["n"]
    rng = np.random.default_rng(2)
    counts = [max(n // 1_000_000, 1), max(n // 1000, 1), n]

    def keys(rows: int, levels: int) -> dict[str, Any]:
        # A table has each of the longest of its keys once, x as they come.
        whole = [rng.permutation(c) if rows == c else rng.integers(0, c, rows) for c in counts]
        named = {f"id{k + 1}": each for k, each in enumerate(whole[:levels])}
        return named | {f"id{k + 4}": texts("id", v, 1) for k, v in enumerate(whole[:levels])}

    for name, rows, levels in zip(("small", "medium", "big"), counts, (1, 2, 3), strict=True):
        write(folder / f"{name}.parquet", {**keys(rows, levels), "v2": rng.random(rows)})
    ids = {f"id{k + 1}": rng.integers(0, c, n) for k, c in enumerate(counts)}
    named = {f"id{k + 4}": texts("id", ids[f"id{k + 1}"], 1) for k in range(3)}
    write(folder / "x.parquet", {**ids, **named, "v1": rng.random(n)})


def by(keys: list[str], **results: tuple[str, str]) -> Ways:
    """Return the ways to aggregate: ``result=(column, name)`` for each group."""
    others = {"count": "len"}

    def in_pandas(t: Any) -> Any:
        return t["x"].groupby(keys).agg(**results)

    def in_polars(pl: Any, t: Any) -> Any:
        made = [
            getattr(pl.col(column), others.get(how, how))().alias(name)
            for name, (column, how) in results.items()
        ]
        return t["x"].group_by(keys).agg(made).select(list(results))

    names = {"mean": "avg", "std": "stddev_samp"}
    made = ", ".join(
        f"{names.get(how, how)}({column}) AS {name}" for name, (column, how) in results.items()
    )
    return in_pandas, in_polars, f"SELECT {made} FROM $x GROUP BY {', '.join(keys)}"


def range_of(t: Any) -> Any:
    found = t["x"].groupby("id3").agg(high=("v1", "max"), low=("v2", "min"))
    return found.high - found.low


def correlation(t: Any) -> Any:
    """Return the squares of correlations of groups, by sums as users of large data write it."""
    x = t["x"]
    x = x.assign(ab=x.v1 * x.v2, aa=x.v1 * x.v1, bb=x.v2 * x.v2)
    s = x.groupby(["id2", "id4"]).agg(
        n=("v1", "count"),
        a=("v1", "sum"),
        b=("v2", "sum"),
        ab=("ab", "sum"),
        aa=("aa", "sum"),
        bb=("bb", "sum"),
    )
    return (s.n * s.ab - s.a * s.b) ** 2 / ((s.n * s.aa - s.a**2) * (s.n * s.bb - s.b**2))


SUMS = {name: (name, "sum") for name in ("v1", "v2", "v3")}
MEANS = {name: (name, "mean") for name in ("v1", "v2", "v3")}
QUERIES: dict[int, Ways] = {
    1: by(["id1"], v1=("v1", "sum")),
    2: by(["id1", "id2"], v1=("v1", "sum")),
    3: by(["id3"], v1=("v1", "sum"), v3=("v3", "mean")),
    4: by(["id4"], **MEANS),
    5: by(["id6"], **SUMS),
    6: by(["id4", "id5"], median=("v3", "median"), std=("v3", "std")),
    7: (
        range_of,
        lambda pl, t: t["x"].group_by("id3").agg(pl.col("v1").max() - pl.col("v2").min()),
        "SELECT max(v1) - min(v2) AS range FROM $x GROUP BY id3",
    ),
    8: (
        lambda t: t["x"].groupby("id6").v3.nlargest(2),
        lambda pl, t: t["x"].group_by("id6").agg(pl.col("v3").top_k(2)).explode("v3").select("v3"),
        "SELECT v3 FROM (SELECT v3, row_number() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS place"
        " FROM $x) WHERE place <= 2",
    ),
    9: (
        correlation,
        lambda pl, t: t["x"].group_by("id2", "id4").agg(pl.corr("v1", "v2") ** 2).select("v1"),
        "SELECT corr(v1, v2) ** 2 AS r2 FROM $x GROUP BY id2, id4",
    ),
    10: by([f"id{k}" for k in range(1, 7)], v3=("v3", "sum"), count=("v1", "count")),
}


NOT_IN_DASK = (8,)  # whose groups have no nlargest
IN_MEMORY = (1, 3, 4, 6, 10)  # few texts, many, few numbers, medians, as many groups as rows


def by_groups(number: int, ways: Ways) -> dict[str, Prepare]:
    found = implementations(("x",), ways)
    return {k: v for k, v in found.items() if k != "dask" or number not in NOT_IN_DASK}


def joined(other: str, key: str, how: str = "inner") -> Ways:
    """Return the ways to join, and to sum what comes up."""

    def in_pandas(t: Any) -> Any:
        found = t["x"].merge(t[other], on=key, how=how)
        return found[["v1", "v2"]].sum()

    def in_polars(pl: Any, t: Any) -> Any:
        found = t["x"].join(t[other], on=key, how=how)
        return found.select(pl.col("v1", "v2").sum()).unpivot().select("value")

    sql = f"SELECT unnest([sum(v1), sum(v2)]) AS value FROM $x {how} JOIN ${other} USING ({key})"
    return in_pandas, in_polars, sql


JOINS = {
    1: ("small", "id1", "inner"),
    2: ("medium", "id2", "inner"),
    3: ("medium", "id2", "left"),
    4: ("medium", "id5", "inner"),
    5: ("big", "id3", "inner"),
}
SIZES = {"full": {"n": 10_000_000}, "quick": {"n": 2_000}}

WORKLOADS = (
    *(
        Workload(
            name=f"h2o-groupby-{number}",
            about=f"query {number} of H2O's group-bys, {{n}} rows",
            sizes=SIZES,
            implementations=by_groups(number, ways),
            goals={"pandas": 1} if number in NOT_IN_DASK else {"dask": 2, "pandas": 1},
            files=write_groups,
            modules=FRAMES,
        )
        for number, ways in QUERIES.items()
    ),
    *(
        Workload(
            name=f"h2o-groupby-{number}-in-memory",
            about=f"query {number} of H2O's group-bys of a frame in memory, {{n}} rows",
            sizes=SIZES,
            implementations=in_memory(("x",), QUERIES[number]),
            goals={"dask": 2, "pandas": 1},
            files=write_groups,
            modules=FRAMES,
        )
        for number in IN_MEMORY
    ),
    *(
        Workload(
            name=f"h2o-join-{number}",
            about=f"query {number} of H2O's joins: {how} by {key}, {{n}} rows",
            sizes=SIZES,
            implementations=implementations(("x", other), joined(other, key, how)),
            goals={"pandas": 1, "duckdb": 1},
            files=write_joined,
            modules=FRAMES,
        )
        for number, (other, key, how) in JOINS.items()
    ),
)
