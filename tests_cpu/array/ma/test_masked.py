"""Masked arrays against `numpy.ma`: masks, and elements where nothing is masked."""

import operator
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale
import gpuscale.array as ga
from gpuscale.testing import nothing_computes
from gpuscale.testing.masks import assert_masked_eq as assert_masked
from gpuscale.testing.masks import masked_pairs as masked
from gpuscale.testing.strategies import chunks


@settings(max_examples=30)
@given(masked(), st.data())
def test_arithmetic(pair, data):
    x, y = pair
    other, lazy = data.draw(masked(shape=x.shape))
    for op in (operator.add, operator.mul, operator.truediv, operator.lt, operator.eq):
        assert_masked(op(y, lazy), op(x, other))
        assert_masked(op(y, 2), op(x, 2))
        assert_masked(op(2, y), op(2, x))
    plain = np.asarray(other.data)
    assert_masked(ga.from_array(plain) - y, plain - x)
    assert_masked(abs(-y), abs(-x))
    assert_masked(np.sqrt(y), np.ma.sqrt(x))
    assert_masked(np.log(y), np.ma.log(x), rtol=1e-12)


@settings(max_examples=30)
@given(masked(), st.booleans(), st.data())
def test_reductions(pair, keepdims, data):
    x, y = pair
    axis = data.draw(st.sampled_from([None, 0, -1]))
    options = {"axis": axis, "keepdims": keepdims}
    for name in ("sum", "prod", "min", "max", "mean", "any", "all", "var", "std"):
        expected = getattr(x, name)(**options)
        actual = getattr(y, name)(**options)
        if name in ("any", "all"):
            expected = expected.astype(bool) if np.ndim(expected) else expected
        assert_masked(actual, expected, rtol=1e-9)
    np.testing.assert_array_equal(y.count(axis, keepdims).compute(), x.count(**options))


@settings(max_examples=20)
@given(masked(shape=(4, 6)))
def test_moving_elements(pair):
    x, y = pair
    assert_masked(y.reshape(3, 8).T, x.reshape(3, 8).T)
    assert_masked(y[1:, ::-2], x[1:, ::-2])
    assert_masked(y.ravel(), x.ravel())
    assert_masked(y.swapaxes(0, 1).rechunk(2), x.swapaxes(0, 1))
    assert_masked(y.astype("float32"), x.astype("float32"))
    np.testing.assert_array_equal(y.filled(7).compute(), x.filled(7))
    assert y.shape == x.shape
    assert len(y) == len(x)


def masked_values_for(draw, shape):
    """What may be assigned to elements: scalars, `masked`, arrays, arrays with masks."""
    values = np.arange(float(np.prod(shape))).reshape(shape)
    flags = draw(hnp.arrays(bool, shape))
    both = np.ma.MaskedArray(values, flags)
    lazy = ga.ma.masked_array(ga.asarray(values), flags)
    pairs = [(7, 7), (np.ma.masked,) * 2, (values, ga.asarray(values)), (both, both), (both, lazy)]
    return draw(st.sampled_from(pairs))


@settings(max_examples=40)
@given(masked(), st.data())
def test_assignment(pair, data):
    x, y = pair
    before = y + 0
    expected = x.copy()
    index = data.draw(hnp.basic_indices(x.shape, allow_newaxis=False))
    value, ours = masked_values_for(data.draw, x[index].shape)
    x[index], y[index] = value, ours
    assert_masked(y, x)
    np.testing.assert_array_equal(y.data.compute(), x.data)
    assert_masked(before, expected + 0)


@settings(max_examples=30)
@given(masked(), st.data())
def test_assignment_by_masks_and_points(pair, data):
    x, y = pair
    keep = data.draw(hnp.arrays(bool, x.shape))
    value = data.draw(st.sampled_from([3, np.ma.masked]))
    x[keep] = value
    y[ga.asarray(keep)] = value
    assert_masked(y, x)
    points = data.draw(hnp.integer_array_indices(x.shape))
    x[points], y[points] = 4, 4
    assert_masked(y, x)
    x[x > 2], y[y > 2] = np.ma.masked, np.ma.masked
    assert_masked(y, x)
    assert_masked(y[y < 1], x[x < 1])


def test_assigned_masks():
    x, y = np.ma.masked_equal(np.arange(4), 2), ga.ma.masked_equal(ga.arange(4, chunks=3), 2)
    for mask in ([True, False, False, True], True, False):
        x.mask = mask
        y.mask = mask
        assert_masked(y, x)
    with pytest.raises(ValueError, match="broadcast"):
        y.mask = [True, False]
    assert_masked(y, x)


def test_what_an_array_is_made_of_does_not_change_with_it():
    x = ga.arange(4, chunks=3)
    y = ga.ma.masked_array(x)
    y[1] = np.ma.masked
    y[0] = 9
    y.data[2] = 5
    assert x.compute().tolist() == [0, 1, 2, 3]
    assert y.compute().tolist() == [9, None, 2, 3]
    assert y.filled(-1).compute().tolist() == [9, -1, 2, 3]


def test_bad_assignment():
    y = ga.ma.masked_equal(ga.arange(4, chunks=3), 2)
    with pytest.raises(IndexError, match="out of bounds"):
        y[4] = np.ma.masked
    with pytest.raises(ValueError, match="could not broadcast"):
        y[:2] = np.ma.masked_equal([1, 2, 3], 3)
    with pytest.raises(TypeError):
        y[0] = 1j
    assert y.compute().tolist() == [0, 1, None, 3]


CONDITIONS = {
    "masked_equal": (2,),
    "masked_not_equal": (2,),
    "masked_greater": (1,),
    "masked_greater_equal": (1,),
    "masked_less": (1,),
    "masked_less_equal": (1,),
    "masked_inside": (3, -1),
    "masked_outside": (-1, 3),
    "masked_values": (2.0,),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions(name):
    x = np.arange(-4.0, 6).reshape(2, 5)
    actual = getattr(ga.ma, name)(ga.from_array(x, chunks=2), *CONDITIONS[name])
    expected = getattr(np.ma, name)(x, *CONDITIONS[name])
    assert_masked(actual, expected)
    assert actual.fill_value == expected.fill_value
    assert_masked(getattr(ga.ma, name)(actual + 0, *CONDITIONS[name]), expected)


def test_invalid():
    x = np.array([1.0, np.nan, np.inf, 4.0])
    y = ga.from_array(x, chunks=3)
    assert_masked(ga.ma.masked_invalid(y), np.ma.masked_invalid(x))
    fixed = ga.ma.fix_invalid(y, fill_value=-1)
    assert_masked(fixed, np.ma.fix_invalid(x, fill_value=-1))
    np.testing.assert_array_equal(fixed.data.compute(), [1, -1, -1, 4])


def test_asking_and_making():
    x = np.ma.masked_equal([[1, 0, 2], [0, 3, 2]], 2)
    y = ga.ma.masked_array(x)
    np.testing.assert_array_equal(ga.ma.getdata(y).compute(), x.data)
    np.testing.assert_array_equal(ga.ma.getmaskarray(y).compute(), x.mask)
    np.testing.assert_array_equal(ga.ma.filled(y).compute(), x.filled())
    np.testing.assert_array_equal(ga.ma.filled(ga.ones(2)).compute(), [1, 1])
    for ours, theirs in zip(ga.ma.nonzero(y), x.nonzero(), strict=True):
        np.testing.assert_array_equal(ours.compute(), theirs)
    for name in ("zeros_like", "ones_like"):
        assert_masked(getattr(ga.ma, name)(y), getattr(np.ma, name)(x))
    assert ga.ma.empty_like(y).mask.compute().tolist() == x.mask.tolist()
    ga.ma.set_fill_value(y, 9)
    np.testing.assert_array_equal(y.filled().compute(), x.filled(9))
    chosen = np.ma.where(x.data > 0, x, -1)
    assert_masked(ga.ma.where(ga.ma.getdata(y) > 0, y, -1), chosen)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_average(axis):
    x = np.ma.masked_equal(np.arange(6.0).reshape(2, 3), 4)
    y = ga.ma.masked_array(x)
    weights = np.array([[1.0, 2, 3], [4, 5, 6]])
    for w in (None, weights, *([weights[0]] if axis == 1 else [])):
        actual, total = ga.ma.average(y, axis, w, returned=True)
        expected, count = np.ma.average(x, axis, w, returned=True)
        assert_masked(actual, expected, rtol=1e-12)
        np.testing.assert_allclose(total.compute(), np.asarray(count))


def test_kept_pickled_explained():
    y = ga.ma.masked_equal(ga.arange(6, chunks=4), 3)
    expected = np.ma.masked_equal(np.arange(6), 3)
    assert_masked(y.persist(), expected)
    result, total = gpuscale.compute(y, y.sum())
    assert isinstance(result, np.ma.MaskedArray)
    assert total == expected.sum()
    assert_masked(pickle.loads(pickle.dumps(y)), expected)
    assert "masked" in str(y.explain())
    assert repr(y) == "gpuscale.array.ma<shape=(6,), dtype=int64>"


def test_masked_arrays_are_lazy():
    with nothing_computes():
        y = ga.ma.masked_equal(ga.arange(6, chunks=4), 3)
        assert ((y + 1).mean() * y).shape == (6,)


def test_bad_input():
    with pytest.raises(IndexError, match="Inconsistent shape"):
        ga.ma.masked_where(ga.ones(3), ga.ones(4))
    with pytest.raises(ValueError, match="broadcast|shape"):
        ga.ma.masked_array(ga.ones(3), ga.ones(4, dtype=bool))
    with pytest.raises(ValueError, match="either both or neither"):
        ga.ma.where(ga.ones(3), 1)
    with pytest.raises(TypeError, match="Axis must be specified"):
        ga.ma.average(ga.ones((2, 3)), weights=ga.ones(2))
    with pytest.raises(TypeError, match="Cannot cast"):
        ga.ma.set_fill_value(ga.ma.masked_array(ga.arange(3)), 1.5)


@settings(max_examples=20)
@given(masked(), st.data())
def test_masks_of_numpy_are_kept(pair, data):
    x, _ = pair
    cut = data.draw(chunks(x.shape))
    for make in (ga.from_array, ga.asarray, ga.array):
        y = make(x, chunks=cut)
        assert y.chunks == cut
        assert_masked(y, x)
        assert_masked(y.sum(), x.sum())
    assert_masked(ga.asarray(x, float), x.astype(float))
    plain = ga.ones(x.shape)
    for op in (operator.add, operator.sub, operator.pow, operator.eq, operator.ne, operator.lt):
        assert_masked(op(plain, x), op(np.ones(x.shape), x))
    assert_masked(np.subtract(x, plain), np.subtract(x, np.ones(x.shape)))
    assert_masked(ga.absolute(x), np.ma.abs(x))


def test_numpy_s_masked_arrays_compute_what_stands_beside_them():
    x = np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    for y in (ga.asarray([1, 2, 4], chunks=2), ga.ma.masked_array([1, 2, 4], [0, 0, 1])):
        result, expected = x - y, x - y.compute()
        np.testing.assert_array_equal(np.ma.getmaskarray(result), np.ma.getmaskarray(expected))
        np.testing.assert_array_equal(result.filled(0), expected.filled(0))


@pytest.mark.parametrize("x", [np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.masked])
def test_masks_are_not_lost(x):
    plain = ga.ones(2)
    for refused in (
        lambda: ga.sum(x),
        lambda: ga.where(plain > 0, x, 0),
        lambda: ga.concatenate([plain, x]),
        lambda: ga.asarray([x, x]),
        lambda: plain.dot(x),
        lambda: plain.__iadd__(x),
        lambda: plain.__setitem__(..., x),
        lambda: ga.sum(ga.ma.masked_array(x)),
        lambda: np.asarray(ga.ma.masked_array(x)),
    ):
        with pytest.raises(TypeError, match="mask"):
            refused()
    with pytest.raises(gpuscale.base.errors.NotSupportedError):
        ga.asarray(x, like="cupy")
    with pytest.raises(ValueError, match="copy"):
        ga.asarray(x, copy=False)
