"""Rows of the seams for CuPy over NumPy's arrays, which have the same names: in the simulator."""

import subprocess
import sys

import numpy as np
import pytest

from ..kernels.cuda_harness import ROOT, Server

ROWS = "gpuscale.codegen.rows_cuda"

SCRIPT = """
import sys
import gpuscale.codegen
from gpuscale.backends import seams
assert "cupy" not in sys.modules
import cupy
from gpuscale.codegen import rows_cuda
for name in ("accumulate", "bincount", "histogram", "best_values", "best_positions"):
    row = getattr(seams, name).dispatch(cupy.ndarray)
    assert row is getattr(rows_cuda, "_" + name), name
assert "numba" not in sys.modules
"""


@pytest.fixture(scope="module")
def server():
    server = Server("simulate")
    yield server
    server.close()


@pytest.fixture
def row(server):
    return lambda name, *arguments: server.call(ROWS, name, *arguments)[0]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("ufunc", ["add", "multiply", "minimum", "maximum"])
@pytest.mark.parametrize("dtype", ["?", "i1", "u8", "f2", "f4", "f8"])
def test_running_results(row, rng, ufunc, dtype):
    chunk = (3 * rng.random((9, 4))).astype(dtype)[::2, ::-1]
    found = row("_accumulate", chunk, ufunc, 0)
    assert found.dtype == chunk.dtype
    expected = getattr(np, ufunc).accumulate(chunk, axis=0, dtype=chunk.dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-2 if dtype == "f2" else 1e-6)


@pytest.mark.parametrize(
    ("ufunc", "dtype"),
    [("maximum", "c16"), ("hypot", "f8"), ("subtract", "f4"), ("bitwise_xor", "i4")],
)
def test_running_results_that_no_kernel_has(row, rng, ufunc, dtype):
    chunk = (9 * rng.random((9, 4))).astype(dtype)
    expected = getattr(np, ufunc).accumulate(chunk, axis=0)
    np.testing.assert_allclose(row("_accumulate", chunk, ufunc, 0), expected, rtol=1e-6)


def test_counts_and_sums_of_integers(row, rng):
    chunk, weights = rng.integers(0, 9, 40)[::2], rng.random(60)[::3]
    np.testing.assert_array_equal(
        row("_bincount", chunk, None, 12), np.bincount(chunk, minlength=12)
    )
    np.testing.assert_allclose(
        row("_bincount", chunk, weights, 12), np.bincount(chunk, weights, minlength=12)
    )


@pytest.mark.parametrize("kind", [None, "f2", "f4", "f8", "i4", "c16"])
@pytest.mark.parametrize("limits", [None, (0.1, 0.9)])
def test_histograms(row, rng, kind, limits):
    chunk = rng.random(50).astype(np.float32)
    bins = 7 if limits else np.array([0.0, 0.2, 0.25, 0.7])
    weights = None if kind is None else (10 * rng.random(50)).astype(kind)
    if kind == "c16":
        weights = weights - 3j * rng.random(50)
    found = row("_histogram", chunk, bins, limits, weights)
    expected = np.histogram(chunk, bins, limits, weights=weights)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-2 if kind == "f2" else 1e-6)


@pytest.mark.parametrize(
    ("dtype", "k"), [("?", 2), ("i2", -3), ("f2", 3), ("f8", -1), ("c16", 3), ("c16", -3)]
)
def test_the_best(row, rng, dtype, k):
    chunk = (10 * rng.random((2, 6, 2))).astype(dtype)
    ordered = np.sort(chunk, axis=1)
    expected = ordered[:, -k:] if k > 0 else ordered[:, :-k]
    found = row("_best_values", chunk, k, 1)
    assert found.dtype == chunk.dtype
    np.testing.assert_array_equal(np.sort(found, axis=1), expected)
    places = row("_best_positions", chunk, k, 1)
    found = np.take_along_axis(chunk, places, 1)
    np.testing.assert_array_equal(np.sort(found, axis=1), expected)


def test_rows_are_loaded_with_the_first_array_and_need_no_numba(tmp_path):
    """In a process of its own, where no CuPy was or will be loaded."""
    (tmp_path / "cupy.py").write_text("class ndarray: pass\n")
    paths = f"import sys; sys.path[:0] = {[str(tmp_path), str(ROOT)]!r}\n"
    done = subprocess.run([sys.executable, "-c", paths + SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
