"""Scans along an axis, inclusive and exclusive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.kernels.scan.operations import OPERATIONS, neutral
from gpuscale.kernels.scan.scan_cpu import scan as scan_on_cpu
from gpuscale.testing.equality import assert_eq

from ..cuda_harness import needs_numba_cuda

DTYPES = [np.int8, np.int32, np.int64, np.uint8, np.uint64, np.float32, np.float64]
SHAPES = [(0,), (1,), (5,), (300,), (3, 0), (0, 3), (2, 130), (130, 2), (2, 70, 3), (1, 90, 1)]


def values_of(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return rng.uniform(0.9, 1.1, shape).astype(dtype)
    return rng.integers(0, 100, shape).astype(dtype)


def oracle(values, operation, axis, dtype, exclusive):
    dtype = np.dtype(dtype or values.dtype)
    padded = np.moveaxis(values.astype(dtype), axis, 0)
    first = np.full((1, *padded.shape[1:]), neutral(operation, dtype, exclusive))
    if exclusive:
        padded = np.concatenate([first, padded])[: padded.shape[0]]
    with np.errstate(over="ignore"):
        result = getattr(np, operation).accumulate(padded, axis=0, dtype=dtype)
    return np.moveaxis(result, 0, axis)


def check(target, values, operation, axis, dtype, exclusive):
    found = target.run("scan.scan", values, operation, axis, dtype, exclusive)
    expected = oracle(values, operation, axis, dtype, exclusive)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if found.dtype.kind == "f" and operation in ("add", "multiply"):
        tolerance = 1e-4 if found.dtype.itemsize == 4 else 1e-12
        np.testing.assert_allclose(found, expected, rtol=tolerance)
    else:
        np.testing.assert_array_equal(found, expected)


def test_random_scans(target):
    @settings(max_examples=2 * target.few)
    @given(
        st.sampled_from(SHAPES),
        st.sampled_from(DTYPES),
        st.sampled_from([None, np.float64, np.int64]),
        st.sampled_from(OPERATIONS),
        st.integers(-3, 2),
        st.booleans(),
        st.integers(0, 99),
    )
    def run(shape, dtype, into, operation, axis, exclusive, seed):
        axis = axis % len(shape)
        check(target, values_of(shape, dtype, seed), operation, axis, into, exclusive)

    run()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", [(300,), (2, 150), (150, 2)])
def test_segments_of_a_line(target, operation, shape):
    axis = shape.index(max(shape))
    check(target, values_of(shape, np.float64, 1), operation, axis, None, False)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nan_stays_to_the_end(target, operation):
    values = np.array([2.0, 1.0, np.nan, 3.0, -np.inf, np.inf])
    check(target, values, operation, 0, None, False)


def test_sums_of_negative_zeros_are_negative(target):
    found = target.run("scan.scan", np.full(130, -0.0), "add")
    assert np.signbit(found).all()
    found = target.run("scan.scan", np.full(130, -0.0), "add", exclusive=True)
    assert not np.signbit(found[0])


def test_the_same_bits_in_every_run(target):
    values = np.random.default_rng(2).standard_normal(500)
    first, second = (target.run("scan.scan", values, "add") for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_workspace_is_what_is_said(simulator):
    from gpuscale.kernels.scan.scan_cuda import workspace_bytes

    for shape, axis in [((500,), 0), ((3, 200), 1), ((200, 3), 0), ((0, 3), 0), ((2, 5), 1)]:
        values = np.ones(shape)
        result, allocated, _ = simulator.ask("scan.scan", values, "add", axis, threads=16)
        assert allocated - result.nbytes == workspace_bytes(shape, axis, values.dtype, 16)


def test_bad_input_is_named(target):
    with pytest.raises(ValueError, match="a scan takes one of add, multiply"):
        target.run("scan.scan", np.ones(3), "subtract")
    with pytest.raises(TypeError, match="integers and floats, not complex128: use astype"):
        target.run("scan.scan", np.ones(3, complex), "add")
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        target.run("scan.scan", np.ones((3, 3)), "add", 2)


@needs_numba_cuda
@pytest.mark.parametrize(
    ("operation", "dtype", "exclusive"),
    [
        ("add", np.int64, False),
        ("multiply", np.float32, True),
        ("minimum", np.uint8, False),
        ("maximum", np.float64, True),
    ],
)
def test_kernels_compile(compiler, operation, dtype, exclusive):
    for shape, axis, n_kernels in [((200_000,), 0, 3), ((200_000, 2), 0, 3)]:
        values = np.ones(shape, dtype)
        _, _, compiled = compiler.ask("scan.scan", values, operation, axis, exclusive=exclusive)
        assert len(compiled) == n_kernels


def test_the_twin_takes_any_stride():
    values = np.arange(24.0).reshape(4, 6)[::2, ::-2]
    assert_eq(scan_on_cpu(values, "add", 0), values.cumsum(0))
