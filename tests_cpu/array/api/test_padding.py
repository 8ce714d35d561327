"""Padding against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes

MODES = [
    "constant",
    "edge",
    "linear_ramp",
    "maximum",
    "mean",
    "median",
    "minimum",
    "reflect",
    "symmetric",
    "wrap",
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", [1, (2, 0), ((1, 3), (0, 2)), ((9, 7), (8, 5))])
def test_pad(mode, width):
    a = np.random.default_rng(0).normal(size=(3, 4))
    x = ga.from_array(a, chunks=2)
    assert_eq(ga.pad(x, width, mode), np.pad(a, width, mode), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("constant", {"constant_values": ((1, 2), (3, 4))}),
        ("linear_ramp", {"end_values": 5}),
        ("maximum", {"stat_length": 2}),
        ("mean", {"stat_length": ((1, 2), (2, 1))}),
        ("reflect", {"reflect_type": "odd"}),
        ("symmetric", {"reflect_type": "odd"}),
    ],
)
def test_pad_options(mode, options):
    a = np.random.default_rng(1).normal(size=(3, 4))
    x = ga.from_array(a, chunks=2)
    assert_eq(ga.pad(x, 2, mode, **options), np.pad(a, 2, mode, **options), rtol=1e-12, atol=1e-12)


def test_pad_by_a_function_and_integers():
    def ones(vector, width, axis, kwargs):
        vector[: width[0]] = 1
        vector[vector.size - width[1] :] = 1

    a = np.arange(6).reshape(2, 3)
    x = ga.from_array(a, chunks=1)
    assert_eq(ga.pad(x, 2, ones), np.pad(a, 2, ones))
    for mode in ("mean", "linear_ramp", "median"):
        assert_eq(ga.pad(x, 2, mode), np.pad(a, 2, mode))


@pytest.mark.parametrize("dtype", ["i4", "u1", "f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 8)])
def test_linear_ramps_round_as_numpy_does(shape, dtype):
    a = np.random.default_rng(2).integers(-90, 90, shape).astype(dtype)
    x = ga.from_array(a, chunks=3)
    assert_eq(ga.pad(x, 5, "linear_ramp"), np.pad(a, 5, "linear_ramp"))
    options = {"end_values": (3, 100)}
    assert_eq(ga.pad(x, 3, "linear_ramp", **options), np.pad(a, 3, "linear_ramp", **options))


def test_bad_input():
    x = ga.ones((2, 2))
    with pytest.raises(ValueError, match="negative"):
        ga.pad(x, -1)
    with pytest.raises(ValueError, match="not supported"):
        ga.pad(x, 1, mode="magic")
    with pytest.raises(ValueError, match="unsupported keyword"):
        ga.pad(x, 1, mode="edge", constant_values=3)
    with pytest.raises(TypeError, match="integral"):
        ga.pad(x, 1.5)
    with pytest.raises(ValueError, match="empty axis"):
        ga.pad(ga.ones((2, 0)), 1, mode="linear_ramp")


def test_padding_is_lazy():
    with nothing_computes():
        ga.pad(ga.ones((2, 2)), 1, mode="reflect")
