"""Hypothesis strategies for what may stand between the brackets."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

__all__ = ["counted", "index_arrays", "index_items"]


def counted(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return an array in which every element says where it is.

    Examples
    --------
    >>> counted((2, 3))
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    return np.arange(np.prod(shape, dtype=int)).reshape(shape)


@st.composite
def index_arrays(draw: Any, length: int, shape: Any) -> np.ndarray[Any, Any]:
    """Draw positions of an axis; none where the axis has none."""
    if length == 0:
        return np.zeros((0,), np.intp)
    positions: np.ndarray[Any, Any] = draw(
        hnp.arrays(np.intp, shape, elements=st.integers(-length, length - 1))
    )
    return positions


@st.composite
def index_items(draw: Any, shape: tuple[int, ...], n_arrays: int) -> tuple[Any, ...]:
    """Draw slices, integers, new axes, an ellipsis, and arrays of integers that broadcast."""
    common = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=4))
    if 0 in shape:
        common = (0,)
    array_axes = draw(st.permutations(range(len(shape))))[:n_arrays]
    items: list[Any] = []
    for axis, length in enumerate(shape):
        if axis in array_axes:
            own = tuple(draw(st.sampled_from((1, n))) if n else 0 for n in common)
            array = draw(index_arrays(length, own[draw(st.integers(0, len(own) - 1)) :]))
            items.append(array.tolist() if draw(st.booleans()) and array.size else array)
        elif length and draw(st.integers(0, 3)) == 0:
            items.append(draw(st.integers(-length, length - 1)))
        else:
            items.append(draw(st.slices(length)))
        if draw(st.integers(0, 5)) == 0:
            items.append(None)
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), ...)
    return tuple(items)
