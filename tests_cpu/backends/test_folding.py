import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.array.api import folding
from gpuscale.backends.folding import (
    ASSOCIATIVE,
    accumulate_pairwise,
    fold_pairwise,
    reduceat_pairwise,
)
from gpuscale.backends.seams import accumulate, fold, reduceat, to_host
from gpuscale.testing import fake_device

OF_FLOATS = ("add", "multiply", "minimum", "maximum", "fmin", "logical_or", "logical_and", "hypot")
OF_INTEGERS = ("gcd", "bitwise_xor", "logical_xor", "fmax", "add")
IN_ORDER = ("lcm", "subtract", "power", "left_shift", "ldexp", "equal", "copysign", "floor_divide")
LINES = tuple(name for name in (*OF_FLOATS, *OF_INTEGERS, *IN_ORDER) if name != "ldexp")
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)


def numbers(name, shape):
    """Small numbers of a dtype that the ufunc takes, NaN among them where there are any."""
    x = np.random.default_rng(len(shape)).integers(0, 4, shape)
    if name in ("equal", "ldexp"):
        return x > 1  # nothing else is equal to a truth value; ldexp reduces nothing else safely
    if name not in OF_FLOATS:
        return x.astype("i8")
    x = x.astype("f8")
    x[x == 3] = np.nan
    return x


def same(found, expected):
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_the_ufuncs_that_may_be_cut_are_known_alike():
    assert folding._ASSOCIATIVE == ASSOCIATIVE


@pytest.mark.parametrize("name", (*OF_FLOATS, *OF_INTEGERS))
@given(shape=shapes, data=st.data())
@settings(max_examples=40)
def test_fold_is_what_ufuncs_reduce_to(name, shape, data):
    axes = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    x = numbers(name, shape)
    dtype = data.draw(st.sampled_from([None, "f4"])) if name == "add" else None
    expected = getattr(np, name).reduce(x, axis=axes, keepdims=True, dtype=dtype)
    same(fold_pairwise(np, x, name, axes, dtype), expected)


@pytest.mark.parametrize("name", IN_ORDER)
@given(shape=shapes, data=st.data())
@settings(max_examples=40)
def test_fold_in_order(name, shape, data):
    x = numbers(name, shape)
    axis = data.draw(st.integers(0, len(shape) - 1))
    options = {}
    if data.draw(st.booleans()):
        options = {"initial": 1, "where": np.arange(shape[-1]) % 2 == 0}
    with np.errstate(all="ignore"):
        expected = getattr(np, name).reduce(x, axis=axis, keepdims=True, **options)
        same(fold_pairwise(np, x, name, (axis,), **options), expected)


@pytest.mark.parametrize("name", LINES)
@given(shape=shapes, data=st.data())
@settings(max_examples=40)
def test_accumulate_is_what_ufuncs_do(name, shape, data):
    x = numbers(name, shape)
    axis = data.draw(st.integers(0, len(shape) - 1))
    before = x.copy()
    with np.errstate(all="ignore"):
        expected = getattr(np, name).accumulate(x, axis=axis)
        found = accumulate_pairwise(np, x, name, axis, expected.dtype)
        same(found, expected)
    assert not np.shares_memory(found, x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("name", LINES)
@given(shape=shapes, data=st.data())
@settings(max_examples=60)
def test_reduceat_is_what_ufuncs_do(name, shape, data):
    x = numbers(name, (data.draw(st.integers(1, 20)), *shape[1:]))
    axis = data.draw(st.integers(0, len(shape) - 1))
    starts = data.draw(st.lists(st.integers(0, x.shape[axis] - 1), max_size=6).map(np.array))
    starts = starts.astype(int)
    with np.errstate(all="ignore"):
        expected = getattr(np, name).reduceat(x, starts, axis=axis)
        same(reduceat_pairwise(np, x, name, starts, axis), expected)


def test_numpy_and_a_device_agree():
    x = np.arange(1, 25).reshape(2, 3, 4)
    starts = np.array([0, 2, 1])
    with fake_device.active() as xp:
        on_device = xp.asarray(x)
        for name in ("gcd", "bitwise_xor", "maximum", "add", "subtract"):
            axes = (0, 2) if name != "subtract" else (2,)
            found = fold(on_device, name, axes)
            assert to_host(found).tolist() == fold(x, name, axes).tolist()
            found = accumulate(on_device, name, 2)
            assert to_host(found).tolist() == accumulate(x, name, 2).tolist()
            found = reduceat(on_device, name, starts, 1)
            assert to_host(found).tolist() == reduceat(x, name, starts, 1).tolist()


def test_durations_keep_their_unit():
    x = np.array([3, 1, 4], "m8[s]")
    for found in (fold(x, "add", (0,), x.dtype), accumulate(x, "maximum", 0, x.dtype)):
        assert found.dtype == x.dtype
    assert reduceat(x, "add", np.array([1]), 0, x.dtype).tolist() == [np.timedelta64(5, "s").item()]
