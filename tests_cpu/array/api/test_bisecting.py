"""Digitize and searchsorted against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, numpy_arrays

FINITE = {"dtypes": ("int64", "float64"), "special": False}


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_searchsorted_and_digitize(data):
    array = data.draw(numpy_arrays(**FINITE))
    x = data.draw(chunked(array))
    table = np.sort(data.draw(numpy_arrays(**FINITE, min_dims=1, max_dims=1)))
    lazy_table = data.draw(chunked(table))
    side = data.draw(st.sampled_from(["left", "right"]))
    assert_eq(ga.searchsorted(lazy_table, x, side=side), np.searchsorted(table, array, side))
    right = side == "left"
    assert_eq(ga.digitize(x, table, right=right), np.digitize(array, table, right=right))
    assert_eq(ga.digitize(x, lazy_table, right), np.digitize(array, table, right=right))
    assert_eq(ga.digitize(x, lazy_table[::-1], right), np.digitize(array, table[::-1], right=right))


def test_searchsorted_with_sorter():
    table, values = np.array([30, 10, 20]), np.array([[5, 15], [25, 35]])
    sorter = np.argsort(table)
    result = ga.searchsorted(ga.from_array(table, chunks=2), values, sorter=sorter)
    assert_eq(result, np.searchsorted(table, values, sorter=sorter))


def test_bisection_is_lazy():
    with nothing_computes():
        ga.searchsorted(ga.arange(4), ga.ones((2, 2)))
        ga.digitize(ga.arange(4), ga.ones(2))


def test_bad_input():
    x = ga.arange(5)
    with pytest.raises(ValueError, match="side"):
        ga.searchsorted(x, x, side="middle")
    with pytest.raises(ValueError, match="monoton"):
        ga.digitize(x, [1, 3, 2])
    with pytest.raises(ValueError, match="monoton"):
        ga.digitize(x, ga.asarray([1, 3, 2], chunks=2)).compute()
    with pytest.raises(ValueError, match="too deep"):
        ga.digitize(x, ga.ones((2, 2)))


def test_positional_arguments():
    array = np.array([1, 2, 2, 3])
    x, order = ga.from_array(array, chunks=2), [0, 1, 2, 3]
    assert_eq(np.searchsorted(x, [2], "right"), np.searchsorted(array, [2], "right"))
    assert_eq(x.searchsorted([2, 9], "left", order), array.searchsorted([2, 9], "left", order))
