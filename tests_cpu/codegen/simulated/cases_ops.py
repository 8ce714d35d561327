"""Every operation, for every dtype, as a kernel for CUDA and interpreted."""

import numpy as np
import pytest

from gpuscale.codegen import random_ops
from gpuscale.codegen.emit_cuda import is_spelled
from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.interpret import interpret_map
from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import ProgramBuilder

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


def samples(dtype, rng, n=120):
    if dtype.kind == "b":
        return rng.random(n) < 0.5
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        special = np.array([info.min, info.max, 0, 1, 2, info.min + 1], dtype)
        x = rng.integers(info.min, info.max, n, dtype=dtype, endpoint=True)
        small = rng.integers(-9 if info.min else 0, 9, n).astype(dtype)
        x = np.where(rng.random(n) < 0.5, x, small)
        x[: special.size] = rng.permutation(special)
        return x
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        x = np.empty(n, dtype)
        x.real, x.imag = samples(part, rng, n), samples(part, rng, n)
        return x
    info = np.finfo(dtype)
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, info.max, info.tiny, -info.tiny / 4, 1, -1, 0.5]
    x = rng.standard_normal(n) * 10.0 ** rng.integers(-3, 4, n)
    x[: 2 * len(special)] = rng.permutation(special * 2)
    return x.astype(dtype)


def programs():
    """A program of one operation for each that a kernel takes."""
    for dtype in DTYPES:
        for name, op in OPS.items():
            if name in random_ops.BY_NAME or name == "cast":
                continue
            b = ProgramBuilder()
            try:
                value = b.apply(name, *(b.load(k, dtype) for k in range(op.arity)))
            except TypeError:
                continue
            if is_spelled(expand(b.build(value))):
                yield dtype, name


CASES = {dtype: [n for d, n in programs() if d == dtype] for dtype in DTYPES}


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
        numbers = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(want[numbers]))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_operations_give_what_numpy_gives(dtype, target, rng):
    arrays = [samples(dtype, rng) for _ in range(4)]
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
