"""Every operation, for every dtype, as a kernel for CUDA and interpreted."""

import numpy as np
import pytest

from gpuscale.codegen.emit_cuda import is_spelled
from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.interpret import interpret_map
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ProgramBuilder

from ..drawn import assert_zeros_have_the_same_sign, operations_on, samples

DTYPES = [np.dtype(c) for c in "?bBhHiIqQfdFD"]
# The functions of the simulator are NumPy's for scalars, which differ from those for vectors.
ULP = 4
FUNCTIONS = {
    *("exp", "log", "exp2", "expm1", "log2", "log10", "log1p", "cbrt", "hypot", "power"),
    *("float_power", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh"),
    *("tanh", "arcsinh", "arccosh", "arctanh", "logaddexp", "logaddexp2", "sinc", "i0", "angle"),
    *("deg2rad", "rad2deg", "degrees", "radians", "absolute", "multiply", "divide", "square"),
}
# NumPy's loops differ among each other in the sign of a zero that these return.
ZERO_SIGN = {"maximum", "minimum", "fmax", "fmin", "clip"}


CASES = {
    dtype: list(operations_on(dtype, lambda program: is_spelled(expand(program))))
    for dtype in DTYPES
}


def assert_same(got, want, name):
    assert got.dtype == want.dtype
    if name in FUNCTIONS and want.dtype.kind in "fc":
        parts = [(got.real, want.real), (got.imag, want.imag)] if want.dtype.kind == "c" else []
        for g, w in parts or [(got, want)]:
            np.testing.assert_array_equal(np.isnan(g), np.isnan(w))
            numbers = np.isfinite(w) & np.isfinite(g)
            if name.startswith("logaddexp"):  # a difference, of which little may be left
                eps = np.finfo(w.dtype).eps
                np.testing.assert_allclose(g[numbers], w[numbers], rtol=4 * eps, atol=4 * eps)
            else:
                np.testing.assert_array_max_ulp(g[numbers], w[numbers], ULP)
            np.testing.assert_array_equal(g[~numbers], w[~numbers])
        return
    np.testing.assert_array_equal(got, want)
    if want.dtype.kind == "f" and name not in ZERO_SIGN:
        assert_zeros_have_the_same_sign(got, want)


@pytest.mark.parametrize("name", ["gcd", "lcm"])
@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind in "iu"], ids=str)
def test_divisors_of_all_signs(name, dtype, target):
    info = np.iinfo(dtype)
    numbers = np.array([info.min, info.min + 1, info.max, 0, 1, 12, 18, 97], dtype)
    if dtype.kind == "i":
        numbers = np.concatenate([numbers, -numbers[4:]])
    arrays = [x.ravel() for x in np.meshgrid(numbers, numbers)]
    b = ProgramBuilder()
    program = b.build(b.apply(name, b.load(0, dtype), b.load(1, dtype)))
    results = target.map(program, arrays, [], [], arrays[0].shape, None)
    assert results is not None  # None is left to the interpreter
    np.testing.assert_array_equal(results[0], getattr(np, name)(*arrays))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_operations_give_what_numpy_gives(dtype, target, rng):
    arrays = [samples(dtype, rng, 120) for _ in range(4)]
    wrong = []
    for name in CASES[dtype]:
        b = ProgramBuilder()
        program = b.build(b.apply(name, *(b.load(k, dtype) for k in range(OPS[name].arity))))
        used, shape = arrays[: program.n_loads], arrays[0].shape
        (got,) = target.map(program, used, [], [], shape, None)
        (want,) = interpret_map(program, used, [], [], shape)
        try:
            assert_same(got, want, name)
        except Exception as error:
            wrong.append(f"{name}: {error}")
    assert not wrong, "\n".join(wrong)
