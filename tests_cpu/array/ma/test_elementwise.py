"""Elementwise functions of masked arrays against `numpy.ma`."""

import itertools
import operator
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.ma import elementwise
from gpuscale.testing import assert_eq
from gpuscale.testing.masks import assert_masked_eq, masked_pairs

OF_INTEGERS = {"bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"}
NAMES = sorted(set(elementwise.__all__) - {"arccosh", "power", "angle"})


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=4, deadline=None)
def test_against_numpy(name, data):
    dtype = "int64" if name in OF_INTEGERS else "float64"
    x, y = data.draw(masked_pairs(dtype=dtype))
    v, w = data.draw(masked_pairs(dtype=dtype, shape=x.shape))
    if name.endswith("shift"):
        v, w = abs(v), abs(w)
    theirs, ours = getattr(np.ma, name), getattr(ga.ma, name)
    unary = type(theirs).__name__ in ("_MaskedUnaryOperation",) or theirs is np.ma.conjugate
    with np.errstate(all="ignore"):
        expected = theirs(x) if unary else theirs(x, v)
    assert_masked_eq(ours(y) if unary else ours(y, w), expected, rtol=1e-12)


def test_angles():
    z = np.ma.MaskedArray([1 + 1j, -1, 2j], [False, True, False])
    assert_masked_eq(ga.ma.angle(ga.asarray(z), deg=True), np.ma.angle(z, deg=True), rtol=1e-12)
    x, y = np.ma.masked_equal([1, 2, 3], 2), ga.ma.masked_equal(ga.arange(1, 4, chunks=2), 2)
    assert_masked_eq(+y << 1, +x << 1)
    assert_masked_eq(1 << y, 1 << x)
    assert_masked_eq(ga.ma.power(y, 2), np.ma.power(x, 2))
    y += 1
    x = x + 1
    assert_masked_eq(y, x)


VALUES = {
    "?": [False, True],
    "i8": [0, 1, -1, 2, 5],
    "f4": [0, 1, -1, 2, np.inf],
    "f8": [0, 1, -1, 2, -0.5, np.inf, -np.inf, np.nan, 1e-320, 1e308],
    "D": [0, 1j, -1, 2 + 1j, -2 - 1j, 1 + 1e-16j, np.inf, complex(np.nan, 0), complex(0, np.inf)],
}
LIMITED = ["arccos", "arccosh", "arcsin", "arctanh", "log", "log2", "log10", "sqrt", "tan"]
OPERATORS = ["truediv", "floordiv", "mod", "pow", "itruediv", "ifloordiv"]


def _masks_alike(theirs, ours, arrays):
    """Compare where a function masks, or that both refuse."""
    lazy = [ga.asarray(a, chunks=3) for a in arrays]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        try:
            expected = theirs(*(a.copy() for a in arrays))
        except (TypeError, ValueError):
            with pytest.raises((TypeError, ValueError)):
                ours(*lazy).compute(engine="sync")
            return
        found = ours(*lazy).compute(engine="sync")
    assert_eq(np.ma.getmaskarray(found), np.ma.getmaskarray(expected))


@pytest.mark.parametrize("name", LIMITED)
def test_domains(name):
    for kind, values in VALUES.items():
        arrays = [np.ma.MaskedArray(np.array(values, kind))]
        _masks_alike(getattr(np.ma, name), getattr(ga.ma, name), arrays)
        _masks_alike(getattr(np, name), getattr(ga, name), arrays)


@pytest.mark.parametrize("name", ["divide", "floor_divide", "fmod", "remainder", "power"])
def test_domains_of_two(name):
    for first, second in itertools.product(VALUES, repeat=2):
        grid = np.meshgrid(np.array(VALUES[first], first), np.array(VALUES[second], second))
        arrays = list(map(np.ma.MaskedArray, grid))
        _masks_alike(getattr(np.ma, name), getattr(ga.ma, name), arrays)
        _masks_alike(getattr(np, name), getattr(ga, name), arrays)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("kind", ["f8", "D"])
def test_operators_mask_as_those_of_numpy(name, kind):
    function = getattr(operator, name)
    grid = np.meshgrid(np.array(VALUES[kind], kind), np.array(VALUES[kind], kind))
    _masks_alike(function, function, list(map(np.ma.MaskedArray, grid)))


def test_powers_of_booleans():
    x = np.ma.MaskedArray([False, True, False], [False, False, True])
    with np.errstate(all="ignore"):
        assert_masked_eq(ga.ma.power(ga.asarray(x), -1.5), np.ma.power(x, -1.5))
