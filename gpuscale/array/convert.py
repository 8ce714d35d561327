"""What counts as an operand, and how it becomes a node."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.construct import PYTHON_SCALARS, on_backend, scalar
from gpuscale.array.nodes.elementwise import common_backend
from gpuscale.backends.creation import holds, resolve_backend
from gpuscale.backends.foreign import adopted
from gpuscale.backends.seams import on_device
from gpuscale.chunks.blocks import max_block
from gpuscale.chunks.normalize import normalize_chunks
from gpuscale.collection import Collection
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.moving import moved
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Source
from gpuscale.graph.lazy_values import handle_of
from gpuscale.io.array_like import reader_of

__all__ = [
    "as_array",
    "as_arrays",
    "as_given",
    "as_node",
    "as_operand",
    "as_operands",
    "beside",
    "gathered",
    "is_masked",
    "known_node",
    "placed",
    "promoted",
    "source",
    "without_labels",
]

LARGE_PIECE = 4 << 20  # bytes from which on one stored chunk is worth a task
READ_TOGETHER = 16 << 20  # bytes of smaller ones that one task reads; they fit the caches
# Bytes of a block of data in memory, where nothing but the length of rows speaks for large ones.
# What functions of users make of it, borders included, stays below the 32 MiB from which on glibc
# gives freed memory back: getting it again, page by page, takes as long as a stencil.
IN_MEMORY = 24 << 20


def as_operand(value: Any) -> Any:
    """Return a node, or the value itself where it is a Python scalar, which is weak (NEP 50)."""
    return value if type(value) in PYTHON_SCALARS else as_node(value)


def as_operands(values: Sequence[Any]) -> list[Any]:
    """Return operands as `as_operand` does; what comes from the host goes where the others are."""
    operands = [as_operand(value) for value in values]
    if len({each.meta.backend for each in operands if isinstance(each, Node)}) < 2:
        return operands
    arrays = iter(gathered([value for value in values if type(value) not in PYTHON_SCALARS]))
    return [value if type(value) in PYTHON_SCALARS else next(arrays).expr for value in values]


def as_node(value: Any, chunks: Any = "auto") -> Node:
    """Return the node of an array, of anything like one, or of a number.

    Raises
    ------
    TypeError
        If the value has no elements that NumPy knows, or has a mask, which would be lost.
    """
    if isinstance(value, Array):
        return value.expr
    if isinstance(value, Node):
        return value
    if isinstance(value, np.generic) or type(value) in PYTHON_SCALARS:
        return scalar(value)
    if handle_of(value) is not None:
        raise TypeError(
            "a delayed value has no shape before it is computed; say what it will be with "
            "from_delayed(value, shape, dtype)"
        )
    if _is_frame(value):
        raise TypeError(
            "rows of frames have labels, which arrays have not; say df.to_dask_array() for the "
            "elements alone"
        )
    if is_masked(value):
        raise TypeError(
            "a masked array cannot stand here, its mask would be lost; use the methods of "
            "gpuscale.array.ma.masked_array(x), or give masked elements a value by x.filled(value)"
        )
    value = adopted(value)
    if not (hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "__getitem__")):
        value = _from_python(value)
        if isinstance(value, Array):
            return value.expr
    if value.shape == () and isinstance(value, np.ndarray):
        return scalar(value[()], value.dtype)
    return source(reader_of(value), chunks)


def is_masked(value: Any) -> bool:
    """Whether a value is a masked array, of ours or of NumPy's."""
    if isinstance(value, Collection):
        return hasattr(value, "mask") and not _is_frame(value)
    numpys = sys.modules.get("numpy.ma")  # nobody has one who has not loaded it
    return numpys is not None and isinstance(value, numpys.MaskedArray)


def _is_frame(value: Any) -> bool:
    return isinstance(value, Collection) and hasattr(value, "to_dask_array")


def without_labels(value: Any) -> Any:
    """Return the lazy array of what a frame holds, anything else as it is."""
    return value.to_dask_array() if _is_frame(value) else value


def _from_python(value: Any) -> Any:
    if hasattr(value, "__dlpack__"):
        return np.from_dlpack(value)
    if _holds_arrays(value):
        from gpuscale.array.api.joining import stack  # a list of arrays is a stack of them

        return stack([as_array(item) for item in value])
    array = np.asarray(value)
    if array.dtype == object and any(handle_of(each) is not None for each in array.flat):
        raise TypeError(
            "there are lazy values in a list that should become an array; say what each will be "
            "with from_delayed(value, shape, dtype), and join them with stack or concatenate"
        )
    return array


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(
        isinstance(item, Array) or is_masked(item) or on_device(item) or _holds_arrays(item)
        for item in value
    )


def source(reader: Any, chunks: Any = "auto") -> Node:
    """Return a node over a reader of pieces.

    What the host holds goes to the backend that the option ``array.backend`` names, as soon as it
    is read; what has no numbers of the machine stays, since no device knows it.
    """
    dtype = np.dtype(reader.dtype)
    backend = resolve_backend(dtype=dtype) if reader.backend == "numpy" else reader.backend
    stored, itemsize = reader.chunks, max(dtype.itemsize, 1)
    limit = chunk_bytes(backend, nbytes=math.prod(reader.shape) * itemsize)
    if stored is not None and reader.cost != "view":
        # A whole stored chunk is often handed on as it is decoded, several are copied together.
        whole = math.prod(max_block(stored)) * itemsize
        limit = min(limit, whole if whole >= LARGE_PIECE else READ_TOGETHER)
    elif stored is None and reader.cost == "view" and reader.backend == "numpy":
        limit = min(limit, IN_MEMORY)
    sizes = normalize_chunks(chunks, reader.shape, itemsize, limit, previous=stored)
    node = Source(reader, ArrayMeta(dtype, sizes, reader.backend))
    return moved(node, backend)


def as_array(value: Any) -> Array:
    """Return an `Array`; itself where it is one."""
    return value if isinstance(value, Array) else Array(as_node(value))


def as_arrays(values: Sequence[Any], what: str) -> list[Array]:
    """Return arrays that are used together: numbers and lists go where the others are.

    So does data of the host that only the option ``array.backend`` sent elsewhere. Arrays with axes
    stay where they are else, those of NumPy too: a copy to a device is to be asked for.

    Parameters
    ----------
    values : sequence
    what : str
        The function that takes them, for the error.

    Raises
    ------
    BackendError
        If arrays of two backends meet; it says how to move one of them.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [x.backend for x in as_arrays([ga.ones(3, like="cupy"), [1, 2, 3], 4], "add")]
    ['cupy', 'cupy', 'cupy']
    """
    arrays = gathered(values)
    if len({array.backend for array in arrays}) < 2:
        return arrays
    backend = common_backend(tuple(x.expr for x in arrays), what)
    return [Array(on_backend(x.expr, backend)) for x in arrays]


def gathered(values: Sequence[Any]) -> list[Array]:
    """Return arrays as `as_arrays` does, but leave what does not go together as it is.

    For callers that check dtypes and shapes first, as NumPy does.
    """
    arrays = [as_array(value) for value in values]
    if len({array.backend for array in arrays}) < 2:
        return arrays
    given = [x for x, v in zip(arrays, values, strict=True) if isinstance(v, Array | Node)]
    with_axes = [x for x in given if x.ndim] or [x for x in arrays if x.backend != "numpy"]
    lead = with_axes[0].backend
    return [
        x if _stays(v, x, lead) else Array(on_backend(x.expr, lead))
        for x, v in zip(arrays, values, strict=True)
    ]


def _stays(value: Any, array: Array, lead: str) -> bool:
    """Whether a value is an array that has its place, or the backend of the others lacks its dtype.

    Those without axes have none, nor has what Python holds, but for arrays in a list, nor what only
    the option sent away from the host.
    """
    if array.backend == lead or not holds(lead, array.dtype):
        return True
    in_place = hasattr(value, "dtype") and (lead != "numpy" or isinstance(array.expr, Source))
    if isinstance(value, Array | Node) or in_place:
        return array.ndim > 0
    return _holds_arrays(value)


def as_given(values: Sequence[Any], what: str) -> list[Any]:
    """Return arrays as `as_arrays` does, None where nothing was given."""
    arrays = iter(as_arrays([value for value in values if value is not None], what))
    return [None if value is None else next(arrays) for value in values]


def promoted(values: Sequence[Any], what: str) -> list[Array]:
    """Return arrays of the dtype that values have in common; Python's numbers are weak (NEP 50).

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> [x.dtype.name for x in promoted([ga.ones(2, dtype="float32"), 0.5], "add")]
    ['float32', 'float32']
    """
    arrays = as_arrays(values, what)
    kinds = [
        value if type(value) in PYTHON_SCALARS else array.dtype
        for value, array in zip(values, arrays, strict=True)
    ]
    common = np.result_type(*kinds) if kinds else None
    return [array.astype(common, copy=False) for array in arrays]


def beside(value: Any, x: Array, what: str) -> Array:
    """Return an array for use with another one, as `as_arrays` would if only this one may move."""
    array = as_array(value)
    if array.backend == x.backend:
        return array
    if _stays(value, array, x.backend):
        common_backend((x.expr, array.expr), what)
        return array
    return Array(on_backend(array.expr, x.backend))


def placed(value: Any, x: Array) -> Array:
    """Return an array on the backend of another one, to which indices and assignments belong."""
    return Array(on_backend(as_array(value).expr, x.backend))


def known_node(value: Any) -> Node:
    """Return a node all of whose sizes are integers, counting them now where data decides."""
    if isinstance(value, Array):
        return value.compute_chunk_sizes().expr
    return as_node(value)
