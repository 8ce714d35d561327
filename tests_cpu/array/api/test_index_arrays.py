"""Arrays to index with, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.types import is_known
from gpuscale.testing.equality import assert_eq


def assert_all_eq(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert_eq(a, b)


@given(st.integers(0, 7), st.integers(-9, 9), st.none() | st.integers(0, 7), st.booleans())
@settings(max_examples=80, deadline=None)
def test_triangles(n, k, m, lower):
    ours, theirs = (
        (ga.tril_indices, np.tril_indices) if lower else (ga.triu_indices, np.triu_indices)
    )
    with config.set({"array.chunk-size": "64 B"}):
        found = ours(n, k, m)
    assert is_known(found[0].chunks)
    assert_all_eq(found, theirs(n, k, m))


def test_triangles_of_arrays():
    array = np.zeros((3, 5))
    assert_all_eq(ga.tril_indices_from(ga.asarray(array), 1), np.tril_indices_from(array, 1))
    assert_all_eq(ga.triu_indices_from(ga.asarray(array)), np.triu_indices_from(array))
    for function in (ga.tril_indices_from, ga.triu_indices_from):
        with pytest.raises(ValueError, match="2-d"):
            function(ga.ones(3))


def test_diagonals():
    assert_all_eq(ga.diag_indices(3, 3), np.diag_indices(3, 3))
    assert_all_eq(ga.diag_indices_from(ga.ones((4, 4))), np.diag_indices(4))
    with pytest.raises(ValueError, match="at least 2-d"):
        ga.diag_indices_from(ga.ones(3))
    with pytest.raises(ValueError, match="equal length"):
        ga.diag_indices_from(ga.ones((3, 4)))


def test_what_a_function_leaves():
    assert_all_eq(ga.mask_indices(4, ga.tril, -1), np.mask_indices(4, np.tril, -1))


def test_open_mesh():
    mask = np.array([True, False, True])
    for args in [([2, 0], [1], [3, 3]), ([], [1]), (mask, [0, 1]), (np.int8([1]),)]:
        assert_all_eq(ga.ix_(*args), np.ix_(*args))
    assert_all_eq(ga.ix_(ga.asarray(mask, chunks=2)), np.ix_(mask))
    with pytest.raises(ValueError, match="1 dimensional"):
        ga.ix_([[1]])


def test_spelled_indices():
    x = ga.arange(10, chunks=3)
    assert_eq(x[ga.s_[2:9:3]], np.arange(10)[2:9:3])
    assert_eq(x[ga.index_exp[1:4]], np.arange(1, 4))
    assert list(ga.ndindex(1, 2)) == [(0, 0), (0, 1)]
