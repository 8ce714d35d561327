"""Dtype rules and meanings of the table against NumPy itself."""

import itertools
import math

import numpy as np
import pytest

from gpuscale.codegen import ops
from gpuscale.codegen.ops import OPS, loop_dtypes, result_dtype

DTYPES = [np.dtype(c) for c in "?bBhHiIlLefdFDg"]
UFUNC_NAMES = sorted(name for name, op in OPS.items() if op.ufunc is not None)


def sample(dtype, n=5):
    if dtype.kind == "b":
        return np.arange(n) % 2 == 0
    return (np.arange(n) % 4 + 1).astype(dtype)


@pytest.mark.parametrize("name", UFUNC_NAMES)
def test_result_dtype_is_numpys(name):
    op = OPS[name]
    for dtypes in itertools.product(DTYPES, repeat=op.arity):
        arrays = [sample(d) for d in dtypes]
        try:
            with np.errstate(all="ignore"):
                expected = op.numpy(*arrays).dtype
        except TypeError:
            with pytest.raises(TypeError):
                result_dtype(name, *dtypes)
        else:
            assert result_dtype(name, *dtypes) == expected, dtypes


@pytest.mark.parametrize("name", [n for n in UFUNC_NAMES if OPS[n].arity == 2])
@pytest.mark.parametrize("scalar", [True, 2, 2.0, 2j])
def test_python_scalars_are_weak(name, scalar):
    for dtype in DTYPES:
        x = sample(dtype)
        try:
            with np.errstate(all="ignore"):
                expected = OPS[name].numpy(x, scalar).dtype
        except TypeError:
            with pytest.raises(TypeError):
                result_dtype(name, dtype, type(scalar))
        else:
            assert result_dtype(name, dtype, type(scalar)) == expected, dtype


@pytest.mark.parametrize("dtype", ["e", "f", "d"])
def test_spacing_is_numpys(dtype):
    x = np.arange(2**16).astype("u2").view("e").astype(dtype)  # all there are with half precision
    limits = np.finfo(dtype)
    ends = np.array([limits.max, limits.tiny, limits.smallest_subnormal], dtype)
    x = np.concatenate([x, ends, -ends])
    with np.errstate(all="ignore"):
        found, expected = OPS["spacing"].numpy(x), np.spacing(x)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_every_elementwise_ufunc_of_numpy_is_a_row():
    inner_products = {"matmul", "matvec", "vecdot", "vecmat"}
    several_results = {"divmod", "frexp", "modf"}
    for name in dir(np):
        ufunc = getattr(np, name)
        if isinstance(ufunc, np.ufunc) and ufunc.__name__ not in inner_products | several_results:
            assert ufunc.__name__ in OPS


@pytest.mark.parametrize("x, y", list(itertools.product(DTYPES, DTYPES)))
def test_where_and_clip_promote_as_numpy(x, y):
    a, b = sample(x), sample(y)
    assert result_dtype("where", np.dtype(bool), x, y) == np.where(True, a, b).dtype
    if x.kind != "c" and y.kind != "c":
        assert result_dtype("clip", x, y, y) == np.clip(a, b, b).dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_complex_parts_and_predicates(dtype):
    x = sample(dtype)
    for name, function in [("real", np.real), ("imag", np.imag), ("isreal", np.isreal)]:
        result = ops.evaluate(OPS[name], [x], result_dtype(name, dtype))
        np.testing.assert_array_equal(result, function(x))
        assert result.dtype == function(x).dtype
    if dtype.kind != "b":
        assert result_dtype("angle", dtype) == np.angle(x).dtype


@pytest.mark.parametrize("dtype", [np.dtype(c) for c in "?bBiIlLfdFD"])
@pytest.mark.parametrize("equal_nan", [False, True])
def test_isclose_is_numpys(dtype, equal_nan):
    a = sample(dtype, 8).astype(np.result_type(dtype, 0.0))
    a[1] = np.nan
    b = a * (1 + np.array([0, 0, 1e-6, 1e-3, 0, 0, -1e-6, 1], a.dtype))
    b[5] = np.inf
    name = "isclose_equal_nan" if equal_nan else "isclose"
    *_, tolerance, out = loop_dtypes(name, a.dtype, b.dtype, float, float)
    values = [a, b, tolerance.type(1e-5), tolerance.type(1e-8)]
    with np.errstate(all="ignore"):
        expected = np.isclose(a, b, equal_nan=equal_nan)
        np.testing.assert_array_equal(ops.evaluate(OPS[name], values, out), expected)


def test_dtype_argument_of_ufuncs():
    f4 = np.dtype("f4")
    assert loop_dtypes("add", np.dtype("i8"), np.dtype("i8"), dtype="f4") == (f4, f4, f4)
    assert loop_dtypes("less", np.dtype("i8"), float, dtype=bool)[-1] == np.dtype(bool)


def test_object_datetime_and_string_follow_numpy():
    assert result_dtype("subtract", np.dtype("M8[s]"), np.dtype("M8[ms]")) == "m8[ms]"
    assert result_dtype("add", np.dtype("O"), np.dtype("f8")) == np.dtype(object)
    assert result_dtype("add", np.dtype("U3"), np.dtype("U4")) == "U7"


def test_errors_name_the_operation():
    with pytest.raises(TypeError, match="no scalar operation named 'frobnicate'"):
        result_dtype("frobnicate", np.dtype("f8"))
    with pytest.raises(TypeError, match="add takes 2 operands, 1 were given"):
        result_dtype("add", np.dtype("f8"))
    with pytest.raises(TypeError, match="cast needs the dtype"):
        loop_dtypes("cast", np.dtype("f8"))
    with pytest.raises(TypeError, match="where of bool, float64, float64"):
        loop_dtypes("where", np.dtype(bool), np.dtype("f8"), np.dtype("f8"), dtype="f4")


def test_parts_give_the_halves_of_a_ufunc():
    x = np.array([1.75, -2.5, math.inf])
    fraction, whole = np.modf(x)
    np.testing.assert_array_equal(OPS["modf_fraction"].numpy(x), fraction)
    np.testing.assert_array_equal(OPS["modf_integer"].numpy(x), whole)
