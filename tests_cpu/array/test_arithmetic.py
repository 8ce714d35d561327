"""Operators against NumPy; `api/test_operators.py` has what is peculiar to some."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq


def test_operators():
    a, b = np.arange(1, 7).reshape(2, 3), np.array([3, 1, 2])
    x, y = ga.from_array(a, chunks=2), ga.from_array(b, chunks=1)
    assert_eq((x + 1) * 2 - x // y % 3, (a + 1) * 2 - a // b % 3)
    assert_eq(2 ** (x & y) | ~y, 2 ** (a & b) | ~b)
    assert_eq(-x / y + (x << 1) - (1 >> y), -a / b + (a << 1) - (1 >> b))
    assert_eq((x >= y) ^ (x != 3), (a >= b) ^ (a != 3))
    for ours, theirs in zip(divmod(x, y), divmod(a, b), strict=True):
        assert_eq(ours, theirs)
    assert_eq(abs(-x) + +x, a + a)
    x += 1
    x *= y
    assert_eq(x, (a + 1) * b)
    with pytest.raises(TypeError):
        x /= 2


def test_arrays_are_keys_by_identity():
    x, y = ga.ones(3), ga.ones(3)
    assert {x: 1, y: 2}[x] == 1
