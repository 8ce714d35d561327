"""What gpuscale is for, at full size: ``python -m benchmarks.demo [--size 100000]``.

First ``y = (X + X.T) - X.mean(axis=0)`` for 80 GB of random numbers that never exist, then the
same expression on files larger than the memory it may use: a Zarr array and a .npy file, written
by zarr and NumPy, the results checked against NumPy.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory import PeakMemory
from gpuscale.base.sizes import format_bytes

FILE_SIZE = 12_000  # rows and columns of the input files, 1.15 GB each
BLOCK = 1_000  # rows that NumPy writes and checks at a time
PIECES = 3  # the files are this many times as large as the memory limit


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--size", type=int, default=100_000, help="rows of X (default: 100000)")
    parser.add_argument("--file-size", type=int, help=f"rows in the files (default: {FILE_SIZE})")
    parser.add_argument(
        "--folder", type=Path, help="where to write them (default: a temporary one)"
    )
    options = parser.parse_args()
    random_numbers(options.size)
    files(options.file_size or min(FILE_SIZE, options.size), options.folder)


SOURCE = """
       x = ga.random.random((n, n), chunks="1 GiB")
       y = (x + x.T) - x.mean(axis=0)
       y.std(axis=0).compute()
"""


def random_numbers(n: int) -> None:
    """The expression on random numbers, which are made where they are used."""
    import gpuscale.array as ga

    print(f"1. {n:,} x {n:,} random numbers: {8 * n**2 / 1e9:,.3g} GB that never exist")
    print(f"{SOURCE}\nThe plan:\n")
    x = ga.random.random((n, n), chunks="1 GiB")
    y = expression(x)
    result = computed(y.std(axis=0))
    # X + X.T has variance 1/12 + 1/12 in each column, up to the sampling error.
    expected = np.sqrt(1 / 6)
    worst = float(np.abs(result - expected).max())
    if worst > 10 / np.sqrt(n):
        raise SystemExit(f"a column deviates by {worst:.3g} from the expected {expected:.4f}")
    print(f"   all {n:,} deviations within {worst:.2g} of sqrt(1/6)\n")


def files(n: int, parent: Path | None) -> None:
    """The expression on a Zarr array and on a .npy file, larger than the memory limit."""
    import gpuscale
    import gpuscale.array as ga

    nbytes = 8 * n**2
    limit = nbytes // PIECES
    with temporary_folder(parent, 2 * nbytes) as folder:
        print(f"Writing two files of {format_bytes(nbytes)} with zarr and NumPy ...", flush=True)
        write_files(folder, n)
        with gpuscale.config.set({"memory-limit": limit, "array.chunk-size": limit // 16}):
            title = f"{n:,} x {n:,}, with a third of its size as memory limit"
            print(f"\n2. The same y of a Zarr array, {title}\n")
            from_zarr = computed(expression(ga.from_zarr(str(folder / "x.zarr"))).std(axis=0))
            print(f"\n3. The same y of a .npy file, {title}\n")
            npy = np.load(folder / "x.npy", mmap_mode="r")
            from_npy = computed(expression(ga.from_array(npy)).std(axis=0))
        print("\nChecking against NumPy, block by block ...", flush=True)
        expected = reference(npy)
        for name, result in (("Zarr", from_zarr), (".npy", from_npy)):
            np.testing.assert_allclose(result, expected, rtol=1e-10)
            print(f"   {name}: all {n:,} deviations equal to NumPy's")


def expression(x: Any) -> Any:
    return (x + x.T) - x.mean(axis=0)


def computed(y: Any) -> np.ndarray:
    """Print the plan, compute, print time and memory."""
    print(y.explain())
    print(flush=True)
    start = time.perf_counter()
    with PeakMemory() as memory:
        result = y.compute()
    seconds = time.perf_counter() - start
    peak, before = (format_bytes(size) for size in (memory.peak, memory.before))
    print(f"\n   {seconds:.1f} s, peak memory {peak} (Python and its libraries before: {before})")
    return result


@contextmanager
def temporary_folder(parent: Path | None, needed: int) -> Iterator[Path]:
    """Make a folder on a disk with enough room; remove it whatever happens."""
    with tempfile.TemporaryDirectory(prefix="gpuscale-demo-", dir=parent) as name:
        free = shutil.disk_usage(name).free
        if free < 1.1 * needed:
            raise SystemExit(
                f"the files need {needed / 1e9:.1f} GB and {name} has {free / 1e9:.1f} GB free; "
                "use --folder to write elsewhere or --file-size to write less"
            )
        yield Path(name)


def write_files(folder: Path, n: int) -> None:
    """Write the same random matrix as x.zarr and x.npy, a block of rows at a time."""
    import zarr

    rng = np.random.default_rng(2026)
    chunk = -(-n // 12)  # a stored chunk is then a third of those that the limit allows
    as_zarr = zarr.create_array(folder / "x.zarr", shape=(n, n), chunks=(chunk, chunk), dtype="f8")
    as_npy = np.lib.format.open_memmap(folder / "x.npy", mode="w+", dtype="f8", shape=(n, n))
    for rows in blocks(n):
        numbers = rng.random((rows.stop - rows.start, n))
        as_zarr[rows] = numbers
        as_npy[rows] = numbers
    as_npy.flush()


def blocks(n: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]


def reference(x: np.ndarray) -> np.ndarray:
    """Column deviations of the expression by NumPy, holding one block of rows at a time."""
    n = len(x)
    column_means = over_blocks(n, lambda rows: x[rows]) / n

    def y(rows: slice) -> np.ndarray:
        return (x[rows] + x[:, rows].T) - column_means

    mean = over_blocks(n, y) / n
    return np.sqrt(over_blocks(n, lambda rows: (y(rows) - mean) ** 2) / n)


def over_blocks(n: int, values: Callable[[slice], np.ndarray]) -> np.ndarray:
    """Sum over axis 0 of all blocks."""
    return sum((values(rows).sum(axis=0) for rows in blocks(n)), np.zeros(n))


if __name__ == "__main__":
    main()
