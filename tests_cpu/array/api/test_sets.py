"""Set operations against NumPy."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import repetitive


@settings(max_examples=40)
@given(repetitive(), repetitive(), st.booleans())
def test_isin(pair, other, invert):
    array, x = pair
    table, y = other
    assert_eq(ga.isin(x, y, invert=invert), np.isin(array, table, invert=invert))
    assert_eq(ga.isin(x, table.tolist()), np.isin(array, table))


@settings(max_examples=40)
@given(repetitive(max_dims=1), repetitive(max_dims=1))
def test_set_operations(pair, other):
    (a, x), (b, y) = pair, other
    assert_eq(ga.union1d(x, y), np.union1d(a, b))
    assert_eq(ga.intersect1d(x, y), np.intersect1d(a, b))
    assert_eq(ga.setdiff1d(x, y), np.setdiff1d(a, b))
    assert_eq(ga.setdiff1d(x, y, assume_unique=True), np.setdiff1d(a, b, assume_unique=True))
    assert_eq(ga.setxor1d(x, y), np.setxor1d(a, b))
    ours = ga.intersect1d(x, y, return_indices=True)
    for each, theirs in zip(ours, np.intersect1d(a, b, return_indices=True), strict=True):
        assert_eq(each, theirs)


def test_set_operations_are_lazy():
    x = ga.arange(9, chunks=4)
    with nothing_computes():
        for name in ("union1d", "intersect1d", "setdiff1d", "setxor1d", "isin"):
            assert getattr(ga, name)(x, x + 1).ndim == 1


def test_python_numbers_are_weak():
    array = np.array([3, 1], "i1")
    assert_eq(ga.union1d(ga.from_array(array, chunks=1), 2), np.union1d(array, 2))
