"""Gradients against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq

CLOSE = {"rtol": 1e-9, "atol": 1e-9}


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient(edge_order):
    a = np.random.default_rng(0).random((6, 7))
    x = ga.from_array(a, chunks=(4, 3))
    for ours, theirs in zip(
        ga.gradient(x, edge_order=edge_order), np.gradient(a, edge_order=edge_order), strict=True
    ):
        assert_eq(ours, theirs, **CLOSE)
    places = np.cumsum(np.arange(1.0, 8.0))
    assert_eq(
        ga.gradient(x, places, axis=1, edge_order=edge_order),
        np.gradient(a, places, axis=1, edge_order=edge_order),
        **CLOSE,
    )
    with pytest.raises(ValueError, match="too small"):
        ga.gradient(x[:1], axis=0)


@pytest.mark.parametrize("dtype", ["M8[D]", "M8[ns]", "m8[s]", "f2", "u1"])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_dtypes(dtype, edge_order):
    array = np.array([1, 3, 4, 9, 20], "u1").astype(dtype)
    x = ga.from_array(array, chunks=2)
    assert_eq(ga.gradient(x, edge_order=edge_order), np.gradient(array, edge_order=edge_order))


def test_truth_values_have_no_gradient():
    with pytest.raises(TypeError, match="boolean subtract"):
        ga.gradient(ga.arange(3) > 1)
