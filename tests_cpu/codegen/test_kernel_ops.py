"""Every operation, for every dtype, compiled and interpreted: the same bits, or nearly."""

import numpy as np
import pytest

from gpuscale.codegen import run
from gpuscale.codegen.interpret import interpret_map
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ProgramBuilder
from gpuscale.codegen.schedule import is_compilable

from .drawn import assert_zeros_have_the_same_sign, operations_on, samples

pytestmark = pytest.mark.usefixtures("always_compile")
DTYPES = [np.dtype(c) for c in "?bqQfdD"]
PER_KERNEL = 24
# NumPy's vectorized and scalar loops differ in the sign of a zero that they return.
ZERO_SIGN = {"maximum", "minimum", "fmax", "fmin", "clip"}
# Kernels have their own of these for float64: within 1 ulp of NumPy's.
LAST_BIT = {"exp", "log"}


def assert_same(got, want, zero_sign, ulp=0):
    assert got.dtype == want.dtype
    if ulp:
        numbers = np.isfinite(want)
        np.testing.assert_array_max_ulp(got[numbers], want[numbers], ulp)
        got = np.where(numbers, want, got)
    np.testing.assert_array_equal(got, want)
    if zero_sign and want.dtype.kind == "f":
        assert_zeros_have_the_same_sign(got, want)


def chunked(names, size=PER_KERNEL):
    return [names[k : k + size] for k in range(0, len(names), size)]


GROUPS = [(d, group) for d in DTYPES for group in chunked(list(operations_on(d, is_compilable)))]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    "dtype, names", GROUPS, ids=lambda p: p.char if hasattr(p, "char") else p[0]
)
def test_operations_give_the_bits_of_numpy(dtype, names, rng):
    arrays = [samples(dtype, rng, 203) for _ in range(4)]
    b = ProgramBuilder()
    loads = [b.load(k, dtype) for k in range(4)]
    program = b.build(*(b.apply(name, *loads[: OPS[name].arity]) for name in names))
    shape = arrays[0].shape
    got = run.run_map(program, arrays, [], [], shape)
    want = interpret_map(program, arrays, [], [], shape)
    for name, g, w in zip(names, got, want, strict=True):
        assert_same(g, w, name not in ZERO_SIGN, ulp=int(name in LAST_BIT and w.dtype == "f8"))
