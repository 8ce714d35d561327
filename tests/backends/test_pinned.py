"""Copies through pinned buffers are those of CuPy, whatever the layout and the size."""

import numpy as np
import pytest

from gpuscale.backends.pinned import PIECE, stager_of


def host(name):
    rng = np.random.default_rng(0)
    if name == "pieces":  # three, the last one short
        return rng.random(2 * PIECE // 8 + 12_345)
    if name in ("matrix", "transposed"):
        matrix = rng.random((1_500, 2_001))
        return matrix.T if name == "transposed" else matrix
    if name == "strided":
        return rng.random(3_000_001)[::2]
    if name == "bool":
        return rng.random(20_000_000) > 0.5
    if name == "complex":
        return rng.random(900_000) + 1j * rng.random(900_000)
    return {"small": np.arange(7), "empty": np.empty((0, 5)), "no axes": np.array(2.5)}[name]


NAMES = (
    "pieces",
    "matrix",
    "transposed",
    "strided",
    "bool",
    "complex",
    "small",
    "empty",
    "no axes",
)


@pytest.mark.gpu
@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(cupy, name):
    stager, expected = stager_of(cupy), host(name)
    with cupy.cuda.Stream(non_blocking=True):
        device = stager.upload(expected)
        assert device.shape == expected.shape and device.dtype == expected.dtype
        np.testing.assert_array_equal(cupy.asnumpy(device), expected)
        np.testing.assert_array_equal(stager.fetch(device), expected)
    np.testing.assert_array_equal(stager.fetch(cupy.asarray(expected)), expected)
    np.testing.assert_array_equal(stager.fetch(cupy.asarray(expected).T), expected.T)


@pytest.mark.gpu
def test_a_fetch_waits_for_the_work_of_its_stream(cupy):
    stager = stager_of(cupy)
    with cupy.cuda.Stream(non_blocking=True):
        x = cupy.zeros(4_000_000)
        for _ in range(50):
            x += 1.0
        assert (stager.fetch(x) == 50.0).all()
