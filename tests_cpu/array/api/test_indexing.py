"""What stands between the brackets, against NumPy."""

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
from gpuscale.testing.equality import assert_eq
from gpuscale.testing.refusing import nothing_computes
from gpuscale.testing.strategies import chunked, chunks

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6)


def counted(shape):
    """An array in which every element says where it is."""
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@st.composite
def index_arrays(draw, length, shape):
    """Positions of an axis; none where the axis has none."""
    if length == 0:
        return np.zeros((0,), np.intp)
    return draw(hnp.arrays(np.intp, shape, elements=st.integers(-length, length - 1)))


@st.composite
def index_items(draw, shape, n_arrays):
    """A tuple of slices, integers, new axes, an ellipsis, and broadcasting arrays of integers."""
    ndim = len(shape)
    common = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=4))
    if 0 in shape:
        common = (0,)
    array_axes = draw(st.permutations(range(ndim)))[:n_arrays]
    items = []
    for axis, length in enumerate(shape):
        if axis in array_axes:
            own = tuple(draw(st.sampled_from((1, n))) if n else 0 for n in common)
            own = own[draw(st.integers(0, len(own) - 1)) :]
            array = draw(index_arrays(length, own))
            items.append(array.tolist() if draw(st.booleans()) and array.size else array)
        elif length and draw(st.integers(0, 3)) == 0:
            items.append(draw(st.integers(-length, length - 1)))
        else:
            items.append(draw(st.slices(length)))
        if draw(st.integers(0, 5)) == 0:
            items.append(None)
    if draw(st.booleans()):
        place = draw(st.integers(0, len(items)))
        items.insert(place, ...)
    return tuple(items)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_basic_indices(data):
    array = counted(data.draw(SHAPES))
    index = data.draw(hnp.basic_indices(array.shape, allow_newaxis=True, allow_ellipsis=True))
    assert_eq(data.draw(chunked(array))[index], array[index])


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_arrays_of_integers_beside_slices_integers_and_new_axes(data):
    array = counted(data.draw(SHAPES))
    n_arrays = data.draw(st.integers(1, array.ndim))
    index = data.draw(index_items(array.shape, n_arrays))
    assert_eq(data.draw(chunked(array))[index], array[index])


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_masks_of_any_number_of_axes(data):
    array = counted(data.draw(SHAPES))
    n_axes = data.draw(st.integers(0, array.ndim))
    first = data.draw(st.integers(0, array.ndim - n_axes))
    mask = data.draw(hnp.arrays(bool, array.shape[first : first + n_axes]))
    before = data.draw(hnp.basic_indices(array.shape[:first], min_dims=0, allow_ellipsis=False))
    before = before if isinstance(before, tuple) else (before,)
    before += (slice(None),) * (first - sum(item is not None for item in before))
    lazy = data.draw(st.booleans())
    x = data.draw(chunked(array))
    ours = data.draw(chunked(mask)) if lazy else mask
    result = x[(*before, ours)]
    assert_eq(result, array[(*before, mask)])
    assert result.shape == array[(*before, mask)].shape


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_mask_beside_integers(data):
    array = counted(data.draw(hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=5)))
    mask = data.draw(hnp.arrays(bool, array.shape[:1]))
    other = data.draw(index_arrays(array.shape[2], (int(mask.sum()),)))
    x = data.draw(chunked(array))
    assert_eq(x[mask, :, other], array[mask, :, other])
    assert_eq(x[ga.asarray(mask), ..., other], array[mask, ..., other])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_outer_indices_are_taken_axis_by_axis(data):
    array = counted(data.draw(hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6)))
    lists = [data.draw(index_arrays(n, data.draw(st.integers(1, 5)))) for n in array.shape]
    x = data.draw(chunked(array))
    assert_eq(x[np.ix_(*lists)], array[np.ix_(*lists)])


def test_size_of_what_a_mask_keeps_is_counted_on_demand():
    array = counted((20,)) % 7
    x = ga.asarray(array, chunks=6)
    kept = x[x > 2]
    assert not is_known(kept.chunks)
    assert len(kept) == (array > 2).sum()
    assert is_known(kept.chunks)
    expected = array[array > 2]
    assert_eq(x[x > 2][5:9], expected[5:9])
    assert_eq(x[x > 2].reshape((-1, 1)), expected.reshape((-1, 1)))
    assert_eq(x[x > 2][::-1], expected[::-1])
    assert_eq(x[x > 2][[0, -1]], expected[[0, -1]])


def test_what_one_mask_keeps_stays_aligned():
    array = counted((9, 4))
    x = ga.asarray(array, chunks=(4, 3))
    rows = x[:, 0] % 8 == 0
    kept = x[rows] * 2 + x[rows] * np.arange(4)
    assert not is_known(kept.chunks)
    expected = array[array[:, 0] % 8 == 0]
    assert_eq(kept, expected * 2 + expected * np.arange(4))
    assert_eq(x[rows][:, 1:], expected[:, 1:])
    assert_eq(x[rows][x[rows][:, 1] > 5], expected[expected[:, 1] > 5])


def test_a_mask_of_known_sizes_on_an_array_that_was_counted():
    array = counted((12,))
    x = ga.asarray(array, chunks=5)
    even = x[x % 2 == 0]
    mask = even > 4  # made before the sizes are counted
    assert len(even) == 6
    assert_eq(even[mask], np.array([6, 8, 10]))


@pytest.mark.parametrize(
    "index",
    [
        (np.True_,), (False,), (True, [0, 1]), (slice(None), True), ([0, 2], slice(None), True),
        (np.array(1),), (slice(None), np.array(1)), (np.int8(2), ..., np.uint8(1)), ([],),
        ([], [7]), ([[0, 1], [1, 2]],), (slice(None), [0, 1], ..., [1, 0]), ((0, 1),), (range(2),),
        (0, slice(None), [0, 1]), (slice(None), 1, [0]), ([True, False, True],), (np.s_[::-2],),
    ],
)  # fmt: skip
def test_special_indices(index):
    array = counted((3, 4, 5))
    x = ga.asarray(array, chunks=(2, 3, 2))
    assert_eq(x[index], array[index])


def test_lazy_index_arrays():
    array = counted((6, 5))
    x = ga.asarray(array, chunks=(4, 2))
    rows, zero = ga.asarray([4, 0, -1], chunks=2), ga.asarray(0)
    assert_eq(x[rows], array[[4, 0, -1]])
    assert_eq(x[zero], array[0])
    assert_eq(x[rows, ga.asarray([1, 1, 2])], array[[4, 0, -1], [1, 1, 2]])
    assert_eq(x[x.sum() > 3], array[None])


ERRORS = [
    9, -7, [0, 9], ([0, 1], [0, 1, 2]), np.ones(4, bool), np.ones((3, 5), bool), 1.0, [1.0], "a",
    (0, 0, 0, 0), (..., ...), {}, ([[True] * 4] * 3, [0, 1]), (slice(None), 4), (slice(None), [-5]),
]  # fmt: skip


@pytest.mark.parametrize("index", ERRORS, ids=range(len(ERRORS)))
def test_errors_are_those_of_numpy_and_come_at_once(index):
    array = counted((3, 4, 5))
    x = ga.asarray(array, chunks=2)
    with pytest.raises(IndexError) as theirs:
        array[index]
    with pytest.raises(IndexError) as ours:
        x[index]
    assert str(ours.value).strip() == str(theirs.value).strip()
    with pytest.raises(IndexError):
        x[index] = 1


def test_lazy_mask_of_another_shape():
    x = ga.ones((3, 4), chunks=2)
    with pytest.raises(IndexError, match="axis 0; size of axis is 3 but size of .* axis is 4"):
        x[ga.ones(4, bool)]


def test_fields_of_a_structured_array():
    array = np.array([(1, 2.0), (3, 4.0), (5, 6.0)], dtype=[("a", int), ("b", float)])
    x = ga.asarray(array, chunks=2)
    assert_eq(x["b"], array["b"])
    assert_eq(x[["a"]], array[["a"]])


def test_a_permutation_is_one_shuffle():
    n = 1000
    order = np.random.default_rng(0).permutation(n * 10)
    x = ga.arange(n * 10, chunks=10)
    y = x[order]
    assert y.numblocks == (n,)
    assert len(graph_of(y)) < 5 * n
    assert_eq(y, order)


def test_sorted_positions_read_each_block_once():
    positions = np.sort(np.random.default_rng(0).integers(0, 1000, 300))
    x = ga.arange(1000, chunks=10).persist()
    y = x[positions]
    assert len(graph_of(y)) <= 2 * x.npartitions
    assert_eq(y, positions)


def test_evenly_spaced_positions_are_a_view():
    x = ga.arange(100, chunks=10)
    assert x[np.arange(3, 50, 4)].chunks == x[3:50:4].chunks
    assert_eq(x[np.arange(50, 3, -4)], np.arange(50, 3, -4))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_vindex_puts_points_first(data):
    array = counted(data.draw(hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=5)))
    first, last = (data.draw(index_arrays(array.shape[k], (3,))) for k in (0, 2))
    x = data.draw(chunked(array))
    assert_eq(x.vindex[first, :, last], array[first, :, last])
    middle = first % array.shape[1]
    assert_eq(x.vindex[:, middle], np.moveaxis(array[:, middle], 1, 0))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_blocks(data):
    array = counted(data.draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=8)))
    sizes = data.draw(chunks(array.shape))
    x = ga.asarray(array, chunks=sizes)
    numbers = [
        data.draw(
            st.one_of(
                st.integers(-len(s), len(s) - 1),
                st.slices(len(s)),
                st.lists(st.integers(-len(s), len(s) - 1), min_size=1, max_size=4),
            )
        )
        for s in sizes
    ]
    expected = array
    for axis, (number, each) in enumerate(zip(numbers, sizes, strict=True)):
        pieces = np.split(expected, np.cumsum(each)[:-1], axis=axis)
        chosen = np.atleast_1d(np.arange(len(each))[number])
        nothing = expected[(slice(None),) * axis + (slice(0),)]
        expected = np.concatenate([nothing, *(pieces[k] for k in chosen)], axis=axis)
    assert_eq(x.blocks[tuple(numbers)], expected)


def test_blocks_of_unknown_size():
    x = ga.arange(20, chunks=5)
    kept = x[x % 3 == 0]
    assert kept.blocks.shape == (4,) and kept.blocks.size == 4
    assert_eq(kept.blocks[[3, 0]], np.array([15, 18, 0, 3]))
    assert [b.compute().tolist() for b in kept.blocks.ravel()] == [[0, 3], [6, 9], [12], [15, 18]]
    assert_eq(x.partitions[-1], np.arange(15, 20))
    assert_eq(x.blocks[[True, False, False, True]], np.r_[0:5, 15:20])


@pytest.mark.parametrize("index", [4, (0, 0), [4], None, [True]])
def test_blocks_that_are_not_there(index):
    with pytest.raises(IndexError):
        ga.arange(20, chunks=5).blocks[index]


# --- assignment ----------------------------------------------------------------------------------


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


def test_other_axes_of_what_has_unknown_size_are_cut_anew():
    array = counted((9, 4))
    x = ga.asarray(array, chunks=(4, 3))
    kept = x[x[:, 0] % 8 == 0] + ga.arange(4, chunks=2)
    assert not is_known(kept.chunks)
    assert_eq(kept, array[array[:, 0] % 8 == 0] + np.arange(4))


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
