"""``x[index]``: views, takes and masks."""

from __future__ import annotations

from typing import Any

from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.gathering import gather
from gpuscale.array.api.index_terms import Advanced, Index, integer_arrays, parse_index
from gpuscale.array.api.masking import keep_masked
from gpuscale.array.collection import Array
from gpuscale.array.construct import view
from gpuscale.base.errors import UnknownSizeError
from gpuscale.base.types import is_known
from gpuscale.chunks.slicing import is_basic_index, slice_view
from gpuscale.graph.lazy_values import handle_of

__all__ = ["basic", "field", "getitem", "is_field"]


def getitem(x: Array, index: Any, points_first: bool = False) -> Array:
    """Return ``x[index]`` by NumPy's rules.

    Integers, slices, ``...`` and ``None`` are views. An array of integers is one shuffle along its
    axis; a lazy one is computed first, so it should be small. A lazy mask stays lazy, and the size
    of the result is counted when someone asks for it, unless other arrays stand beside it.

    Parameters
    ----------
    x : Array
    index : int, slice, Ellipsis, None, array, str, or tuple of these
        A string, or a list of strings, names fields of a structured dtype.
    points_first : bool
        Put the axes that index arrays make first, wherever these stand.

    Raises
    ------
    IndexError
        As NumPy: out of bounds, too many indices, arrays that do not broadcast, masks of other
        shapes, things that are no index.
    """
    if any(handle_of(each) is not None for each in (index if type(index) is tuple else (index,))):
        raise TypeError(
            "an index is known before anything is computed: compute the lazy value first, or make "
            "an array of it by from_delayed(value, shape, dtype)"
        )
    if is_basic_index(index):
        return basic(x, index)
    if x.dtype.names and is_field(index):
        return field(x, index)
    parsed = parse_index(index, x)
    if not parsed.advanced:
        return basic(x, parsed.items)
    place = 0 if points_first else parsed.place
    arrays = parsed.advanced
    if len(arrays) == 1 and _stays_mask(arrays[0]):
        taken, axes = _plain_part(x, parsed)
        return keep_masked(taken, arrays[0], axes[0], place)
    if not is_known(tuple(x._meta.chunks[a.axis : a.axis + a.n_axes] for a in arrays)):
        x.compute_chunk_sizes()
    found = integer_arrays(arrays, x._meta.shape)
    taken, axes = _plain_part(x, parsed)
    return gather(taken, dict(zip(axes, found.values(), strict=True)), place)


def basic(x: Array, index: Any) -> Array:
    """Return a view; sizes that depend on data are counted only where they are cut."""
    try:
        affine = slice_view(index, x._meta.shape)
    except UnknownSizeError:
        affine = slice_view(index, x.shape)
    return Array(view(x.expr, affine))


def is_field(index: Any) -> bool:
    """Whether an index names fields of a structured dtype."""
    if isinstance(index, list):
        return bool(index) and all(isinstance(name, str) for name in index)
    return isinstance(index, str)


def field(x: Array, name: Any) -> Array:
    """Return some fields; one whose elements are arrays themselves has their axes at the end.

    Raises
    ------
    ValueError, KeyError
        If there is no such field, one by one or in a list, as in NumPy.
    """
    if isinstance(name, str) and name not in (x.dtype.names or ()):
        raise ValueError(f"no field of name {name}")
    dtype = x.dtype[name]
    inner = range(x.ndim, x.ndim + len(dtype.shape))
    chunks = (*x.chunks, *((n,) for n in dtype.shape))
    return map_blocks(_field, x, name, dtype=dtype.base, chunks=chunks, new_axis=tuple(inner))


def _field(chunk: Any, name: Any) -> Any:
    return chunk[name]


def _stays_mask(term: Advanced) -> bool:
    """Whether a mask is used as it is, not as the positions that it keeps."""
    return term.is_mask and (isinstance(term.array, Array) or term.n_axes > 1)


def _plain_part(x: Array, index: Index) -> tuple[Array, list[int]]:
    """Apply integers, slices and new axes; return the axes of the result for the arrays.

    A mask without axes gets a new one of length 1.
    """
    plain: list[Any] = []
    axes: list[int] = []
    for item in index.items:
        at = sum(not isinstance(each, int) for each in plain)
        if isinstance(item, Advanced):
            plain += [slice(None)] * item.n_axes or [None]
            axes += range(at, at + max(item.n_axes, 1))
        else:
            plain.append(item)
    return basic(x, tuple(plain)), axes
