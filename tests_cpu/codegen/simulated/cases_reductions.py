"""Reductions for CUDA on every layout against the interpreter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.codegen.interpret import interpret_reduce
from gpuscale.codegen.program import AffineIndex, ProgramBuilder
from gpuscale.codegen.reductions import FOLDS, REDUCTIONS
from gpuscale.codegen.run_cuda import CudaTarget
from gpuscale.codegen.simulator_cuda import SimulatorLauncher

from ..drawn import quick, shapes, views

F8 = np.dtype("f8")
NAMES = ("sum", "prod", "min", "max", "any", "all", "count", "argmin", "argmax", "moments")
FEW = ("sum", "argmin", "moments")


@pytest.fixture
def launcher():
    return SimulatorLauncher(threads=32)


def reduce_program(dtype, n):
    b = ProgramBuilder()
    return b.build(*[b.apply("add", b.load(0, dtype), b.load(1, dtype))] * n)


@quick
@given(st.data())
def test_reductions_on_any_layout(target, data):
    shape = data.draw(shapes([16, 17, 31, 100], 4, 1_000, min_dims=1))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1)).map(sorted).map(tuple))
    arrays = [np.broadcast_to(data.draw(views(shape, F8)), shape) for _ in range(2)]
    program = reduce_program(F8, len(FEW))
    got = target.reduce(program, FEW, arrays, [], [], shape, axes)
    want = interpret_reduce(program, FEW, arrays, [], [], shape, axes)
    for g, w in zip(got, want, strict=True):
        assert g.shape == w.shape and g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("char", "?bBhHiIqQfd")
@pytest.mark.parametrize("axes", [(0, 1), (0,), (1,)])
def test_every_reduction_of_every_dtype(target, char, axes, rng):
    dtype = np.dtype(char)
    x = rng.integers(0, 2 if char == "?" else 100, (20, 13)).astype(dtype)
    names = [n for n in NAMES if not (char == "?" and n in ("sum", "prod"))]
    names = [n for n in names if n != "moments" or dtype.kind == "f"]
    names += ["fmin", "fmax"] + (["hypot"] if dtype.kind == "f" else [])
    names += ["bitwise_and", "bitwise_or", "bitwise_xor"] if dtype.kind in "biu" else []
    names.append("logical_xor")
    x = x - x.dtype.type(50) if dtype.kind == "i" else x
    x = (x + 25).astype(dtype) / dtype.type(75) if dtype.kind == "f" else x  # products stay finite
    b = ProgramBuilder()
    program = b.build(*[b.load(0, dtype)] * len(names))
    got = target.reduce(program, tuple(names), [x], [], [], x.shape, axes)
    want = interpret_reduce(program, names, [x], [], [], x.shape, axes)
    parts = [name for name in names for _ in REDUCTIONS[name].dtypes(dtype)]
    for name, g, w in zip(parts, got, want, strict=True):
        assert g.dtype == w.dtype and g.shape == w.shape, name
        rounded = dtype.kind == "f" and name in ("sum", "prod", "hypot", "moments")
        np.testing.assert_allclose(g, w, rtol=1e-4 if rounded else 0, atol=1e-2 * rounded)


@pytest.mark.parametrize("char", "FD")
def test_complex_reductions(target, char, rng):
    x = (rng.standard_normal((15, 20)) + 1j * rng.standard_normal((15, 20))).astype(char)
    names = ("sum", "prod", "any", "all", "count")
    b = ProgramBuilder()
    program = b.build(*[b.load(0, char)] * len(names))
    got = target.reduce(program, names, [x], [], [], x.shape, (1,))
    want = interpret_reduce(program, names, [x], [], [], x.shape, (1,))
    for g, w in zip(got, want, strict=True):
        assert g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=2e-5 if char == "F" else 1e-12)


@pytest.mark.parametrize("axes", [(0, 1), (0,), (1,)])
def test_nan_and_infinities(target, axes, rng):
    x = rng.standard_normal((22, 12))
    x[3, 4], x[5, 6], x[5, 7], x[20] = np.nan, np.inf, -np.inf, np.inf
    x[:, 9] = np.nan
    names = ("sum", "min", "max", "fmin", "fmax", "argmin", "argmax", "moments")
    b = ProgramBuilder()
    program = b.build(*[b.load(0, F8)] * len(names))
    got = target.reduce(program, names, [x], [], [], x.shape, axes)
    want = interpret_reduce(program, names, [x], [], [], x.shape, axes)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-10)


def test_moments_of_the_largest_numbers(target):
    b = ProgramBuilder()
    program = b.build(b.load(0, F8))
    x = np.array([1e308, -1e308, 1e308, 1.7e308, -1.7e308] * 20)
    n, _, m2 = target.reduce(program, ("moments",), [x], [], [], x.shape, (0,))
    assert n[0] == 100 and np.isinf(m2[0])
    x = np.zeros((28, 9))
    x[0] = -5e153
    n, _, m2 = target.reduce(program, ("moments",), [x], [], [], x.shape, (0,))
    np.testing.assert_allclose(np.sqrt(m2 / n), x.std(axis=0, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("shape", [(28, 20), (300, 3), (3, 300)])
def test_moments_far_from_zero(target, shape, rng):
    x = rng.standard_normal(shape) + 1e9
    b = ProgramBuilder()
    for axes in [(0,), (1,), (0, 1)]:
        n, mean, m2 = target.reduce(
            b.build(b.load(0, F8)), ("moments",), [x], [], [], x.shape, axes
        )
        shifted = x - 1e9
        np.testing.assert_allclose(m2 / n, shifted.var(axis=axes, keepdims=True), rtol=1e-7)
        np.testing.assert_allclose(mean, shifted.mean(axis=axes, keepdims=True) + 1e9, rtol=1e-15)


def test_reductions_repeat_to_the_bit(target, rng):
    x = rng.standard_normal((20, 51))
    b = ProgramBuilder()
    program = b.build(*[b.load(0, F8)] * 2)
    runs = [
        target.reduce(program, ("sum", "moments"), [x], [], [], x.shape, (0, 1)) for _ in range(3)
    ]
    assert len({tuple(a.tobytes() for a in each) for each in runs}) == 1


def test_several_blocks_share_a_position(target, launcher, rng):
    x = rng.standard_normal(1_000)
    b = ProgramBuilder()
    (total,) = target.reduce(b.build(b.load(0, F8)), ("sum",), [x], [], [], x.shape, (0,))
    assert len(launcher.launched) == 2
    np.testing.assert_allclose(total, [x.sum()], rtol=1e-13)


def test_the_headline(target):
    """X random, (X + X.T) reduced over rows: nothing of X is stored."""
    b = ProgramBuilder()
    key = b.param(0, "u4"), b.param(1, "u4")
    x, y = (b.apply("philox_uniform", *key, b.index(k)) for k in range(2))
    program = b.build(b.apply("subtract", b.apply("add", x, y), b.load(0, F8)))
    indices = [AffineIndex(0, (20, 1)), AffineIndex(0, (1, 20))]
    mean = np.broadcast_to(np.linspace(0, 1, 20), (20, 20))
    args = program, ("moments",), [mean], indices, [7, 8], (20, 20), (0,)
    for g, w in zip(target.reduce(*args), interpret_reduce(*args), strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12)


@pytest.mark.parametrize("name", sorted({*FOLDS} - {"logical_xor", "hypot", "bitwise_and",
                                                    "bitwise_or", "bitwise_xor"}))  # fmt: skip
def test_what_kernels_lack_is_left_to_the_interpreter(target, name):
    dtype = "i8" if name == "gcd" else "f8"
    b = ProgramBuilder()
    program = b.build(b.load(0, dtype))
    assert target.reduce(program, (name,), [np.ones(4, dtype)], [], [], (4,), (0,)) is None


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("shape", [(9, 8), (33, 40)])
def test_transposed_operands_go_through_tiles(axes, shape, rng):
    launcher = SimulatorLauncher(threads=64)
    x, y = rng.standard_normal(shape), rng.standard_normal(shape[::-1]).T
    names = ("sum", "argmax", "moments")
    args = reduce_program(F8, len(names)), names, [x, y], [], [], shape, axes
    for g, w in zip(CudaTarget(launcher).reduce(*args), interpret_reduce(*args), strict=True):
        assert g.shape == w.shape and g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-12)
    assert "tile" in launcher.launched[0].text
