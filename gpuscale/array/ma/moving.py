"""Functions of `numpy.ma` that move elements about, or change them in place: masks go with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpuscale.array.api import (
    elementwise,
    joining,
    manipulation,
    matrices,
    reshaping,
    sorting,
    taking,
    tiling,
)
from gpuscale.array.api.creation import arange
from gpuscale.array.collection import Array
from gpuscale.array.convert import beside
from gpuscale.array.ma.array import MaskedArray, apply, extreme
from gpuscale.array.ma.functions import masked_array
from gpuscale.chunks.axes import at_axis, normalize_axis

__all__ = [
    "append",
    "argsort",
    "around",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "clip",
    "column_stack",
    "compress",
    "compressed",
    "concatenate",
    "copy",
    "diag",
    "diagonal",
    "diff",
    "dstack",
    "expand_dims",
    "hstack",
    "ravel",
    "repeat",
    "reshape",
    "round",
    "sort",
    "squeeze",
    "stack",
    "swapaxes",
    "take",
    "transpose",
    "vstack",
]

_NOT_GIVEN = object()


def _moved(function: Callable[..., Array]) -> Callable[..., MaskedArray]:
    """A function of one array, for elements and mask alike."""

    def moved(a: Any, *args: Any, **kwargs: Any) -> MaskedArray:
        x = masked_array(a)
        return MaskedArray(
            function(x.data, *args, **kwargs), function(x.mask, *args, **kwargs), x._fill
        )

    return _named(moved, function)


def _joined(function: Callable[..., Array]) -> Callable[..., MaskedArray]:
    """A function of several arrays, for elements and masks alike."""

    def joined(arrays: Sequence[Any], *args: Any, **kwargs: Any) -> MaskedArray:
        each = [masked_array(a) for a in arrays]
        data = function([x.data for x in each], *args, **kwargs)
        return MaskedArray(data, function([x.mask for x in each], *args, **kwargs))

    return _named(joined, function)


def _named(wrapper: Callable[..., MaskedArray], function: Any) -> Callable[..., MaskedArray]:
    wrapper.__name__ = wrapper.__qualname__ = function.__name__
    wrapper.__doc__ = f"See :func:`gpuscale.array.{function.__name__}`; masks go with the elements."
    return wrapper


atleast_1d = _moved(manipulation.atleast_1d)
atleast_2d = _moved(manipulation.atleast_2d)
atleast_3d = _moved(manipulation.atleast_3d)
copy = _moved(manipulation.copy)
diag = _moved(matrices.diag)
diagonal = _moved(matrices.diagonal)
expand_dims = _moved(manipulation.expand_dims)
ravel = _moved(reshaping.ravel)
repeat = _moved(tiling.repeat)
reshape = _moved(reshaping.reshape)
squeeze = _moved(manipulation.squeeze)
swapaxes = _moved(manipulation.swapaxes)
take = _moved(taking.take)
transpose = _moved(manipulation.transpose)

column_stack = _joined(joining.column_stack)
concatenate = _joined(joining.concatenate)
dstack = _joined(joining.dstack)
hstack = _joined(joining.hstack)
stack = _joined(joining.stack)
vstack = _joined(joining.vstack)


def append(a: Any, b: Any, axis: int | None = None) -> MaskedArray:
    """Join two arrays, flattened where no axis is given; masks go with the elements."""
    return concatenate([a, b], axis)


def compress(condition: Any, a: Any, axis: int | None = None) -> MaskedArray:
    """Keep positions of an axis for which a condition holds; see `gpuscale.array.compress`."""
    x = masked_array(a)
    data, mask = (taking.compress(condition, each, axis) for each in (x.data, x.mask))
    return MaskedArray(data, mask, x._fill)


def compressed(x: Any) -> Array:
    """Elements that count, in C order, as an array without a mask.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.compressed(ga.ma.masked_equal([3, 1, 2], 1)).compute()
    array([3, 2])
    """
    masked = masked_array(x)
    kept: Array = masked.data[~masked.mask]
    return kept


def clip(a: Any, a_min: Any = None, a_max: Any = None) -> MaskedArray:
    """Limit elements to an interval; None is no limit."""
    x = masked_array(a)
    return MaskedArray(elementwise.clip(x.data, a_min, a_max), x.mask, x._fill)


def round(a: Any, decimals: int = 0) -> MaskedArray:
    """Round to a number of decimals, halves to the even neighbour."""
    x = masked_array(a)
    return MaskedArray(elementwise.round(x.data, decimals), x.mask, x._fill)


around = round


def diff(
    a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None
) -> MaskedArray:
    """Differences between neighbours along an axis, taken ``n`` times; masked where one is.

    Raises
    ------
    ValueError
        If ``n`` is negative, or there is no axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.diff(ga.ma.masked_equal([1, 0, 4, 9], 0)).compute()
    masked_array(data=[--, --, 5],
                 mask=[ True,  True, False],
           fill_value=999999)
    """
    x = masked_array(a)
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    if not x.ndim:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = normalize_axis(axis, x.ndim)
    parts = [_end(prepend, x, axis), x, _end(append, x, axis)]
    known = [part for part in parts if part is not None]
    x = concatenate(known, axis) if n and len(known) > 1 else x
    op = "not_equal" if x.dtype == bool else "subtract"
    for _ in range(n):
        x = apply(op, x[at_axis(axis, slice(1, None))], x[at_axis(axis, slice(None, -1))])
    return x


def _end(value: Any, x: MaskedArray, axis: int) -> MaskedArray | None:
    """What is put before or after an array; one value is put there for each line."""
    if value is None:
        return None
    end = masked_array(value)
    if end.ndim:
        return end
    end = MaskedArray(*(beside(part, x.data, "diff") for part in (end.data, end.mask)))
    return _moved(manipulation.broadcast_to)(end, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))


def _last(x: MaskedArray) -> Any:
    """Value that no element comes after: NaN and NaT, or the largest there is."""
    kind = x.dtype.kind
    return x.dtype.type("NaT" if kind in "mM" else np.nan) if kind in "fcmM" else extreme(x, 1)


def _filled_for_sort(x: MaskedArray, endwith: bool) -> Array:
    return x.filled(_last(x) if endwith else extreme(x, -1))


def sort(a: Any, axis: int | None = -1, kind: Any = None, *, endwith: bool = True) -> MaskedArray:
    """Sort along an axis; masked elements come last, or first.

    Parameters
    ----------
    a : array
    axis : int or None
        None flattens first.
    kind : str, optional
        Accepted for NumPy's sake.
    endwith : bool
        Put masked elements at the end.

    Raises
    ------
    NotSupportedError
        If the dtype has no largest or smallest value to put in the place of masked elements.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.sort(ga.ma.masked_equal([3, 9, 1, 2], 9)).compute()
    masked_array(data=[1, 2, 3, --],
                 mask=[False, False, False,  True],
           fill_value=9)
    """
    x = masked_array(a)
    x, axis = (ravel(x), 0) if axis is None else (x, normalize_axis(axis, x.ndim))
    data = sorting.sort(_filled_for_sort(x, endwith), axis, kind)
    count = x.count(axis, keepdims=True)
    length = x.shape[axis]
    place = arange(length, chunks=(data.chunks[axis],), backend=data.backend)
    place = place[(slice(None), *(None,) * (x.ndim - 1 - axis))]
    flags = place >= count if endwith else place < length - count
    return MaskedArray(data, flags, x._fill)


def argsort(a: Any, axis: Any = _NOT_GIVEN, kind: Any = None, *, endwith: bool = True) -> Array:
    """Positions that would sort an axis, those of masked elements last, or first.

    Parameters
    ----------
    a, axis, kind, endwith
        As for `sort`; the axis must be given where there are several.

    Raises
    ------
    ValueError
        If no axis is given for an array of several.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ma.argsort(ga.ma.masked_equal([3, 9, 1, 2], 9)).compute()
    array([2, 3, 0, 1])
    """
    x = masked_array(a)
    if axis is _NOT_GIVEN and x.ndim > 1:
        raise ValueError(
            "say axis=None or axis=-1: argsort of masked arrays flattens them in numpy.ma, and is "
            "going to sort their last axis"
        )
    along = -1 if axis is _NOT_GIVEN else axis
    return sorting.argsort(_filled_for_sort(x, endwith), along, kind)
