"""What stands between the brackets, sorted into views and advanced indices by NumPy's rules."""

from __future__ import annotations

from operator import index as as_int
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuscale.array.api.index_functions import computed
from gpuscale.array.collection import Array
from gpuscale.array.nodes.elementwise import common_backend
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.base.types import is_known
from gpuscale.chunks.slicing import expand_index
from gpuscale.chunks.take import normalize_take

__all__ = [
    "Advanced",
    "Index",
    "broadcast_index",
    "integer_arrays",
    "parse_index",
    "whole_index",
]

IntArray = NDArray[np.int64]

_VALID = (
    "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or "
    "boolean arrays are valid indices"
)


class Advanced(NamedTuple):
    """An index array and the axes that it takes.

    Attributes
    ----------
    array : ndarray of integers or bool, or lazy Array of bool
    axis : int
        The first axis that it takes.
    n_axes : int
        1 for integers, the dimensions of a mask.
    """

    array: Any
    axis: int
    n_axes: int

    @property
    def is_mask(self) -> bool:
        """Whether it says which elements, not where they are."""
        return bool(self.array.dtype.kind == "b")


class Index(NamedTuple):
    """An index in order: integers, slices, None for new axes, and `Advanced`.

    Attributes
    ----------
    items : tuple
        They name every axis of the array.
    place : int
        Plain axes of the result, those of slices and None, before the axes that the advanced
        indices make; 0 where they are separated, as NumPy has it.
    """

    items: tuple[Any, ...]
    place: int

    @property
    def advanced(self) -> list[Advanced]:
        """The index arrays."""
        return [item for item in self.items if isinstance(item, Advanced)]


def parse_index(index: Any, x: Array) -> Index:
    """Sort what stands between the brackets.

    Lazy arrays of integers are computed; lazy masks stay lazy.

    Raises
    ------
    IndexError
        If something is no index, or a mask does not fit.
    MemoryBudgetError
        As of `whole_index`.
    """
    given = index if isinstance(index, tuple) else (index,)
    terms = tuple(map(_term, given))
    fancy = any(map(_is_array, terms))
    items: list[Any] = []
    axis = 0
    for item in expand_index(terms, x.ndim):
        if _is_array(item):
            n_axes = item.ndim if item.dtype.kind == "b" else 1
            advanced = Advanced(item, axis, n_axes)
            if advanced.is_mask:
                _check_mask(advanced, x)
            items.append(advanced)
            axis += n_axes
        else:
            items.append(item)
            axis += item is not None
    return Index(tuple(items), _place(terms, items) if fancy else 0)


def _is_array(term: Any) -> bool:
    return isinstance(term, np.ndarray | Array)


def _term(term: Any) -> Any:
    """One item of an index as an integer, a slice, None, Ellipsis, or an array."""
    if term is None or term is ...:
        return term
    if isinstance(term, slice):
        return slice(*map(computed, (term.start, term.stop, term.step)))
    if isinstance(term, bool | np.bool_):
        return np.asarray(term)
    if isinstance(term, Array) and term.dtype.kind == "b" and term.ndim:
        return term
    array = _host_array(term)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind not in "iu":
        raise IndexError(_VALID)
    return array if array.ndim else as_int(array[()])


def whole_index(index: Any) -> NDArray[Any]:
    """Return an index as a NumPy array; one that is lazy, or on a device, is computed.

    Raises
    ------
    MemoryBudgetError
        If a lazy one does not fit the memory limit.
    """
    try:
        return np.asarray(computed(index))
    except MemoryBudgetError as error:
        raise MemoryBudgetError(
            "an index array is needed as a whole before the elements that it names can be found, "
            f"and for this one of shape {index.shape} there is no room; use fewer positions at a "
            f"time, or, to keep elements where they are, a mask, which stays lazy: {error}"
        ) from error


def _host_array(term: Any) -> NDArray[Any]:
    if isinstance(term, list | tuple) and not len(term):
        return np.zeros(0, np.int64)
    return whole_index(term)


def _place(terms: tuple[Any, ...], items: list[Any]) -> int:
    """Plain axes before the advanced ones; integers count as advanced beside arrays."""
    places = [k for k, t in enumerate(terms) if _is_array(t) or isinstance(t, int)]
    if places[-1] - places[0] >= len(places):
        return 0  # something stands between them, be it an ellipsis for no axes
    first = next(k for k, item in enumerate(items) if isinstance(item, int | Advanced))
    return first


def _check_mask(mask: Advanced, x: Array) -> None:
    """Compare a mask's lengths with those of its axes, counting them only where they differ."""
    if isinstance(mask.array, Array) and mask.n_axes:
        common_backend((x.expr, mask.array.expr), "indexing")
    shape = x._meta.shape[mask.axis : mask.axis + mask.n_axes]
    own = mask.array._meta.shape if isinstance(mask.array, Array) else mask.array.shape
    if shape == own:
        return
    if not is_known((*shape, *own)):
        shape, own = x.shape[mask.axis : mask.axis + mask.n_axes], mask.array.shape
    for axis, (length, given) in enumerate(zip(shape, own, strict=True), mask.axis):
        if length != given:
            raise IndexError(
                f"boolean index did not match indexed array along axis {axis}; size of axis is "
                f"{length} but size of corresponding boolean axis is {given}"
            )


def integer_arrays(advanced: list[Advanced], shape: tuple[Any, ...]) -> dict[int, IntArray]:
    """Return for each axis its positions, none negative; all broadcast together.

    A mask is as many arrays as it has axes; a lazy one is computed. A mask without axes has the
    one array of its own, named by a negative number, that no axis is taken by.

    Raises
    ------
    IndexError
        If the arrays do not broadcast, or a position is out of bounds.
    """
    arrays: dict[int, NDArray[Any]] = {}
    for number, each in enumerate(advanced):
        if each.is_mask:
            found = np.nonzero(np.atleast_1d(whole_index(each.array)))
            axes = range(each.axis, each.axis + each.n_axes) if each.n_axes else (-1 - number,)
            arrays.update(zip(axes, found, strict=True))
        else:
            arrays[each.axis] = each.array
    common = broadcast_index(list(arrays.values()))
    if 0 in common:  # no element is taken, so none can be out of bounds
        arrays = {axis: np.broadcast_to(a, common) for axis, a in arrays.items()}
    return {
        axis: normalize_take(a, shape[axis], axis) if axis >= 0 else a for axis, a in arrays.items()
    }


def broadcast_index(arrays: list[NDArray[Any]]) -> tuple[int, ...]:
    """Return the shape that index arrays broadcast to.

    Raises
    ------
    IndexError
        If they do not.
    """
    try:
        return np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError:
        shapes = " ".join(str(a.shape).replace(" ", "") for a in arrays)
        raise IndexError(
            "shape mismatch: indexing arrays could not be broadcast together with shapes " + shapes
        ) from None
