"""Hand-written kernels on a device: what their twins compute, with the same bits in every run."""

import importlib

import numpy as np
import pytest

from gpuscale.backends import seams
from gpuscale.codegen.device_cuda import KernelDevice
from gpuscale.codegen.target_cuda import CupyLauncher

RNG = np.random.default_rng(11)
N = 300_007  # of many blocks, the last one short
VALUES, PLACES = RNG.standard_normal(N), RNG.integers(0, 5_000, N)
GRID = RNG.standard_normal((511, 259)).astype(np.float32)
CUBE = RNG.standard_normal((9, 60, 70))

CASES = {
    "scan.scan": [
        (VALUES, "add"),
        (VALUES, "maximum"),
        (PLACES, "add", 0, None, True),
        (GRID, "minimum", 0),
    ],
    "histogram.bincount": [(PLACES, 5_000), (PLACES, 5_000, VALUES), (20 * PLACES, 100_000)],
    "histogram.histogram": [(VALUES, np.linspace(-1, 2, 101), True, VALUES)],
    "topk.topk": [(VALUES, 100), (GRID, 7, False), (PLACES, 1_000)],
    "transpose.transpose": [(GRID,), (CUBE,), (CUBE.astype(complex),)],
    "rows.gather": [(GRID, PLACES % 511), (GRID, PLACES % 511, slice(1, None, 3))],
    "masks.positions": [(VALUES > 1,)],
    "masks.compress": [(VALUES, VALUES > 1)],
    "stencil.stencil": [
        (GRID, np.arange(15, dtype=np.float32).reshape(3, 5), "reflect"),
        (CUBE, np.arange(27.0).reshape(3, 3, 3), "periodic"),
    ],
}


def run(cupy, name, case):
    family, function = name.split(".")
    module = importlib.import_module(f"gpuscale.kernels.{family}.{family}_cuda")
    given = [cupy.asarray(each) if isinstance(each, np.ndarray) else each for each in case]
    result = getattr(module, function)(KernelDevice(CupyLauncher(cupy)), *given)
    return [each.get() for each in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.gpu
@pytest.mark.parametrize("name", CASES)
def test_twins_agree_and_runs_have_the_same_bits(cupy, name):
    family, function = name.split(".")
    twin = getattr(importlib.import_module(f"gpuscale.kernels.{family}.{family}_cpu"), function)
    for case in CASES[name]:
        expected = twin(*case)
        first, second = (run(cupy, name, case) for _ in range(2))
        wanted = expected if isinstance(expected, tuple) else (expected,)
        for mine, again, other in zip(first, second, wanted, strict=True):
            assert mine.dtype == other.dtype and mine.shape == other.shape
            assert mine.tobytes() == again.tobytes()
            np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-4)


@pytest.mark.gpu
def test_rows_of_the_seams(cupy):
    values, places = cupy.asarray(VALUES), cupy.asarray(PLACES)
    found = seams.accumulate(values, "maximum", 0)
    np.testing.assert_array_equal(found.get(), np.maximum.accumulate(VALUES))
    found = seams.bincount(places, values, 5_000)
    np.testing.assert_allclose(found.get(), np.bincount(PLACES, VALUES), atol=1e-9)
    found = seams.best_values(values, -9, 0)
    np.testing.assert_array_equal(np.sort(found.get()), np.sort(VALUES)[:9])
