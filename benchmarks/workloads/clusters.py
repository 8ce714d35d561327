"""On a cluster of two worker processes, with one thread each: the same cluster for both.

The peak memory of these rows is that of the process that asks, not of the workers: these have
limits of their own, which the sizes name.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import OURS, Run, Size, Workload

Make = Callable[[Any, Size, Path], Run]


def start(xp: Any, limit: str = "auto") -> Any:
    """Start the cluster, connect to it, and return the client."""
    if xp.__name__.startswith("gpuscale"):
        from gpuscale.cluster import Client, LocalCluster
    else:
        from distributed import Client, LocalCluster
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit=limit, dashboard_address="127.0.0.1:0"
    )
    client = Client(cluster)
    atexit.register(cluster.close)
    atexit.register(client.close)
    return client


def on_cluster(make: Make, limit: str = "auto") -> dict[str, Make]:
    """Return implementations that make the same on a cluster, which is there before."""

    def ours(ga: Any, size: Size, folder: Path) -> Run:
        start(ga, limit)
        return make(ga, size, folder)

    def dasks(distributed: Any, size: Size, folder: Path) -> Run:
        import dask.array as da

        start(da, limit)
        return make(da, size, folder)

    return {OURS: ours, "distributed": dasks}


def headline(xp: Any, size: Size, folder: Path) -> Run:
    n = size["n"]

    def run() -> Any:
        x = xp.random.random((n, n))
        return ((x + x.T) - x.mean(axis=0)).std(axis=0).compute()

    return run


def many_chunks(xp: Any, size: Size, folder: Path) -> Run:
    n, chunk = size["n"], size["chunk"]

    def run() -> Any:
        x = xp.random.random((n, n), chunks=(chunk, chunk))
        return ((x + 1) * 2 - x.mean(axis=0)).sum().compute()

    return run


def write_rows(size: Size, folder: Path) -> None:
    import zarr

    n, rows = size["n"], size["rows"]
    stored = zarr.create_array(
        str(folder / "rows.zarr"), shape=(n, n), chunks=(rows, n), dtype="f8", compressors=None
    )
    rng = np.random.default_rng(1)
    for first in range(0, n, rows):
        stored[first : first + rows] = rng.random((min(rows, n - first), n))


def longest_run(columns: np.ndarray) -> np.ndarray:
    """Something of whole columns that no library takes apart."""
    return (np.diff(columns, axis=0) > 0).sum(axis=0, keepdims=True)


def rechunk(xp: Any, size: Size, folder: Path) -> Run:
    n, rows = size["n"], size["rows"]

    def run() -> Any:
        x = xp.from_zarr(str(folder / "rows.zarr"))
        columns = x.rechunk((n, rows))
        found = columns.map_blocks(longest_run, dtype=int, chunks=((1,), columns.chunks[1]))
        return found.compute()

    return run


def there_and_back(xp: Any, size: Size, folder: Path) -> Run:
    n = size["n"]
    data = np.random.default_rng(1).random((n, n))

    def run() -> Any:
        x = xp.from_array(data, chunks=(n // 16, n)).persist()
        return x.compute()[::1000]

    return run


def first_result(make: Callable[[Any], Any]) -> Make:
    def prepare(library: Any, size: Size, folder: Path) -> Run:
        xp = make(library)

        def run() -> Any:
            with start(xp):
                return xp.ones(size["n"], chunks=size["n"] // 4).sum().compute()

        return run

    return prepare


def dask_array(distributed: Any) -> Any:
    import dask.array

    return dask.array


WORKLOADS = (
    Workload(
        name="cluster-headline",
        about="headline-std, X random {n} x {n}, on two worker processes",
        sizes={"full": {"n": 20_000}, "quick": {"n": 300}},
        implementations=on_cluster(headline),
        same="mean",
        tolerance=1e-2,
        goals={"distributed": 6},
        needs="distributed",
    ),
    Workload(
        name="cluster-chunks",
        about="((x + 1) * 2 - x.mean(0)).sum(), {n} x {n} in chunks of {chunk} x {chunk}, there",
        sizes={"full": {"n": 14_100, "chunk": 100}, "quick": {"n": 100, "chunk": 30}},
        implementations=on_cluster(many_chunks),
        same="mean",
        tolerance=1e-2,
        goals={"distributed": 4},
        needs="distributed",
    ),
    Workload(
        name="cluster-rechunk",
        about="{n} x {n} doubles of a Zarr store from rows to columns, 1 GiB for each worker",
        sizes={"full": {"n": 22_400, "rows": 400}, "quick": {"n": 60, "rows": 20}},
        implementations=on_cluster(rechunk, "1 GiB"),
        goals={"distributed": 1},
        needs="distributed",
        files=write_rows,
    ),
    Workload(
        name="cluster-scatter",
        about="{n} x {n} doubles of this process to two workers, and back",
        sizes={"full": {"n": 11_200}, "quick": {"n": 64}},
        implementations=on_cluster(there_and_back),
        goals={"distributed": 1},
        needs="distributed",
    ),
    Workload(
        name="cluster-start",
        about="from nothing to the first result of a cluster of two processes",
        sizes={"full": {"n": 1000}, "quick": {"n": 40}},
        implementations={
            OURS: first_result(lambda ga: ga),
            "distributed": first_result(dask_array),
        },
        goals={"distributed": 1},
        needs="distributed",
    ),
)
