"""The headline on real input: a memory-mapped .npy file and a Zarr array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import Limit, Run, Size, Workload, lazily
from benchmarks.workloads.headline import expression

CHUNK = 2500


def write_npy(size: Size, folder: Path) -> None:
    n = size["n"]
    rng = np.random.default_rng(1)
    out = np.lib.format.open_memmap(folder / "x.npy", mode="w+", dtype="f8", shape=(n, n))
    for start in range(0, n, CHUNK):
        rows = out[start : start + CHUNK]
        rng.random(out=rows)


def write_zarr(size: Size, folder: Path) -> None:
    import zarr

    n = size["n"]
    rng = np.random.default_rng(1)
    chunk = min(CHUNK, n)
    # Random numbers do not compress; without a codec the reading is what is measured.
    out = zarr.create_array(
        folder / "x.zarr", shape=(n, n), chunks=(chunk, chunk), dtype="f8", compressors=None
    )
    for start in range(0, n, CHUNK):
        out[start : start + CHUNK] = rng.random((min(CHUNK, n - start), n))


def npy_lazily(xp: Any, size: Size, folder: Path) -> Run:
    def run() -> Any:
        x = xp.from_array(np.load(folder / "x.npy", mmap_mode="r"))
        return expression(x).std(axis=0).compute()

    return run


def npy_with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    return lambda: expression(np.load(folder / "x.npy", mmap_mode="r")).std(axis=0)


def zarr_lazily(xp: Any, size: Size, folder: Path) -> Run:
    return lambda: expression(xp.from_zarr(str(folder / "x.zarr"))).std(axis=0).compute()


def zarr_with_numpy(np_: Any, size: Size, folder: Path) -> Run:
    import zarr

    return lambda: expression(zarr.open_array(folder / "x.zarr", mode="r")[:]).std(axis=0)


def limit(size: Size) -> Limit:
    return Limit(bytes=2 * 8 * size["n"] ** 2)  # read for the mean, read for y


SIZES = {"full": {"n": 20_000}, "quick": {"n": 960}}

WORKLOADS = (
    Workload(
        name="headline-npy",
        about="the same y.std(axis=0), X a memory-mapped .npy file, {n} x {n}",
        sizes=SIZES,
        implementations=lazily(npy_lazily, numpy=npy_with_numpy),
        limit=limit,
        goals={"dask": 3},
        files=write_npy,
    ),
    Workload(
        name="headline-zarr",
        about="the same y.std(axis=0), X a Zarr array without codec, {n} x {n}",
        sizes=SIZES,
        implementations=lazily(zarr_lazily, numpy=zarr_with_numpy),
        limit=limit,
        goals={"dask": 1.5},
        files=write_zarr,
    ),
)
