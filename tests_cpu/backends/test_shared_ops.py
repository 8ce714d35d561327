import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.backends.seams import fold, to_host
from gpuscale.backends.shared_ops import (
    assemble,
    concatenate_grid,
    fold_by_halves,
    own,
    strided_nbytes,
)
from gpuscale.testing import fake_device

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


FOLDED = ("add", "multiply", "minimum", "maximum", "fmin", "logical_or", "logical_and", "hypot")


@pytest.mark.parametrize("name", FOLDED)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple), data=st.data())
def test_fold_by_halves_is_what_ufuncs_reduce_to(name, shape, data):
    axes = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1))))
    x = np.random.default_rng(len(shape)).integers(0, 4, shape).astype("f8")
    x[x == 3] = np.nan
    dtype = data.draw(st.sampled_from([None, "f4"])) if name == "add" else None
    expected = getattr(np, name).reduce(x, axis=axes, keepdims=True, dtype=dtype)
    np.testing.assert_allclose(fold_by_halves(np, x, name, axes, dtype), expected)


def test_fold_of_numpy_and_of_a_device_agree():
    x = np.arange(1, 25).reshape(2, 3, 4)
    with fake_device.active() as xp:
        for name in ("gcd", "bitwise_xor", "maximum", "add"):
            found = fold(xp.asarray(x), name, (0, 2))
            assert to_host(found).tolist() == fold(x, name, (0, 2)).tolist()
