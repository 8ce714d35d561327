"""Generated kernels on a device give what the interpreter gives on the host."""

import warnings

import numpy as np
import pytest

from gpuscale.base.errors import KernelWarning
from gpuscale.codegen import random_ops, targets
from gpuscale.codegen.emit_cuda import is_spelled
from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.interpret import interpret_map, interpret_reduce
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import AffineIndex, ProgramBuilder
from gpuscale.codegen.run import run_map, run_reduce

pytestmark = pytest.mark.gpu
REDUCTIONS = ("sum", "min", "max", "argmin", "argmax", "moments")


@pytest.fixture
def target(cupy):
    """The target of CuPy; that a kernel cannot be made is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", KernelWarning)
        yield targets.target_of(cupy)


@pytest.fixture
def rng():
    return np.random.default_rng(42)


def chain():
    b = ProgramBuilder()
    x, y = b.load(0, "f8"), b.load(1, "f8")
    total = b.apply("add", b.apply("multiply", x, y), b.cast(b.index(0), "f8"))
    return b.build(total, b.apply("less", x, y))


@pytest.mark.parametrize("shape", [(1,), (1001,), (70, 1000), (1000, 3), (5, 33, 70)], ids=str)
@pytest.mark.parametrize("transposed", [False, True])
def test_maps(cupy, target, rng, shape, transposed):
    x, y = rng.standard_normal(shape), rng.standard_normal(shape[::-1] if transposed else shape)
    index = AffineIndex(3, tuple(range(1, len(shape) + 1)))
    device = [cupy.asarray(x), cupy.asarray(y).T if transposed else cupy.asarray(y)]
    host = [x, y.T if transposed else y]
    found = target.map(chain(), device, [index], [], shape, None)
    assert found is not None
    for g, w in zip(found, interpret_map(chain(), host, [index], [], shape), strict=True):
        np.testing.assert_array_equal(cupy.asnumpy(g), w)


def test_maps_of_odd_addresses_and_into_views(cupy, target, rng):
    x = rng.standard_normal(1003)
    out = cupy.zeros(2000)
    b = ProgramBuilder()
    program = b.build(b.apply("square", b.load(0, "f8")))
    run_map(program, [cupy.asarray(x)[3:]], [], [], (1000,), out=[out[::2]], xp=cupy)
    np.testing.assert_array_equal(cupy.asnumpy(out)[::2], x[3:] ** 2)
    assert not cupy.asnumpy(out)[1::2].any()


@pytest.mark.parametrize("char", "?bqQfdD")
def test_operations(cupy, target, rng, char):
    dtype = np.dtype(char)
    arrays = [(rng.standard_normal(1000) * 3).astype(dtype) for _ in range(4)]
    device = [cupy.asarray(a) for a in arrays]
    wrong = []
    for name, op in OPS.items():
        b = ProgramBuilder()
        try:
            program = b.build(b.apply(name, *(b.load(k, dtype) for k in range(op.arity))))
        except TypeError:
            continue
        if name in random_ops.BY_NAME:
            continue
        found = target.map(program, device, [], [], (1000,), None)
        if found is None:
            assert not is_spelled(expand(program)), name
            continue
        (want,) = interpret_map(program, arrays[: op.arity], [], [], (1000,))
        tolerance = 1e-5 if dtype in (np.dtype("f"), np.dtype("F")) else 1e-13
        got = cupy.asnumpy(found[0])
        try:
            if want.dtype.kind in "fc":
                np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
            else:
                np.testing.assert_array_equal(got, want)
        except AssertionError as error:
            wrong.append(f"{name}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", list(random_ops.BY_NAME))
def test_random_numbers_have_the_bits_of_the_host(cupy, target, name):
    b = ProgramBuilder()
    program = b.build(b.apply(name, b.param(0, "u4"), b.param(1, "u4"), b.index(0)))
    args = [], [AffineIndex(2**33 + 1, (1000, 1))], [7, 2**32 - 1], (300, 1000)
    (got,) = run_map(program, *args, xp=cupy)
    np.testing.assert_array_equal(cupy.asnumpy(got), interpret_map(program, *args)[0])


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("shape", [(3, 2), (1000, 700), (3, 100_000), (100_000, 3)], ids=str)
@pytest.mark.parametrize("transposed", [False, True])
def test_reductions(cupy, target, rng, axes, shape, transposed):
    x, y = rng.standard_normal(shape), rng.standard_normal(shape[::-1] if transposed else shape)
    b = ProgramBuilder()
    total = b.apply("add", b.load(0, "f8"), b.load(1, "f8"))
    program = b.build(*[total] * len(REDUCTIONS))
    device = [cupy.asarray(x), cupy.asarray(y).T if transposed else cupy.asarray(y)]
    args = [], [], shape, axes
    runs = [run_reduce(program, REDUCTIONS, device, *args, xp=cupy) for _ in range(3)]
    host = [x, y.T if transposed else y]
    want = interpret_reduce(program, REDUCTIONS, host, *args)
    for first, *others, w in zip(*runs, want, strict=True):
        bits = cupy.asnumpy(first).tobytes()
        assert all(cupy.asnumpy(other).tobytes() == bits for other in others)
        np.testing.assert_allclose(cupy.asnumpy(first), w, rtol=1e-9, atol=1e-9)
