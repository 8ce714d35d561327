"""Bincount against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes


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


def test_bincount_is_lazy():
    """Also of elements whose number depends on data; the length is counted when asked for."""
    array = np.array([3, 0, 7, 7, 1, 2, 0, 9])
    for chunks in (1, 3, 8):
        x = ga.from_array(array, chunks=chunks)
        with nothing_computes():
            counts = ga.bincount(x[x < 8], weights=x[x < 8] * 0.5, minlength=2)
            twice = counts * 2
        assert_eq(twice, np.bincount([3, 0, 7, 7, 1, 2, 0], [1.5, 0, 3.5, 3.5, 0.5, 1, 0]) * 2)
        assert counts.shape == (8,)
        assert_eq(ga.bincount(x[x > 50], minlength=3), np.zeros(3, int))


def test_weights_whose_number_depends_on_data():
    x, w = ga.from_array(np.array([0, 1, 1, 2]), chunks=3), ga.arange(-2.0, 4, chunks=4)
    assert_eq(ga.bincount(x, w[w >= 0]), np.bincount([0, 1, 1, 2], [0, 1, 2, 3.0]))
    with pytest.raises(ValueError, match="same length"):
        ga.bincount(x, w[w >= 1])


def test_bad_input():
    x = ga.bincount(ga.asarray([-1]))
    with pytest.raises(ValueError, match="negative"):
        x.compute()
    with pytest.raises(ValueError, match="minlength"):
        ga.bincount(ga.asarray([1]), minlength=-1)
    with pytest.raises(TypeError, match="safe"):
        ga.bincount(ga.ones(3))


def test_bincount_of_complex_weights_is_refused():
    weights = np.array([1j, 2])
    with pytest.raises(TypeError, match="safe"):
        np.bincount([0, 1], weights)
    with pytest.raises(TypeError, match="safe"):
        ga.bincount(ga.asarray([0, 1]), weights)
