"""Every operation, for every dtype, compiled and interpreted: the same bits, or nearly."""

import numpy as np
import pytest

from gpuscale.codegen import random_ops, run, schedule
from gpuscale.codegen.interpret import interpret_map
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ProgramBuilder

pytestmark = pytest.mark.usefixtures("always_compile")
DTYPES = [np.dtype(c) for c in "?bqQfdD"]
PER_KERNEL = 24
# NumPy's vectorized and scalar loops differ in the sign of a zero that they return.
ZERO_SIGN = {"maximum", "minimum", "fmax", "fmin", "clip"}
# Kernels have their own of these for float64: within 1 ulp of NumPy's.
LAST_BIT = {"exp", "log"}


def samples(dtype, rng, n=203):
    if dtype.kind == "b":
        return rng.random(n) < 0.5
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        special = np.array([info.min, info.max, 0, 1, 2, info.min + 1], dtype)
        x = rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True)
        small = rng.integers(0, 9, n).astype(dtype)
        x = np.where(rng.random(n) < 0.5, x, small)
        x[: special.size] = rng.permutation(special)
        return x
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        return (samples(part, rng, n) + 1j * samples(part, rng, n)).astype(dtype)
    info = np.finfo(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, info.max, info.tiny, -info.tiny / 4, 1, -1, 0.5]
    x = rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4, n)
    x[: 2 * len(special)] = rng.permutation(special * 2)
    return x.astype(dtype)


def compilable_ops(dtype):
    """Names of the operations that a kernel takes on operands of one dtype."""
    for name, op in OPS.items():
        if name in random_ops.BY_NAME or name == "cast":
            continue
        b = ProgramBuilder()
        try:
            value = b.apply(name, *(b.load(k, dtype) for k in range(op.arity)))
        except TypeError:
            continue
        if schedule.is_compilable(b.build(value)):
            yield name


def assert_same(got, want, zero_sign, ulp=0):
    assert got.dtype == want.dtype
    if ulp:
        numbers = np.isfinite(want)
        np.testing.assert_array_max_ulp(got[numbers], want[numbers], ulp)
        got = np.where(numbers, want, got)
    np.testing.assert_array_equal(got, want)
    if zero_sign and want.dtype.kind == "f":
        numbers = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(want[numbers]))


def chunked(names, size=PER_KERNEL):
    return [names[k : k + size] for k in range(0, len(names), size)]


GROUPS = [(d, group) for d in DTYPES for group in chunked(list(compilable_ops(d)))]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "dtype, names", GROUPS, ids=lambda p: p.char if hasattr(p, "char") else p[0]
)
def test_operations_give_the_bits_of_numpy(dtype, names, rng):
    arrays = [samples(dtype, rng) for _ in range(4)]
    b = ProgramBuilder()
    loads = [b.load(k, dtype) for k in range(4)]
    program = b.build(*(b.apply(name, *loads[: OPS[name].arity]) for name in names))
    shape = arrays[0].shape
    got = run.run_map(program, arrays, [], [], shape)
    want = interpret_map(program, arrays, [], [], shape)
    for name, g, w in zip(names, got, want, strict=True):
        assert_same(g, w, name not in ZERO_SIGN, ulp=int(name in LAST_BIT and w.dtype == "f8"))
