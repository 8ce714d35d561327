"""Masked arrays whose elements move, against `numpy.ma`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.masks import assert_masked_eq, masked_pairs


@settings(max_examples=12, deadline=None)
@given(masked_pairs(), st.data())
def test_one_array(pair, data):
    x, y = pair
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    for name, args in (
        ("expand_dims", (axis,)),
        ("ravel", ()),
        ("repeat", (2, axis)),
        ("swapaxes", (0, axis)),
        ("take", ([0, -1, 0], axis)),
        ("transpose", ()),
        ("atleast_2d", ()),
        ("diag", ()),
        ("clip", (-2, 3)),
        ("round", (1,)),
        ("copy", ()),
        ("diff", (1, axis)),
        ("diff", (2, axis)),
    ):
        expected = getattr(np.ma, name)(x, *args)
        assert_masked_eq(getattr(ga.ma, name)(y, *args), expected)
        if hasattr(np.ma.MaskedArray, name):
            assert_masked_eq(getattr(y, name)(*args), getattr(x, name)(*args))
    ends = {"prepend": 2, "append": y}
    expected = np.ma.diff(x, axis=axis, prepend=2, append=x)
    assert_masked_eq(ga.ma.diff(y, axis=axis, **ends), expected)
    keep = [k % 2 == 0 for k in range(x.shape[axis])]
    assert_masked_eq(y.compress(keep, axis), x.compress(keep, axis))
    assert_masked_eq(ga.ma.compress(keep, y, axis), x.compress(keep, axis))
    assert_eq(y.compressed(), x.compressed())
    assert_eq(ga.ma.compressed(ga.asarray(x.data)), np.ma.compressed(x.data))


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_several_arrays(data):
    shape = data.draw(st.sampled_from([(4,), (3, 4), (2, 2)]))
    pairs = [data.draw(masked_pairs(shape=shape)) for _ in range(2)]
    theirs, ours = zip(*pairs, strict=True)
    for name in ("concatenate", "stack", "vstack", "hstack", "dstack", "column_stack"):
        assert_masked_eq(getattr(ga.ma, name)(ours), getattr(np.ma, name)(theirs))
    mixed = [ours[0], np.ones(shape)]
    assert_masked_eq(
        ga.ma.concatenate(mixed, axis=-1), np.ma.concatenate([theirs[0], np.ones(shape)], -1)
    )
    assert_masked_eq(ga.ma.concatenate(ours, axis=None), np.ma.concatenate(theirs, axis=None))
    assert_masked_eq(ga.ma.append(*ours), np.ma.append(*theirs))
    assert_masked_eq(np.concatenate(ours), np.ma.concatenate(theirs))


@settings(max_examples=15, deadline=None)
@given(masked_pairs(), st.data())
def test_sort(pair, data):
    x, y = pair
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    for endwith in (True, False):
        assert_masked_eq(ga.ma.sort(y, axis, endwith=endwith), np.ma.sort(x, axis, endwith=endwith))
        places = np.ma.argsort(x, axis, kind="stable", endwith=endwith)
        assert_eq(ga.ma.argsort(y, axis, endwith=endwith), places)
    assert_masked_eq(ga.ma.sort(y, axis=None), np.ma.sort(x, axis=None))
    x.sort(axis)
    y.sort(axis)
    assert_masked_eq(y, x)


@pytest.mark.parametrize("chunks", [1, 3, 10])
@pytest.mark.parametrize("dtype", ["i1", "u1", "f4", "M8[s]", "m8[s]", "bool", "c8"])
def test_sort_of_the_ends_of_a_dtype(dtype, chunks):
    x = np.arange(8).astype(dtype)
    if x.dtype.kind in "iu":
        x[:3] = np.iinfo(dtype).max, np.iinfo(dtype).min, np.iinfo(dtype).max
    elif x.dtype.kind in "fc":
        x[:3] = np.inf, np.nan, -np.inf
    elif x.dtype.kind in "mM":
        x[0] = "NaT"
    masked = np.ma.MaskedArray(x, [0, 0, 0, 1, 1, 0, 0, 0])
    lazy = ga.ma.masked_array(ga.from_array(x, chunks=chunks), masked.mask)
    for endwith in (True, False):
        kept = np.sort(masked.compressed())
        found = ga.ma.sort(lazy, endwith=endwith).compute()
        np.testing.assert_array_equal(found.compressed(), kept)
        assert found.mask[-2:].all() if endwith else found.mask[:2].all()


def test_arguments():
    y = ga.ma.masked_equal(ga.asarray([[3, 1], [2, 0]], chunks=1), 1)
    with nothing_computes():
        ga.ma.sort(y), ga.ma.diff(y), y.compressed(), ga.ma.concatenate([y, y])
    with pytest.raises(ValueError, match="say axis=None or axis=-1"):
        y.argsort()
    assert_eq(y[0].argsort(), np.array([0, 1]))
    with pytest.raises(ValueError, match="non-negative"):
        ga.ma.diff(y, -1)
    with pytest.raises(ValueError, match="one dimensional"):
        ga.ma.diff(y[0, 0])
    with pytest.raises(NotImplementedError, match="no smallest"):
        ga.ma.sort(ga.ma.masked_array(np.array(["a", "b"]), [True, False]), endwith=True)
    assert ga.ma.concatenate([y, y]).chunks == ((1, 1, 1, 1), (1, 1))
