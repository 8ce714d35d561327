"""Sorting across blocks against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, pairs

DTYPES = ("bool", "int8", "int64", "float32", "float64")


@pytest.mark.parametrize("name", ["sort", "argsort"])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_sort_and_argsort(name, data):
    array, x = data.draw(pairs(dtypes=DTYPES, min_dims=1))
    axis = data.draw(st.none() | st.integers(-array.ndim, array.ndim - 1))
    assert_eq(getattr(ga, name)(x, axis=axis), getattr(np, name)(array, axis=axis, kind="stable"))


@pytest.mark.parametrize("chunks", [2, 7, 128, 129, 257])
@pytest.mark.parametrize("distinct", [2, 50, 10**9])
def test_many_blocks_and_ties(chunks, distinct):
    array = np.random.default_rng(1).integers(0, distinct, 300)
    x = ga.from_array(array, chunks=chunks)
    assert_eq(ga.sort(x), np.sort(array))
    assert_eq(ga.argsort(x), np.argsort(array, kind="stable"))
    descending = ga.argsort(x, descending=True).compute()
    assert (np.diff(array[descending]) <= 0).all()
    same = array[descending][1:] == array[descending][:-1]
    assert (np.diff(descending)[same] > 0).all()


def test_sort_is_lazy_and_keeps_chunks():
    with nothing_computes():
        assert ga.sort(ga.arange(10, chunks=(3, 4, 3))).chunks == ((3, 4, 3),)


def test_no_axis_to_sort():
    with pytest.raises(np.exceptions.AxisError):
        ga.sort(ga.asarray(1.0))
    with pytest.raises(np.exceptions.AxisError):
        ga.sort(ga.ones(3), axis=1)


def test_kinds():
    x = ga.asarray([3, 1, 2], chunks=2)
    for kind in ("quicksort", "heapsort", "mergesort", "stable", None):
        assert_eq(ga.sort(x, kind=kind), np.array([1, 2, 3]))
    for function in (ga.sort, ga.argsort):
        with pytest.raises(ValueError, match="sort kind"):
            function(x, kind="bubble")


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_lexsort(data):
    shape = data.draw(st.sampled_from([(7,), (1,), (0,), (3, 4)]))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    keys = [rng.integers(0, 3, shape) for _ in range(data.draw(st.integers(1, 3)))]
    lazy = [data.draw(chunked(key)) for key in keys]
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    assert_eq(ga.lexsort(lazy, axis), np.lexsort(keys, axis))


@pytest.mark.parametrize("chunks", [2, 7, 128, 299])
def test_lexsort_across_blocks_is_lazy(chunks):
    """Also with more blocks than are sorted one by one, keys of several dtypes, NaN and ties."""
    rng = np.random.default_rng(3)
    n = 600
    real = rng.integers(0, 3, n).astype("f4")
    real[rng.random(n) < 0.1] = np.nan
    keys = [rng.random(n), rng.integers(0, 4, n).astype("i1"), real]
    x = [ga.from_array(key, chunks=size) for key, size in zip(keys, (chunks, 70, 50), strict=True)]
    with nothing_computes():
        orders = [ga.lexsort(x), ga.lexsort(x[::-1]), ga.lexsort(x[1:])]
    assert orders[0].chunks == x[0].chunks
    assert "lexsort" in repr(orders[0])
    for order, own in zip(orders, (keys, keys[::-1], keys[1:]), strict=True):
        assert_eq(order, np.lexsort(own))


def test_lexsort_of_bad_keys():
    with pytest.raises(TypeError, match="len > 0"):
        ga.lexsort([])
    with pytest.raises(ValueError, match="same shape"):
        ga.lexsort([ga.arange(3), ga.arange(4)])


@pytest.mark.parametrize("method, more", [("sort", ()), ("partition", (1,))])
def test_methods_change_the_array(method, more):
    array = np.array([[3, 1, 2], [9, 8, 7]])
    for axis in (0, -1):
        x, expected = ga.from_array(array, chunks=2), array.copy()
        view, other = x[:, 1:], ga.asarray(x)
        assert getattr(x, method)(*more, axis=axis) is None
        getattr(expected, method)(*more, axis=axis)
        assert_eq(x, expected)
        assert_eq(view, array[:, 1:])
        assert other is x
    for y in (array.copy(), ga.asarray(array)):
        with pytest.raises(TypeError):
            getattr(y, method)(*more, axis=None)
        with pytest.raises(np.exceptions.AxisError):
            getattr(y, method)(*more, axis=2)


@pytest.mark.parametrize("chunks", [1, 7, 40])
def test_order_of_fields(chunks):
    generator = np.random.default_rng(0)
    array = np.zeros(40, [("a", "i4"), ("b", "f8"), ("s", "U3")])
    for name in array.dtype.names:
        array[name] = generator.integers(0, 3, 40)
    for order in ("b", ["s", "a"], ("s", "b", "a")):
        x = ga.from_array(array, chunks=chunks)
        with nothing_computes():
            sorted_ = np.sort(x, order=order)
        assert_eq(sorted_, np.sort(array, order=order))
        places = np.argsort(array, order=order, kind="stable")
        assert_eq(ga.argsort(x, order=order), places)
        x.sort(order=order)
        assert_eq(x, array[places])
        table = ga.from_array(array.reshape(8, 5), chunks=(3, 2))
        assert_eq(ga.sort(table, 0, order=order), np.sort(array.reshape(8, 5), 0, order=order))
        assert_eq(ga.sort(x, order=order, descending=True), array[places][::-1])


def test_refused_orders():
    x = ga.asarray(np.zeros(3, [("a", int), ("b", int)]))
    for array, order, message in (
        (x, "q", "unknown field name: q"),
        (x, ["a", "a"], "duplicate field name"),
        (ga.ones(3), "a", "no fields"),
    ):
        for function in (ga.sort, ga.argsort):
            with pytest.raises(ValueError, match=message):
                function(array, order=order)
