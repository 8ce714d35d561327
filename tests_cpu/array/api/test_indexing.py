"""What stands between the brackets, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.base.types import is_known
from gpuscale.run import graph_of
from gpuscale.testing import assert_eq
from gpuscale.testing.indices import counted, index_arrays, index_items
from gpuscale.testing.strategies import chunked, chunks

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6)


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


def test_other_axes_of_what_has_unknown_size_are_cut_anew():
    array = counted((9, 4))
    x = ga.asarray(array, chunks=(4, 3))
    kept = x[x[:, 0] % 8 == 0] + ga.arange(4, chunks=2)
    assert not is_known(kept.chunks)
    assert_eq(kept, array[array[:, 0] % 8 == 0] + np.arange(4))


def test_flat_counts_through_all_axes():
    array = np.arange(12).reshape(3, 4)
    x = ga.from_array(array, chunks=2)
    for index in (5, -1, slice(2, 9, 3), [0, 7]):
        assert_eq(x.flat[index], array.flat[index])
    assert len(x.flat) == 12
    assert int(next(x.flat)) == 0
    assert [int(each) for each in x[:2, :2].flat] == [0, 1, 4, 5]


@pytest.mark.parametrize("values", [["abc", "d"], [b"abc", b"d"]])
def test_one_string_or_object(values):
    for dtype in (None, object):
        array = np.array(values, dtype)
        x = ga.from_array(array, chunks=1)
        for index in range(2):  # a scalar, as in NumPy, whose dtype may be narrower
            assert x[index].compute() == array[index]
            assert ga.array(x[index]).compute() == array[index]
            assert (x.rechunk(2)[index]).compute() == array[index]


def test_an_index_array_has_to_fit_and_the_data_need_not():
    x = ga.arange(1_000, chunks=50)
    rows = ga.ones((1_000, 400), chunks=(10, 400)).map_blocks(np.copy, dtype=float)  # 3.2 MB
    order = np.random.default_rng(0).permutation(1_000)
    with config.set({"memory-limit": 500_000}):
        assert (rows + x[:, None])[order].sum(axis=1)[7].compute() == 400 * (order[7] + 1)
        long = ga.arange(100_000, chunks=1_000) % 1_000  # 800 kB
        with pytest.raises(MemoryBudgetError, match=r"index array.*a mask"):
            x[long]
        with pytest.raises(MemoryBudgetError, match=r"index array.*a mask"):
            ga.take(x, long)
