"""Bincount against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 12), st.integers(1, 7))
@settings(max_examples=40, deadline=None)
def test_bincount(values, minlength, chunk):
    array = np.array(values, int)
    x = ga.from_array(array, chunks=chunk)
    assert_eq(ga.bincount(x, minlength=minlength), np.bincount(array, minlength=minlength))
    if not values:
        return  # NumPy forgets the dtype of weights there
    weights = np.linspace(0, 1, len(array))
    assert_eq(ga.bincount(x, weights), np.bincount(array, weights), rtol=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="negative"):
        ga.bincount(ga.asarray([-1]))
    with pytest.raises(TypeError, match="safe"):
        ga.bincount(ga.ones(3))


def test_bincount_of_complex_weights_is_refused():
    weights = np.array([1j, 2])
    with pytest.raises(TypeError, match="safe"):
        np.bincount([0, 1], weights)
    with pytest.raises(TypeError, match="safe"):
        ga.bincount(ga.asarray([0, 1]), weights)
