"""Products of the namespace linalg."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq
from gpuscale.testing.matrices import close, lazily, matrix


@given(data=st.data())
@settings(max_examples=25)
def test_multi_dot(data):
    lengths = data.draw(st.lists(st.integers(1, 5), min_size=3, max_size=6))
    items = [
        matrix(data, n, m, dtypes=("float64",)) for n, m in zip(lengths, lengths[1:], strict=False)
    ]
    if data.draw(st.booleans()):
        items[0] = items[0][0]
    if data.draw(st.booleans()):
        items[-1] = items[-1][:, 0]
    close(ga.linalg.multi_dot([lazily(data, a) for a in items]), np.linalg.multi_dot(items), 10)


def test_the_cheapest_order():
    from gpuscale.array.linalg.chains import _splits

    assert _splits([10, 100, 5, 50])[0, 2] == 1
    assert _splits([50, 5, 100, 10])[0, 2] == 0


def test_stacks_of_matrices():
    a = np.arange(24).reshape(2, 3, 4)
    x = ga.from_array(a, chunks=2)
    assert_eq(ga.linalg.diagonal(x, offset=1), np.linalg.diagonal(a, offset=1))
    assert_eq(ga.linalg.trace(x, dtype="int64"), np.linalg.trace(a))
    assert_eq(ga.linalg.matrix_transpose(x), np.linalg.matrix_transpose(a))
    assert_eq(ga.linalg.outer(x[0, 0], x[0, 1]), np.linalg.outer(a[0, 0], a[0, 1]))
    assert_eq(ga.linalg.cross(x[:, :, 0], x[:, :, 1]), np.linalg.cross(a[:, :, 0], a[:, :, 1]))
    assert_eq(ga.linalg.cross(x, x[::-1], axis=1), np.linalg.cross(a, a[::-1], axis=1))


def test_bad_input():
    with pytest.raises(ValueError, match="3-dimensional vectors"):
        ga.linalg.cross(ga.ones(2), ga.ones(3))
    with pytest.raises(ValueError, match="must be one-dimensional"):
        ga.linalg.outer(ga.ones((2, 2)), ga.ones(2))
    with pytest.raises(ValueError, match="at least two arrays"):
        ga.linalg.multi_dot([ga.ones((2, 2))])
    with pytest.raises(ValueError, match="takes matrices"):
        ga.linalg.multi_dot([ga.ones((2, 2)), ga.ones((2, 2, 2)), ga.ones(2)])
