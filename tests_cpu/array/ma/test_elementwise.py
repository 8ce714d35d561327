"""Elementwise functions of masked arrays against `numpy.ma`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.ma import elementwise
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
