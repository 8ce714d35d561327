"""Assignment to what stands between the brackets, against NumPy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga
from gpuscale.array.collection import Array
from gpuscale.base.types import is_known
from gpuscale.run import graph_of
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.indices import counted, index_items
from gpuscale.testing.strategies import chunked

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6)


def assign(x: Array, array, index, value, ours=None):
    """Assign on both sides; the array that NumPy changed."""
    array = array.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array[index] = value
    x[index] = value if ours is None else ours
    return array


@st.composite
def values_for(draw, array, index):
    """Something that broadcasts to what an index names, of another dtype at times."""
    shape = array[index].shape
    kind = draw(st.integers(0, 3)) if shape else 0  # NumPy puts no array into one element
    if kind == 0:
        return draw(st.integers(-9, 9))
    own = tuple(draw(st.sampled_from((1, n))) if n else 0 for n in shape) if kind == 1 else shape
    own = (1,) + own if kind == 2 else own[draw(st.integers(0, len(own))) if kind == 1 else 0 :]
    values = -1.0 - np.arange(np.prod(own, dtype=int)).reshape(own)
    return values if draw(st.booleans()) else values.astype(np.int16)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_assignment_to_slices(data):
    array = counted(data.draw(SHAPES))
    index = data.draw(hnp.basic_indices(array.shape, allow_newaxis=True, allow_ellipsis=True))
    x = data.draw(chunked(array))
    value = data.draw(values_for(array, index))
    assert_eq(x, array)
    expected = assign(x, array, index, value)
    assert_eq(x, expected)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_assignment_to_points(data):
    array = counted(data.draw(SHAPES))
    index = data.draw(index_items(array.shape, data.draw(st.integers(1, array.ndim))))
    x = data.draw(chunked(array))
    value = data.draw(values_for(array, index))
    chunked_before = x.chunks
    expected = assign(x, array, index, value)
    assert_eq(x, expected)
    assert x.chunks == chunked_before


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_assignment_under_masks(data):
    array = counted(data.draw(SHAPES))
    n_axes = data.draw(st.integers(0, array.ndim))
    first = data.draw(st.integers(0, array.ndim - n_axes))
    mask = data.draw(hnp.arrays(bool, array.shape[first : first + n_axes]))
    rest = tuple(data.draw(st.slices(n)) for n in array.shape[:first])
    index = (*rest, mask)
    x = data.draw(chunked(array))
    value = data.draw(values_for(array, index))
    if n_axes == array.ndim and np.ndim(value) > 1:
        value = np.ravel(value)  # NumPy wants no more here
    expected = array.copy()
    expected[index] = value
    ours = data.draw(chunked(mask)) if n_axes and data.draw(st.booleans()) else mask
    x[(*rest, ours)] = value
    assert_eq(x, expected)


def test_assignment_of_lazy_values_and_of_itself():
    array = counted((7, 6)).astype(float)
    x = ga.asarray(array, chunks=(3, 4))
    x[1:-1, 1:-1] = (x[:-2, 1:-1] + x[2:, 1:-1]) / 4
    array[1:-1, 1:-1] = (array[:-2, 1:-1] + array[2:, 1:-1]) / 4
    assert_eq(x, array)
    x[:, ::-2] = x[:, 1::2]
    array[:, ::-2] = array[:, 1::2].copy()
    assert_eq(x, array)


def test_assignment_with_operator_under_a_mask_counts_nothing():
    array = counted((5, 6))
    x = ga.asarray(array, chunks=(2, 4))
    mask = x % 4 == 1
    x[mask] += 100
    assert not is_known(x[mask].chunks)
    array[array % 4 == 1] += 100
    assert_eq(x, array)
    rows = x[:, 0] > 90
    x[rows, 1:3] *= 2
    array[array[:, 0] > 90, 1:3] *= 2
    assert_eq(x, array)


def test_assignment_to_what_has_unknown_size():
    x = ga.arange(20, chunks=6)
    kept, expected = x[x % 3 == 0], np.arange(20)[np.arange(20) % 3 == 0]
    kept[kept > 6] = 0
    assert not is_known(kept.chunks)
    expected[expected > 6] = 0
    assert_eq(kept, expected)
    kept[1:3] = 50
    expected[1:3] = 50
    assert_eq(kept, expected)


def test_the_last_value_for_an_element_stays():
    x = ga.zeros(10, dtype=int, chunks=3)
    x[[1, 4, 1, 4, 1]] = [1, 2, 3, 4, 5]
    assert x.compute().tolist() == [0, 5, 0, 0, 4, 0, 0, 0, 0, 0]


def test_other_arrays_keep_what_they_had():
    x = ga.zeros(4, chunks=2)
    before, view = x.copy(), x[1:]
    x[:] = 1
    assert_eq(before, np.zeros(4))
    assert_eq(view, np.zeros(3))


def test_a_scalar_in_a_slice_fuses():
    x = ga.ones((8, 8), chunks=4)
    x[2:5, ::2] = 7
    x[:, 3] = ga.arange(8)
    x[x > 6] = -1
    assert len(graph_of(x * 2)) == 4


CASTS = [
    (np.zeros(3), 1j), (np.zeros(3), "a"), (np.zeros(3, np.uint8), 300),
    (np.zeros(3, np.uint8), np.nan), (np.zeros(3), [[1], [2, 3]]), (np.zeros(3, np.uint8), [300]),
]  # fmt: skip


@pytest.mark.parametrize(("array", "value"), CASTS, ids=range(len(CASTS)))
def test_values_without_meaning(array, value):
    x = ga.asarray(array, chunks=2)
    with pytest.raises((TypeError, ValueError, OverflowError)) as theirs:
        array[0:1] = value
    with pytest.raises(theirs.type):
        x[0:1] = value
    assert_eq(x, array)


SHAPE_ERRORS = [
    (slice(None), np.zeros(3)), ([0, 1], np.zeros(3)), (..., np.zeros((2, 5, 6))),
    (np.ones((5, 6), bool), np.zeros(3)), (np.ones(5, bool), np.zeros((3, 6))),
    (0, np.zeros((2, 6))),
]  # fmt: skip


@pytest.mark.parametrize(("index", "value"), SHAPE_ERRORS, ids=range(len(SHAPE_ERRORS)))
def test_values_of_other_shapes(index, value):
    array = np.zeros((5, 6))
    x = ga.asarray(array, chunks=4)
    with pytest.raises(ValueError):
        array[index] = value
    with pytest.raises(ValueError, match="broadcast|cannot assign 3 input values to the"):
        x[index] = value
    assert_eq(x, array)


def test_indexing_and_assignment_are_lazy():
    x = ga.arange(36, chunks=7).reshape((6, 6))
    with nothing_computes():
        y = x[x > 3][x[x > 3] < 20]
        z = x[x[:, 0] > 3, 1:3] + x[[5, 0, 1]][:, [0, 1]][0] + x.vindex[[0], [1]]
        z = z + x.blocks[0][0, :2]
        x[x > 30] = 0
        x[::2, 1:] = x[1::2, :-1]
        x[[0, 0, 3], [1, 2, 3]] = ga.arange(3)
        x[x < 3] += 1
        y.sum(), z.sum()
    assert x.compute().shape == (6, 6)


def test_plans_for_a_device_need_none():
    x = ga.ones((6, 6), chunks=4, like="cupy")
    x[np.ones((6, 6), bool)] = np.arange(36)
    x[1:3] = np.zeros((2, 6))
    x[[1, 5]] = np.zeros(6)
    x[x > 3] = 0
    for y in (x[[4, 0]], x[np.eye(6, dtype=bool)], x[x > 0], x[::2], x.blocks[0]):
        assert y.backend == "cupy"
        assert len(graph_of(y)) > 1


FLAT = [
    (3, 9),
    (-1, 5.7),
    (slice(1, 4), [7, 8, 9]),
    (slice(None), [1, 2]),
    (slice(0, 6), list(range(8))),
    (slice(1, 6, 2), [[9], [8]]),
    ([0, 5], 7),
    (np.array([True, False, False, True, True, False]), [1, 2]),
    (..., 3),
    (slice(2, 2), 3),
    (slice(None), []),
]


@pytest.mark.parametrize("index, value", FLAT)
def test_flat(index, value):
    array = np.arange(6).reshape(2, 3)
    x = ga.from_array(array.copy(), chunks=2)
    array.flat[index] = value
    x.flat[index] = value
    assert_eq(x, array)


def test_flat_has_one_axis():
    x = ga.zeros((2, 3), chunks=2)
    with pytest.raises(IndexError, match="out of bounds"):
        x.flat[7] = 1
    with pytest.raises(IndexError, match="too many"):
        x.flat[0, 1] = 1


@pytest.mark.parametrize("index", [0, slice(1, 5), [0, 5], np.arange(6) > 2])
def test_assignment_keeps_the_byte_order(index):
    array = np.arange(6, dtype=">f8")
    x = ga.from_array(array, chunks=4)
    expected = assign(x, array, index, 9)
    assert x.dtype == x.compute().dtype == expected.dtype
    assert_eq(x, expected)


def test_a_lazy_mask_keeps_the_byte_order():
    array = np.arange(6, dtype=">f8")
    x = ga.from_array(array, chunks=4)
    kept = x[x > 2]
    assert kept.dtype == kept.compute().dtype == array.dtype
    assert_eq(kept, array[array > 2])


@pytest.mark.parametrize("chunks", [1, 2, 5])
def test_fields_of_records(chunks):
    kind = [("a", "i4"), ("b", "f8"), ("v", "f4", (2,)), ("s", "U3")]
    array = np.zeros((5, 3), kind)
    array["a"] = np.arange(15).reshape(5, 3)
    x = ga.from_array(array, chunks=chunks)
    some = np.array([(1.5, "x"), (2.5, "y"), (3.5, "z")], [("b", "f8"), ("s", "U3")])
    before = x["a"]
    for each in (array, x):
        each["b"] = np.arange(3)
        each["v"] = [1, 2]
        each["s"] = "abcdef"
        each[["a", "b"]] = (7, 8)
        each[["b", "s"]] = some
        each["a"] = each["b"] * 2
    assert_eq(x, array)
    for name in ("a", "v", ["s", "a"]):
        assert_eq(x[name], array[name])
    assert_eq(before, np.arange(15, dtype="i4").reshape(5, 3))
    with nothing_computes():
        x["b"] = ga.ones(3, like=x)


def test_refused_fields():
    array = np.zeros(3, [("a", "i4"), ("b", "f8")])
    for each in (array, ga.asarray(array)):
        for error, name, value in (
            (ValueError, "q", 1),
            (KeyError, ["a", "q"], 1),
            (IndexError, ("a", 0), 1),
            (ValueError, "b", np.arange(4)),
            (ValueError, "a", "x"),
        ):
            with pytest.raises(error):
                each[name] = value
        with pytest.raises(ValueError, match="no field of name q"):
            each["q"]
