"""Bits of bytes against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq
from gpuscale.testing.strategies import chunked, numpy_arrays


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_there_and_back(data):
    array = data.draw(numpy_arrays(dtypes=("bool", "uint8", "int32"), min_dims=1, max_dims=2))
    array = np.tile(array, 5)
    x = data.draw(chunked(array))
    axis = data.draw(st.none() | st.integers(-array.ndim, array.ndim - 1))
    order = data.draw(st.sampled_from(["big", "little"]))
    packed = np.packbits(array, axis, order)
    assert_eq(ga.packbits(x, axis, order), packed)
    y = data.draw(chunked(packed))
    length = packed.size * 8 if axis is None else packed.shape[axis] * 8
    # NumPy leaves what it adds to no bits at all undefined.
    count = data.draw(st.none() | st.integers(-length, length + 9 if length else 0))
    assert_eq(ga.unpackbits(y, axis, count, order), np.unpackbits(packed, axis, count, order))


def test_bad_input():
    with pytest.raises(TypeError, match="integer or boolean"):
        ga.packbits(ga.ones(3))
    with pytest.raises(TypeError, match="unsigned byte"):
        ga.unpackbits(ga.arange(3))
    with pytest.raises(ValueError, match="order"):
        ga.packbits(ga.arange(3), bitorder="middle")
    with pytest.raises(ValueError, match="out of range"):
        ga.unpackbits(ga.arange(3).astype("u1"), count=-25)
