"""``ufunc.at`` against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga
from gpuscale.run import graph_of
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.indices import index_items
from gpuscale.testing.strategies import chunked

BINARY = (np.add, np.subtract, np.multiply, np.divide, np.maximum, np.logical_xor, np.equal)


@st.composite
def operands(draw, shape):
    own = tuple(draw(st.sampled_from((1, n))) if n else 0 for n in shape)
    own = own[draw(st.integers(0, len(own))) :]
    values = np.arange(1, 1 + np.prod(own, dtype=int)).reshape(own)
    return values.astype(draw(st.sampled_from(["i1", "i8", "f8"])))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_elements_that_arrays_of_integers_name(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=6))
    array = np.arange(1, 1 + np.prod(shape, dtype=int)).reshape(shape)
    array = array.astype(data.draw(st.sampled_from(["i2", "f4", "f8"])))
    x = data.draw(chunked(array))
    index = data.draw(index_items(shape, data.draw(st.integers(1, len(shape)))))
    ufunc = data.draw(st.sampled_from(BINARY))
    values = data.draw(operands(array[index].shape))
    lazy = data.draw(chunked(values)) if data.draw(st.booleans()) else values
    handle = x
    with np.errstate(all="ignore"):
        ufunc.at(array, index, values)
        ufunc.at(x, index, lazy)
    assert handle is x
    assert_eq(x, array)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_elements_that_slices_and_masks_name(data):
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=6))
    array = np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape).astype("f4")
    x = data.draw(chunked(array))
    ufunc = data.draw(st.sampled_from(BINARY))
    if data.draw(st.booleans()):
        index = ours = data.draw(hnp.basic_indices(shape, allow_newaxis=True))
    else:
        index = data.draw(hnp.arrays(bool, shape))
        ours = data.draw(chunked(index)) if data.draw(st.booleans()) else index
    values = data.draw(operands(array[index].shape))
    with np.errstate(all="ignore"):
        ufunc.at(array, index, values)
        ufunc.at(x, ours, values)
    assert_eq(x, array)


@pytest.mark.parametrize("index", [[0, 0, 1], slice(1, 3), 2, [True, False, True, False], ...])
def test_ufuncs_of_one_operand(index):
    array = np.array([1, 2, 3, 4])
    x = ga.from_array(array, chunks=3)
    np.negative.at(array, index)
    ga.negative.at(x, index)
    assert_eq(x, array)


def test_words_of_at():
    x = ga.zeros((3, 4), dtype="i1", chunks=2)
    array = np.zeros((3, 4), "i1")
    for each in (x, array):
        np.add.at(each, ([0, 0, 2], [1, 1, 3]), 300)  # a number beyond the dtype wraps around
        np.add.at(each, [1, 1], np.arange(4))
        np.subtract.at(each, (slice(None), [0, 0]), [[1], [2], [3]])
        np.add.at(each, (..., 2), 1.5)
        np.maximum.at(each, True, 0)
    assert_eq(x, array)
    view = x[0]
    np.add.at(view, [0, 0], 1)
    assert_eq(x, array)
    for error, act in (
        (TypeError, lambda: np.add.at(array, [0], ga.ones(1))),
        (TypeError, lambda: np.subtract.at(ga.ones(3, dtype=bool), [0], True)),
        (TypeError, lambda: np.bitwise_or.at(ga.ones(3), [0], 1)),
        (ValueError, lambda: np.negative.at(x, [0], 1)),
        (ValueError, lambda: np.add.at(x, [0])),
        (ValueError, lambda: np.add.at(x, [0], [1, 2, 3])),
        (ValueError, lambda: np.modf.at(ga.ones(3), [0])),
        (IndexError, lambda: np.add.at(x, [3], 1)),
    ):
        with pytest.raises(error):
            act()
    assert_eq(x, array)


def test_only_blocks_with_points_are_copied_and_nothing_is_computed():
    x = ga.ones(1000, chunks=10)
    with nothing_computes():
        np.add.at(x, np.array([3, 3, 500]), 2.0)
    tasks = graph_of(x[20:30])
    assert not any(task.label == "add.at" and task.workspace for task in tasks.values())
    assert x[3].compute() == 5 and float(x.sum().compute()) == 1006
