"""Elementwise functions against NumPy: every name, every dtype, every cut."""

import itertools
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.ufunc import Ufunc
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, numpy_arrays, pairs

NAMES = sorted({u.op for u in vars(ga).values() if isinstance(u, Ufunc)})
DTYPES = ("bool", "int8", "uint8", "int64", "float32", "float64", "complex128")
SAMPLES = {np.dtype(d): np.array([0, 1, 2, 3, 1, 0, 2, 5]).astype(d).reshape(2, 4) for d in DTYPES}
SAMPLES[np.dtype(float)][0] = [np.nan, -np.inf, -0.0, 2.5]


@pytest.mark.parametrize("name", NAMES)
def test_all_names_and_dtypes(name):
    ours, theirs = getattr(ga, name), getattr(np, name)
    for dtype, first in SAMPLES.items():
        operands = [first, *[SAMPLES[dtype][::-1]] * (ours.nin - 1)]
        lazy = [ga.from_array(x, chunks=(1, 3)) for x in operands]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                expected = theirs(*operands)
            except TypeError:
                with pytest.raises(TypeError):
                    ours(*lazy)
            else:
                assert_eq(ours(*lazy), expected, rtol=1e-6 if dtype == np.float32 else 1e-12)


@settings(max_examples=40)
@given(numpy_arrays(max_dims=2), numpy_arrays(max_dims=1, max_side=1), st.data())
def test_broadcasting_and_promotion(a, b, data):
    x, y = data.draw(chunked(a)), data.draw(chunked(b))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("add", "multiply", "less", "maximum", "logical_or", "divide"):
            if b.shape == (0,) and a.shape[-1:] not in ((0,), (1,), ()):
                with pytest.raises(ValueError, match="broadcast"):
                    getattr(ga, name)(x, y)
            else:
                assert_eq(getattr(ga, name)(x, y), getattr(np, name)(a, b), rtol=1e-6)


@settings(max_examples=30)
@given(pairs(special=False), st.data())
def test_where_and_clip(pair, data):
    array, x = pair
    mask = array > 1
    assert_eq(ga.where(x > 1, x, 0), np.where(mask, array, 0))
    assert_eq(ga.where(x > 1, 0, x), np.where(mask, 0, array))
    if array.dtype.kind == "f":
        assert_eq(ga.clip(x, -2, 3), np.clip(array, -2, 3))
    assert_eq(ga.clip(x, None, 1), np.clip(array, None, 1))
    assert_eq(ga.clip(x, max=1), np.minimum(array, 1))


@settings(max_examples=30)
@given(pairs(dtypes=("float64", "float32", "int32"), special=False), st.integers(-2, 3))
def test_rounding(pair, decimals):
    array, x = pair
    assert_eq(ga.round(x, decimals), np.round(array, decimals))
    assert_eq(ga.around(x), np.around(array))
    assert_eq(x.round(decimals), array.round(decimals))


@settings(max_examples=30)
@given(pairs(dtypes=("float64", "float32")))
def test_closeness_and_nan(pair):
    array, x = pair
    with np.errstate(all="ignore"):
        for nan in (False, True):
            expected = np.isclose(array, array * 1.0001, rtol=1e-3, equal_nan=nan)
            assert_eq(ga.isclose(x, x * 1.0001, rtol=1e-3, equal_nan=nan), expected)
        assert_eq(ga.nan_to_num(x, nan=3.0), np.nan_to_num(array, nan=3.0))
        assert_eq(ga.sinc(x), np.sinc(array), rtol=1e-5, atol=1e-7)
        for name in ("isposinf", "isneginf", "isreal", "iscomplex"):
            assert_eq(getattr(ga, name)(x), getattr(np, name)(array))
        for ours, theirs in zip(ga.modf(x), np.modf(array), strict=True):
            assert_eq(ours, theirs)
        for ours, theirs in zip(ga.frexp(x), np.frexp(array), strict=True):
            assert_eq(ours, theirs)


def test_complex_parts():
    array = np.array([1 + 2j, -3j, 4])
    x = ga.from_array(array, chunks=2)
    for name in ("real", "imag", "angle", "conj", "abs", "iscomplex"):
        assert_eq(getattr(ga, name)(x), getattr(np, name)(array), rtol=1e-15)
    assert_eq(ga.angle(x, deg=True), np.angle(array, deg=True), rtol=1e-15)
    assert_eq(x.real + x.imag, array.real + array.imag)


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", ">f4", "f8", "c8", "c16", "M8[s]", "U3", "O"])
@pytest.mark.parametrize("name", ["isposinf", "isneginf"])
def test_the_sign_of_infinity(name, dtype):
    array = np.ones(3, dtype)
    if array.dtype.kind in "biuf":
        assert_eq(getattr(ga, name)(array), getattr(np, name)(array))
        return
    for module in (np, ga):
        with pytest.raises(TypeError):
            getattr(module, name)(array)


def test_out_and_where():
    x, out = ga.arange(4, chunks=2), ga.zeros(4, chunks=3)
    assert ga.add(x, 1, out=out) is out
    assert_eq(out, np.arange(1.0, 5))
    ga.multiply(x, 10, out=out, where=x > 1)
    assert_eq(out, np.array([1.0, 2, 20, 30]))
    with pytest.raises(NotSupportedError, match="out="):
        ga.add(x, 1, where=x > 1)
    with pytest.raises(ValueError, match="shape"):
        ga.add(x, 1, out=ga.zeros(3))
    with pytest.raises(TypeError, match="same_kind"):
        ga.add(x, 1.5, out=ga.zeros(4, dtype=int))
    with pytest.raises(TypeError, match="gpuscale array"):
        ga.add(x, 1, out=np.zeros(4))


def test_outer():
    x, y = ga.arange(3, chunks=2), ga.arange(6, chunks=4).reshape(2, 3)
    assert_eq(ga.add.outer(x, y), np.add.outer(np.arange(3), np.arange(6).reshape(2, 3)))


@pytest.mark.parametrize("function", [ga.add, ga.acos])
def test_functions_can_be_pickled(function):
    assert pickle.loads(pickle.dumps(function)) is function


def test_elementwise_work_is_lazy():
    x = ga.ones((10**6, 10**6), chunks=1000)
    with nothing_computes():
        assert (ga.sin(x) + x.T).shape == x.shape


def test_bad_input():
    with pytest.raises(ValueError, match=r"\(3,\).*\(4,\)"):
        ga.ones(3) + ga.ones(4)
    with pytest.raises(TypeError):
        ga.add(ga.ones(3))
    with pytest.raises(TypeError):
        ga.bitwise_and(ga.ones(3), 1)
    with pytest.raises(TypeError, match="Cannot cast ufunc 'add' input 1"):
        ga.add(ga.arange(3), 1.5, dtype=int)
    assert_eq(ga.add(ga.arange(3), 1, dtype="uint8", casting="unsafe"), np.arange(1, 4, dtype="u1"))
    assert_eq(ga.add(np.arange(3, dtype="u1"), 1, dtype="u1"), np.arange(1, 4, dtype="u1"))
    with pytest.raises(TypeError):
        ga.round(ga.ones(3), "a")
    with pytest.raises(ValueError, match="either both or neither"):
        ga.where(ga.ones(3) > 0, 1)


@pytest.mark.parametrize("dtype", ["bool", "i1", "i8", "f2", "f4", "c8"])
def test_angles(dtype):
    array = np.array([1, 0, -1]).astype(dtype)
    assert_eq(ga.angle(ga.from_array(array, chunks=2)), np.angle(array), rtol=1e-6)


def test_small_differences_from_numpy():
    for decimals in (1, -1):
        with pytest.raises(TypeError):
            ga.round(ga.arange(3) > 1, decimals)
    durations = np.array([1, 2], "m8[s]")
    assert_eq(ga.i0(ga.from_array(durations, chunks=1)), np.i0(durations))
    assert_eq(ga.permute_dims(ga.ones((2, 3))), np.ones((3, 2)))


@pytest.mark.parametrize("dtype", ["?", "i4", "f4", "f8", "D"])
@pytest.mark.parametrize(
    "name", ["maximum", "fmax", "multiply", "absolute", "sqrt", "equal", "gcd"]
)
def test_dtypes_that_numpy_refuses_are_refused(name, dtype):
    """What is cast to bool, or to integers, would be lost without a word."""
    ufunc = getattr(np, name)
    for kinds in itertools.product(["?", "i8", "f8", "F"], repeat=ufunc.nin):
        arrays = [np.arange(3).astype(kind) for kind in kinds]
        lazy = [ga.from_array(a, chunks=2) for a in arrays]
        try:
            expected = ufunc(*arrays, dtype=dtype)
        except TypeError:
            with pytest.raises(TypeError):
                getattr(ga, name)(*lazy, dtype=dtype)
        else:
            assert_eq(getattr(ga, name)(*lazy, dtype=dtype), expected)


def test_no_way_around_the_casting_rule():
    x, y = ga.arange(3.0), ga.arange(3)
    with pytest.raises(TypeError, match="same_kind"):
        ga.minimum.outer(x, y, dtype="?")
    with pytest.raises(TypeError, match="same_kind"):
        ga.maximum(ga.ma.masked_equal(y, 1), y, dtype="?")
    assert_eq(ga.add([1, 2], y[:2], dtype="f4"), np.array([1, 3], "f4"))
