"""Axis numbers against NumPy's own normalization."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.exceptions import AxisError
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from gpuscale.chunks.axes import normalize_axes, normalize_axis


@given(st.lists(st.integers(-4, 4), max_size=3), st.integers(0, 4))
def test_axes_and_errors_are_numpys(axes, ndim):
    try:
        expected = normalize_axis_tuple(axes, ndim)
    except ValueError as error:
        with pytest.raises(type(error)):
            normalize_axes(axes, ndim)
    else:
        assert normalize_axes(axes, ndim) == expected


def test_one_axis_and_all_axes():
    assert normalize_axis(-1, 3) == normalize_axis_index(-1, 3) == 2
    assert normalize_axes(None, 3) == (0, 1, 2)
    assert normalize_axes(-2, 3) == (1,)
    with pytest.raises(AxisError, match="axis 3 is out of bounds for array of dimension 3"):
        normalize_axis(3, 3)
    with pytest.raises(TypeError):
        normalize_axis(1.0, 3)
