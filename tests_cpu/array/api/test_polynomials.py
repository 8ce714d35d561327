"""Polynomials against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes

CLOSE = {"rtol": 1e-7, "atol": 1e-8}


@pytest.mark.parametrize("dtype", ["i8", "f4", "f8", "c16"])
def test_values(dtype):
    array = np.arange(12).astype(dtype).reshape(3, 4)
    x = ga.from_array(array, chunks=2)
    for p in ([3, 0, 1], [2.5], [], np.array([1, -2], "f4")):
        assert_eq(ga.polyval(p, x), np.polyval(p, array), rtol=1e-6)
    assert_eq(ga.polyval(ga.asarray([1, 2]), x), np.polyval(np.array([1, 2]), array), rtol=1e-6)


@pytest.mark.parametrize("deg", [0, 1, 3])
@pytest.mark.parametrize("shape", [(40,), (40, 2)])
@pytest.mark.parametrize("weighted", [False, True])
def test_fits(deg, shape, weighted):
    rng = np.random.default_rng(1)
    a, b = rng.random(40), rng.random(shape)
    w = rng.random(40) if weighted else None
    x, y = ga.from_array(a, chunks=15), ga.from_array(b, chunks=15)
    with nothing_computes():
        lazy = ga.polyfit(x, y, deg, w=w)
    assert_eq(lazy, np.polyfit(a, b, deg, w=w), **CLOSE)
    full = ga.polyfit(x, y, deg, full=True, w=w), np.polyfit(a, b, deg, full=True, w=w)
    for number, (ours, theirs) in enumerate(zip(*full, strict=True)):
        if number == 2:
            assert int(ours) == int(theirs)
        else:
            assert_eq(ours, theirs, **CLOSE)
    for cov in (True, "unscaled"):
        ours, theirs = ga.polyfit(x, y, deg, cov=cov, w=w), np.polyfit(a, b, deg, cov=cov, w=w)
        np.testing.assert_allclose(ours[1].compute(), np.reshape(theirs[1], ours[1].shape), 1e-6)


def test_bad_input():
    x = ga.arange(4, chunks=2)
    with pytest.raises(ValueError, match="deg"):
        ga.polyfit(x, x, -1)
    for a, b in ((x[None], x), (x[:0], x[:0]), (x, x[1:]), (x, x.reshape(2, 2, 1)[:, :, 0])):
        with pytest.raises(TypeError, match="expected"):
            ga.polyfit(a, b, 1)
    with pytest.raises(TypeError, match="expected w"):
        ga.polyfit(x, x, 1, w=[1, 2])
    with pytest.raises(ValueError, match="must exceed"):
        ga.polyfit(x, x, 3, cov=True)
