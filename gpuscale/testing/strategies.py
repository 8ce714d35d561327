"""Hypothesis strategies for arrays and the ways to cut them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import gpuscale.array as ga

__all__ = ["REAL_DTYPES", "axes", "chunked", "chunks", "numpy_arrays", "pairs", "repetitive"]

REAL_DTYPES = ("bool", "int8", "uint8", "int32", "int64", "uint64", "float32", "float64")


def axes(ndim: int) -> st.SearchStrategy[Any]:
    """Draw what an argument ``axis`` takes: None, one axis, several of them."""
    one = st.integers(-ndim, ndim - 1)
    some = st.lists(one, max_size=ndim, unique_by=lambda axis: axis % ndim).map(tuple)
    return st.none() | one | some if ndim else st.none() | st.just(())


@st.composite
def chunks(draw: Any, shape: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Draw the sizes of blocks along each axis of a shape."""
    sizes = []
    for length in shape:
        cuts = draw(st.lists(st.integers(1, max(length - 1, 1)), max_size=3, unique=True))
        ends = sorted({*(c for c in cuts if 0 < c < length), length})
        sizes.append(tuple(b - a for a, b in zip([0, *ends[:-1]], ends, strict=True)))
    return tuple(sizes)


@st.composite
def numpy_arrays(
    draw: Any,
    *,
    dtypes: Sequence[str] = REAL_DTYPES,
    min_dims: int = 0,
    max_dims: int = 3,
    min_side: int = 0,
    max_side: int = 7,
    special: bool = True,
) -> np.ndarray[Any, Any]:
    """Draw an array; floating point ones hold NaN and infinities where ``special`` says so."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(
        hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)
    )
    if dtype.kind in "fc":
        width = dtype.itemsize * 8 // (2 if dtype.kind == "c" else 1)
        numbers = st.floats(-1000, 1000, width=width)
        if special:
            numbers |= st.sampled_from([float("nan"), float("inf"), -float("inf"), -0.0])
        elements: Any = numbers if dtype.kind == "f" else st.builds(complex, numbers, numbers)
    else:
        elements = (
            hnp.from_dtype(dtype, min_value=0 if dtype.kind == "u" else -100, max_value=100)
            if dtype.kind in "iu"
            else st.booleans()
        )
    array: np.ndarray[Any, Any] = draw(hnp.arrays(dtype, shape, elements=elements))
    return array


@st.composite
def chunked(draw: Any, array: np.ndarray[Any, Any]) -> ga.Array:
    """Draw a lazy array of the same elements, cut somehow."""
    return ga.from_array(array, chunks=draw(chunks(array.shape)))


@st.composite
def pairs(draw: Any, **options: Any) -> tuple[np.ndarray[Any, Any], ga.Array]:
    """Draw an array and a lazy array of the same elements, cut somehow."""
    array = draw(numpy_arrays(**options))
    return array, draw(chunked(array))


FEW = st.sampled_from([0.0, 1.0, 2.5, -3.0, float("nan"), float("inf")])


@st.composite
def repetitive(draw: Any, max_dims: int = 2) -> tuple[np.ndarray[Any, Any], ga.Array]:
    """Draw an array of few distinct elements, NaN among them, and the same cut somehow."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=max_dims, min_side=0, max_side=8))
    if draw(st.booleans()):
        array = draw(hnp.arrays("float64", shape, elements=FEW))
    else:
        array = draw(hnp.arrays("int32", shape, elements=st.integers(-3, 3)))
    return array, draw(chunked(array))
