"""Factorizations within one block."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.array.linalg.kernels import lu_factor, parity, solve_triangular_block
from gpuscale.testing import fake_device


@given(st.integers(0, 300), st.booleans(), st.booleans(), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=25)
def test_triangular_systems(n, lower, unit, m, seed):
    rng = np.random.default_rng(seed)
    t = rng.normal(size=(n, n)) / max(n, 1) + 2 * np.eye(n)
    x = rng.normal(size=(n, m))
    triangle = np.tril(t) if lower else np.triu(t)
    if unit:
        np.fill_diagonal(triangle, 1)
    np.testing.assert_allclose(
        solve_triangular_block(t, triangle @ x, lower, unit), x, rtol=1e-9, atol=1e-9
    )


def test_a_zero_on_the_diagonal():
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        solve_triangular_block(np.diag([1.0, 0.0]), np.ones((2, 1)), True)


@given(st.integers(0, 90), st.integers(0, 90), st.booleans(), st.integers(0, 99))
@settings(max_examples=40)
def test_lu(m, n, singular, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(m, n))
    if singular and n:
        a[:, seed % n] = 0
    order, both = lu_factor(a)
    k = min(m, n)
    lower = np.tril(both[:, :k], -1) + np.eye(m, k)
    np.testing.assert_allclose(lower @ np.triu(both[:k]), a[order], atol=1e-12)
    assert np.abs(lower).max(initial=0) <= 1  # every pivot was the largest of its column


@pytest.mark.parametrize("n", [3, 40])
def test_a_device_is_not_asked_for_pivots(n):
    a = np.random.default_rng(n).normal(size=(n, n))
    order, both = lu_factor(a)
    with fake_device.active() as xp:
        on_device = xp.asarray(a)
        fake_device.TRANSFERS.clear()
        places, factors = lu_factor(on_device)
        assert not fake_device.TRANSFERS.kinds()
        assert places.get().tolist() == order.tolist()
        np.testing.assert_allclose(factors.get(), both, rtol=1e-12)


@given(st.permutations(range(7)))
def test_parity(order):
    matrix = np.eye(7)[list(order)]
    assert parity(np.array(order)) == round(np.linalg.det(matrix))
