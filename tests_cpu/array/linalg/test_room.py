"""Functions of LAPACK take no more memory than is projected.

What is measured are NumPy's arrays, as conversions are; LAPACK's own are not seen from here.
"""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing.memory import assert_room_is_enough

LINALG = ga.linalg


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("shape", [(120, 120), (600, 40), (40, 600)])
@pytest.mark.parametrize("chunks", [-1, 60])
def test_of_matrices(dtype, shape, chunks):
    x = ga.from_array(np.random.default_rng(0).random(shape).astype(dtype), chunks=chunks)
    assert_room_is_enough(*LINALG.qr(x))
    assert_room_is_enough(LINALG.qr(x, mode="r"))
    assert_room_is_enough(*LINALG.svd(x, full_matrices=False))
    assert_room_is_enough(LINALG.svdvals(x))


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_of_square_matrices(dtype):
    array = np.random.default_rng(0).random((2, 100, 100)) + 200 * np.eye(100)
    x = ga.from_array((array + array.swapaxes(1, 2)).astype(dtype), chunks=(1, -1, -1))
    for function in (LINALG.inv, LINALG.cholesky, LINALG.eigvals, LINALG.eigvalsh):
        assert_room_is_enough(function(x))
    for function in (LINALG.slogdet, LINALG.eig, LINALG.eigh):
        assert_room_is_enough(*function(x))
    assert_room_is_enough(LINALG.solve(x, x))
    assert_room_is_enough(LINALG.det(x / 200))
