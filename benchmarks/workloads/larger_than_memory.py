"""Data of five times the memory limit and more, read from a file piece by piece.

The file is read by `pread`: pages of a mapped file would count as memory of the process.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workload import OURS, Limit, Run, Size, Workload, lazily

PIECES = 100


class FileArray:
    """Numbers in a file, of which slices are read."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self.shape, self.ndim, self.dtype = shape, len(shape), np.dtype("f8")

    def __getitem__(self, index: Any) -> np.ndarray:
        rows, *rest = index if isinstance(index, tuple) else (index,)
        start, stop, _ = rows.indices(self.shape[0])
        out = np.empty((stop - start, *self.shape[1:]))
        target, at = memoryview(out.reshape(-1)).cast("B"), start * out[:1].nbytes
        while target:
            n_read = os.preadv(self._file, [target], at)
            target, at = target[n_read:], at + n_read
        return out[(slice(None), *rest)]


def write_file(size: Size, folder: Path) -> None:
    n = size["n"]
    rng = np.random.default_rng(1)
    with open(folder / "x.bin", "wb") as file:
        for rows in np.array_split(np.arange(n), PIECES):
            rng.random((len(rows), n)).tofile(file)


def opened(xp: Any, size: Size, folder: Path, flat: bool = False) -> Any:
    """Return the data in an array of the library, which is held to the limit if it can be."""
    if xp.__name__.startswith("gpuscale"):
        import gpuscale

        gpuscale.config.set({"memory-limit": f"{size['limit']} MB"})
    n = size["n"]
    shape = (n * n,) if flat else (n, n)
    piece = -(-shape[0] // PIECES)
    return xp.from_array(FileArray(folder / "x.bin", shape), chunks=(piece, *shape[1:]))


def to_file(make: Callable[[Any], Any], flat: bool = False) -> Callable[..., Run]:
    """Prepare a run that stores what is made of the data, and returns a part of it."""

    def prepare(xp: Any, size: Size, folder: Path) -> Run:
        x, out = opened(xp, size, folder, flat), folder / "out.zarr"

        def run() -> Any:
            import zarr

            shutil.rmtree(out, ignore_errors=True)
            make(x).to_zarr(str(out))
            return zarr.open_array(out, mode="r")[(slice(100),) * x.ndim]

        return run

    return prepare


def columns(x: Any) -> Any:
    return x.rechunk((x.shape[0], -(-x.shape[1] // PIECES)))


def permuted(x: Any) -> Any:
    return x[np.random.default_rng(2).permutation(len(x))]


def ordered(x: Any) -> Any:
    import gpuscale.array as ga

    return ga.sort(x)


def squares(xp: Any, size: Size, folder: Path) -> Run:
    x = opened(xp, size, folder)
    return lambda: ((x - x.mean(axis=0)) ** 2).sum().compute()


def limit(size: Size) -> Limit:
    return Limit(bytes=2 * 8 * size["n"] ** 2)


SIZES = {"full": {"n": 8_000, "limit": 100}, "quick": {"n": 1_000, "limit": 40}}
# In megabytes: what imports take, and Zarr with its codecs besides the limit.
REDUCED, STORED = 150, 200

WORKLOADS = (
    Workload(
        name="larger-reduction",
        about="((x - x.mean(0))**2).sum(), x {n} x {n} in a file, memory limit {limit} MB",
        sizes=SIZES,
        implementations=lazily(squares),
        limit=limit,
        peak_goal=REDUCED,
        files=write_file,
    ),
    Workload(
        name="larger-rechunk",
        about="x rechunked from rows to columns into Zarr, as large, limit {limit} MB",
        sizes=SIZES,
        implementations=lazily(to_file(columns)),
        limit=limit,
        peak_goal=STORED,
        files=write_file,
    ),
    Workload(
        name="larger-permutation",
        about="x[permutation] of rows into Zarr, as large, limit {limit} MB",
        sizes=SIZES,
        implementations=lazily(to_file(permuted)),
        limit=limit,
        peak_goal=STORED,
        files=write_file,
    ),
    Workload(
        name="larger-sort",
        about="a sort of all numbers of x into Zarr, limit {limit} MB; dask has none",
        sizes=SIZES,
        implementations={OURS: to_file(ordered, flat=True)},
        limit=limit,
        peak_goal=STORED,
        files=write_file,
    ),
    Workload(
        name="larger-huge",
        about="((x - x.mean(0))**2).sum(), x {n} x {n} in a file, memory limit {limit} MB",
        sizes={"full": {"n": 39_000, "limit": 1074}, "quick": {"n": 1_000, "limit": 40}},
        implementations=lazily(squares),
        limit=limit,
        peak_goal=1124,
        files=write_file,
        on_request=True,
    ),
)
