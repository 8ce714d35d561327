"""Shapes changed in C order, against NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, fake_device, nothing_computes
from gpuscale.testing.strategies import chunked, chunks


@st.composite
def factors(draw, n):
    """A shape of n elements."""
    shape = []
    while n > 1 and len(shape) < 3:
        d = draw(st.sampled_from([k for k in range(1, n + 1) if n % k == 0]))
        shape.append(d)
        n //= d
    return (*shape, n)


@settings(max_examples=80)
@given(st.sampled_from([0, 1, 12, 24, 30, 64]), st.data())
def test_reshape(n, data):
    old, new = ((0, 3), (5, 0)) if n == 0 else (data.draw(factors(n)), data.draw(factors(n)))
    array = np.arange(n).reshape(old)
    x = data.draw(chunked(array))
    assert_eq(ga.reshape(x, new), array.reshape(new))
    if n:
        hole = data.draw(st.integers(0, len(new) - 1))
        open_ = tuple(-1 if k == hole else length for k, length in enumerate(new))
        assert_eq(x.reshape(open_), array.reshape(new))
    assert_eq(ga.ravel(x), array.ravel())
    assert_eq(x.flatten(), array.flatten())


@settings(max_examples=25)
@given(st.data())
def test_index_functions_keep_their_form(data):
    old, new = data.draw(factors(24)), data.draw(factors(24))
    x = ga.arange(24, chunks=5).reshape(old)[..., None].reshape(new)
    assert_eq(x, np.arange(24).reshape(new))
    seeded = ga.random.default_rng(1).random(old, chunks=data.draw(chunks(old)))
    flat = ga.random.default_rng(1).random(24).compute()
    assert_eq(seeded.reshape(new), flat.reshape(new))


def test_orders():
    array = np.arange(12).reshape(3, 4)
    x = ga.from_array(array, chunks=2)
    assert_eq(ga.reshape(x, (2, 6), order="F"), array.reshape((2, 6), order="F"))
    assert_eq(ga.ravel(x, order="F"), array.ravel(order="F"))


@settings(max_examples=15)
@given(st.data())
def test_blocks_keep_their_elements(data):
    array = np.arange(24).reshape(4, 6)
    x = data.draw(chunked(array))
    flat = ga.reshape_blockwise(x, 24).compute()
    np.testing.assert_array_equal(np.sort(flat), np.arange(24))
    back = ga.reshape_blockwise(ga.reshape_blockwise(x, 24), (4, 6), chunks=x.chunks)
    assert_eq(back, array)


def test_sizes_that_depend_on_data():
    x = ga.arange(10, chunks=4)
    assert_eq(x[x % 2 == 0].reshape(-1, 1), np.arange(0, 10, 2)[:, None])


def test_reshaping_is_lazy_and_takes_few_tasks():
    x = ga.from_array(np.ones((100, 100)), chunks=10)
    with nothing_computes():
        y = x.reshape(10, 10, 10, 10)
        assert math.prod(y.numblocks) <= 1000
        assert "Reshape" in type(y.expr.plan).__name__


def test_bad_input():
    x = ga.ones((2, 3))
    with pytest.raises(ValueError, match=r"size 6 into shape \(4,2\)"):
        x.reshape(4, 2)
    with pytest.raises(ValueError, match="one unknown dimension|-1"):
        x.reshape(-1, -1)
    with pytest.raises(ValueError, match="reshape"):
        x.reshape(-1, 4)
    with pytest.raises(TypeError):
        x.reshape(2.5, 2)
    with pytest.raises(ValueError, match="order"):
        ga.reshape(x, (6,), order="Z")


def test_shapes_of_numbers_on_a_device():
    a = np.arange(6)
    with fake_device.active() as xp:
        three, shape = xp.asarray(3), xp.asarray([3, 2])
        x = ga.from_array(a, chunks=2)
        for lengths in ((three, 2), (three, xp.asarray(-1)), shape):
            np.testing.assert_array_equal(ga.reshape(x, lengths).compute(), a.reshape(3, 2))
        np.testing.assert_array_equal(x.reshape(three, 2).compute(), a.reshape(3, 2))
        np.testing.assert_array_equal(ga.resize(x, shape).compute(), a.reshape(3, 2))
        np.testing.assert_array_equal(ga.resize(x, three).compute(), a[:3])
        np.testing.assert_array_equal(ga.ones((three, 2)).compute(), np.ones((3, 2)))
        assert ga.broadcast_to(x, (three, 6)).shape == (3, 6)
