"""Counts in bins, and sums of weights in a fixed order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..cuda_harness import needs_numba_cuda

DTYPES = [np.int8, np.int64, np.uint16, np.float32, np.float64]
WEIGHTS = [None, np.int32, np.float32, np.float64]
SIZES = [0, 1, 15, 200, 500]


def weights_of(dtype, n, seed):
    weights = np.random.default_rng(seed).uniform(-9, 9, n)
    return None if dtype is None else weights.astype(dtype)


def same(found, expected, weights):
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if weights is None or weights.dtype.kind in "iu":
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_random_counts_of_integers(target):
    @settings(max_examples=target.few)
    @given(
        st.sampled_from(SIZES),
        st.sampled_from([np.int8, np.uint8, np.int64]),
        st.sampled_from(WEIGHTS),
        st.integers(0, 99),
    )
    def run(n, dtype, kind, seed):
        values = np.random.default_rng(seed).integers(0, 40, n).astype(dtype)
        weights = weights_of(kind, n, seed)
        found = target.run("histogram.bincount", values, 50, weights)
        expected = np.bincount(values, weights, minlength=50)
        if weights is not None:
            expected, weights = expected.astype(float), weights.astype(float)
        same(found, expected, weights)

    run()


def test_random_histograms(target):
    @settings(max_examples=2 * target.few)
    @given(
        st.sampled_from(SIZES),
        st.sampled_from(DTYPES),
        st.sampled_from(WEIGHTS),
        st.sampled_from([1, 2, 7, 40]),
        st.booleans(),
        st.integers(0, 99),
    )
    def run(n, dtype, kind, bins, equal, seed):
        rng = np.random.default_rng(seed)
        values = rng.uniform(-1, 99, n).round(seed % 3).astype(dtype)
        if values.dtype.kind == "f":
            values[::17] = np.nan
        weights = weights_of(kind, n, seed)
        edges = np.histogram_bin_edges(values[:0], bins, (5, 80))
        options = {"bins": bins, "range": (5, 80)}
        if not equal:
            edges = np.sort(rng.integers(0, 90, bins + 1)).astype(float)
            options = {"bins": edges}
        found = target.run("histogram.histogram", values, edges, equal, weights)
        expected = np.histogram(values, **options, weights=weights)[0]
        if weights is not None and weights.dtype.kind in "iu":
            expected = expected.astype(np.int64)
        same(found, expected, weights)

    run()


def test_values_on_edges_count_as_with_numpy(target):
    edges = np.linspace(0.1, 0.9, 33)
    values = np.concatenate([edges, np.nextafter(edges, 0), np.nextafter(edges, 1)])
    found = target.run("histogram.histogram", values, edges, True)
    np.testing.assert_array_equal(found, np.histogram(values, 32, (0.1, 0.9))[0])


def test_more_bins_than_fit_shared_memory(target):
    values = np.arange(0, 20_000, 97)
    found = target.run("histogram.bincount", values, 20_000)
    np.testing.assert_array_equal(found, np.bincount(values, minlength=20_000))


def test_the_same_bits_in_every_run(target):
    rng = np.random.default_rng(1)
    values, weights = rng.integers(0, 5, 600), rng.standard_normal(600)
    first, second = (target.run("histogram.bincount", values, 5, weights) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_workspace_is_what_is_said(simulator):
    from gpuscale.kernels.histogram.histogram_cuda import workspace_bytes

    for n in (0, 1, 500):
        values, weights = np.zeros(n, int), np.ones(n)
        for each, needs in ((None, 0), (weights, workspace_bytes(n, 7, 8, 16))):
            result, allocated, _ = simulator.ask("histogram.bincount", values, 7, each, threads=16)
            assert allocated - result.nbytes == needs


@needs_numba_cuda
@pytest.mark.parametrize(
    ("dtype", "kind"), [(np.int32, None), (np.float64, np.int64), (np.float32, np.float32)]
)
def test_kernels_compile(compiler, dtype, kind):
    values, weights = np.ones(9999, dtype), weights_of(kind, 9999, 1)
    n_kernels = 1 if kind is None else 2
    for equal in (False, True):
        arguments = (values, np.arange(9.0), equal, weights)
        _, _, compiled = compiler.ask("histogram.histogram", *arguments)
        assert len(compiled) == n_kernels


def test_bad_input_is_named(target):
    with pytest.raises(TypeError, match="integers and floats, not complex128: use astype"):
        target.run("histogram.bincount", np.ones(3, complex), 4)
    with pytest.raises(ValueError, match="one dimension, not 2: use ravel"):
        target.run("histogram.bincount", np.ones((3, 3), int), 4)
    with pytest.raises(ValueError, match="2 weights do not belong to 3 values"):
        target.run("histogram.histogram", np.ones(3), np.arange(3.0), False, np.ones(2))


@needs_numba_cuda
@pytest.mark.parametrize("length", [100, 100_000])
def test_kernels_of_integers_compile(compiler, length):
    values = np.ones(99, np.int32)
    _, _, compiled = compiler.ask("histogram.bincount", values, length)
    assert len(compiled) == 1
    _, _, compiled = compiler.ask("histogram.bincount", values, length, np.ones(99))
    assert len(compiled) == 2
