import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.backends.shared_ops import (
    assemble,
    concatenate_grid,
    order_by_turns,
    own,
    strided_nbytes,
)

axis_sizes = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple)


@given(st.lists(axis_sizes, max_size=3))
def test_concatenate_grid_undoes_cutting(chunks):
    shape = tuple(map(sum, chunks))
    x = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    ends = [np.cumsum((0, *sizes)) for sizes in chunks]
    blocks = [
        x[tuple(slice(e[k], e[k + 1]) for e, k in zip(ends, number, strict=True))]
        for number in np.ndindex(*map(len, chunks))
    ]
    np.testing.assert_array_equal(concatenate_grid(np, blocks, tuple(map(len, chunks))), x)


def test_concatenate_grid_promotes():
    joined = concatenate_grid(np, [np.ones(1, "i4"), np.ones(1, "f4")], (2,))
    assert joined.dtype == np.result_type("i4", "f4")


def test_one_block_is_not_copied():
    x = np.ones((2, 2))
    assert concatenate_grid(np, [x], (1, 1)) is x


def test_assemble_scatters_by_any_index():
    out = assemble(np, [([0, 2], [5, 6]), ([1], [7])], (3,), "i8")
    assert out.tolist() == [5, 7, 6]


@pytest.mark.parametrize(("part", "is_copied"), [(slice(0, 2), True), (slice(1, 100), False)])
def test_own(part, is_copied):
    x = np.arange(100.0)
    view = x[part][::-1]
    kept = own(view)
    np.testing.assert_array_equal(kept, view)
    assert np.shares_memory(kept, x) is not is_copied


def test_own_leaves_files_mapped(tmp_path):
    x = np.ndarray((1000,), "u1", mmap.mmap(-1, 1000))
    assert np.shares_memory(own(x[:2]), x)


def test_own_leaves_a_repeated_row():
    row = np.arange(3.0)
    assert np.shares_memory(own(np.broadcast_to(row, (5, 3))), row)


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=3))
def test_strided_nbytes(axes):
    x = np.empty([1 if repeated else n for n, repeated in axes], "f4")
    view = np.broadcast_to(x, [n for n, _ in axes])
    expected = 0 if view.size == 0 else x.nbytes
    assert strided_nbytes(view) == expected


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 3))
def test_order_by_turns_is_lexsort(values, count):
    keys = [np.roll(np.array(values), number) % (number + 2) for number in range(count)]
    keys = [np.stack([key, key[::-1]]) for key in keys]
    for axis in (0, 1):
        found = order_by_turns(np, *keys, axis=axis)
        np.testing.assert_array_equal(found, np.lexsort(keys, axis=axis))
