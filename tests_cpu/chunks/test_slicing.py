"""Basic indices against NumPy, errors included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import Unknown
from gpuscale.chunks.slicing import expand_index, is_basic_index, slice_view


def gather(view, source):
    grid = np.indices(view.shape)
    index = tuple(
        np.full(view.shape, start) if out_axis is None else start + step * grid[out_axis]
        for out_axis, start, step in view.axes
    )
    return source[index]


@st.composite
def indexed_arrays(draw):
    shape = draw(npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    index = draw(npst.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    return np.arange(np.prod(shape, dtype=int)).reshape(shape), index


@given(indexed_arrays())
def test_basic_indices_read_what_numpy_reads(case):
    source, index = case
    assert is_basic_index(index)
    view = slice_view(index, source.shape)
    expected = source[index]
    assert view.shape == expected.shape
    np.testing.assert_array_equal(gather(view, source), expected)


@pytest.mark.parametrize(
    "index",
    [
        5,
        -3,
        (0, 0, 0),
        (..., ...),
        "a",
        1.5,
        slice(0, 2, 0),
        slice(1.5, None),
        (0, -9),
        np.float64(1),
        np.array(1.0),
        (None, 5),
        (slice(None), 3),
    ],
)
def test_mistakes_raise_what_numpy_raises(index):
    source = np.arange(6).reshape(2, 3)
    with pytest.raises(Exception) as expected:  # noqa: PT011
        source[index]
    if "arrays used as indices" in str(expected.value):
        message = "only integers, slices"
    else:
        message = str(expected.value)
    with pytest.raises(expected.type) as got:
        slice_view(index, source.shape)
    assert message in str(got.value)


@pytest.mark.parametrize("index", [np.array(1), np.int8(-1), slice(np.int64(1), None)])
def test_numpy_integers_are_integers(index):
    source = np.arange(6).reshape(2, 3)
    assert slice_view(index, source.shape).shape == source[index].shape


@pytest.mark.parametrize(
    "index", [True, np.True_, [0], np.array([0]), np.array(True), ([0], 1), 1.0, "a"]
)
def test_advanced_indices_are_not_basic(index):
    assert not is_basic_index(index)
    with pytest.raises(IndexError, match="only integers, slices"):
        slice_view(index, (2, 3))


def test_expanding_counts_the_axes_of_masks():
    mask = np.ones((2, 3), bool)
    whole = slice(None)
    assert expand_index((..., 0), 3) == (whole, whole, 0)
    assert expand_index((), 2) == (whole, whole)
    expanded = expand_index(mask, 3)
    assert expanded[0] is mask
    assert expanded[1:] == (whole,)
    assert expand_index((True, 0), 1) == (True, 0)
    assert len(expand_index(([0, 1], None), 3)) == 4
    with pytest.raises(IndexError, match="2-dimensional, but 3 were indexed"):
        expand_index((mask, 0), 2)


def test_unknown_axes_can_only_be_taken_whole():
    length = Unknown("a", -1)
    shape = (length, 4)
    assert slice_view((slice(None), 1, None), shape).shape == (length, 1)
    assert slice_view(slice(0, None, 1), shape).shape == shape
    for index in (0, slice(5), slice(None, None, -1), slice(1, None)):
        with pytest.raises(UnknownSizeError, match=r"axis 0.*compute_chunk_sizes"):
            slice_view(index, shape)
