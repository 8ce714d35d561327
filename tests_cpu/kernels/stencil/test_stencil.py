"""Weighted neighbourhoods, with every boundary that map_overlap knows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.kernels.stencil.boundaries import BOUNDARIES

from ..cuda_harness import needs_numba_cuda

PADDING = {"periodic": "wrap", "reflect": "symmetric", "nearest": "edge"}
SHAPES = [(1, 1), (3, 40), (20, 7), (0, 3), (5, 3, 40), (1, 2, 3)]


def oracle(values, weights, boundary, constant):
    margins = [(size // 2, size // 2) for size in weights.shape]
    if boundary in PADDING:
        padded = np.pad(values, margins, PADDING[boundary])
    else:
        beyond = constant if boundary == "constant" else 0
        padded = np.pad(values, margins, constant_values=beyond)
    windows = np.lib.stride_tricks.sliding_window_view(padded, weights.shape)
    axes = tuple(range(values.ndim, 2 * values.ndim))
    return (windows * weights).sum(axis=axes)


def test_random_neighbourhoods(target):
    @settings(max_examples=2 * target.few)
    @given(
        st.sampled_from(SHAPES),
        st.sampled_from([np.float32, np.float64]),
        st.sampled_from(BOUNDARIES),
        st.tuples(*[st.sampled_from([1, 3, 5])] * 3),
        st.integers(0, 99),
    )
    def run(shape, dtype, boundary, sizes, seed):
        rng = np.random.default_rng(seed)
        values = rng.standard_normal(shape).astype(dtype)
        weights = rng.integers(-2, 3, sizes[: len(shape)]).astype(dtype)
        found = target.run("stencil.stencil", values, weights, boundary, 1.5)
        assert found.dtype == values.dtype
        assert found.shape == values.shape
        if values.size:
            expected = oracle(values, weights, boundary, 1.5)
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)

    run()


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_neighbourhood_larger_than_the_grid(target, boundary):
    values, weights = np.arange(6.0).reshape(2, 3), np.arange(63.0).reshape(7, 9)
    found = target.run("stencil.stencil", values, weights, boundary, 2.0)
    np.testing.assert_allclose(found, oracle(values, weights, boundary, 2.0))


def test_what_has_no_weight_is_no_neighbour(target):
    values = np.zeros((3, 3))
    values[0, 0] = np.nan
    cross = np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
    found = target.run("stencil.stencil", values, cross, "nearest")
    touched = {(0, 0), (0, 1), (1, 0)}
    assert {tuple(place) for place in np.argwhere(np.isnan(found)).tolist()} == touched


def test_bad_input_is_named(target):
    grid, weights = np.ones((4, 4)), np.ones((3, 3))
    for values, around, boundary, kind, message in [
        (grid[0], weights[0], "none", ValueError, "two or three dimensions"),
        (grid, weights[:2], "none", ValueError, r"odd sizes, not \(2, 3\)"),
        (grid, weights, "mirror", ValueError, "boundary 'mirror' is none of"),
        (grid.astype(int), weights, "none", TypeError, "float32 and float64, not int64"),
    ]:
        with pytest.raises(kind, match=message):
            target.run("stencil.stencil", values, around, boundary)


def test_what_does_not_fit_shared_memory_is_named(simulator):
    with pytest.raises(ValueError, match="bytes of shared memory, more than 49152"):
        simulator.ask("stencil.stencil", np.ones((4, 4)), np.ones((101, 101)))


@needs_numba_cuda
@pytest.mark.parametrize(("dtype", "ndim"), [(np.float32, 3), (np.float64, 2)])
def test_kernels_compile(compiler, dtype, ndim):
    values, weights = np.ones((9,) * ndim, dtype), np.ones((3,) * ndim, dtype)
    for boundary in BOUNDARIES:
        _, _, compiled = compiler.ask("stencil.stencil", values, weights, boundary)
        assert len(compiled) == 1
