"""Arrays from nothing: every element is a function of its index, so none is ever stored."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from gpuscale.array.api.date_ranges import DateRange, date_range
from gpuscale.array.api.index_functions import (
    axis_index,
    backend_of,
    computed,
    index_function,
    is_lazy,
    linear_index,
    place_of,
    shape_of,
)
from gpuscale.array.api.manipulation import broadcast_to
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, on_backend
from gpuscale.array.convert import as_array, as_arrays
from gpuscale.array.ufunc import call
from gpuscale.backends.creation import resolve_backend
from gpuscale.chunks.axes import normalize_axis
from gpuscale.codegen.program import ProgramBuilder

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "identity",
    "linspace",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def full(
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
) -> Array:
    """Array of one value.

    Parameters
    ----------
    shape : int or tuple of int
    fill_value : scalar
    dtype : dtype, optional
        That of the value by default.
    chunks : int, str, tuple or dict
        Block sizes, see :doc:`chunks`.
    like, backend : module, array or name, optional
        Library of the chunks.
    device : str, optional
        Another name of ``backend``, for the Array API standard.

    Raises
    ------
    ValueError
        If a length is negative, or ``fill_value`` is no scalar.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.full((2, 2), 7).compute()
    array([[7, 7],
           [7, 7]])
    """
    if np.ndim(fill_value) != 0:
        raise ValueError(
            f"fill_value must be a scalar, got shape {np.shape(fill_value)}; broadcast it with "
            "gpuscale.array.broadcast_to instead"
        )
    like = place_of(like, backend, device, fill_value)
    if is_lazy(fill_value):
        node = as_array(fill_value).expr
        node = on_backend(node, resolve_backend(like, backend_of(device, backend)))
        return broadcast_to(cast(node, dtype or node.meta.dtype), shape_of(shape), chunks)
    box = np.asarray(fill_value, dtype)
    scalar = box[()]
    builder = ProgramBuilder()
    value = builder.param(0, box.dtype)
    name = resolve_backend(like, backend_of(device, backend), box.dtype)
    return index_function(builder, value, (), (scalar,), shape_of(shape), chunks, "full", name)


def zero(dtype: Any) -> Any:
    """What arrays of zeros hold: the empty string among strings, 1970 among dates."""
    return np.zeros((), dtype)[()]


def zeros(
    shape: Any,
    dtype: Any = None,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
) -> Array:
    """Array of zeros, float64 by default; parameters as for `full`."""
    kind = np.dtype(dtype or float)
    nothing = zero(kind)
    return full(shape, nothing, kind, chunks=chunks, like=like, backend=backend, device=device)


def ones(
    shape: Any,
    dtype: Any = None,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
) -> Array:
    """Array of ones, float64 by default; parameters as for `full`."""
    kind = np.dtype(dtype or float)
    return full(shape, 1, kind, chunks=chunks, like=like, backend=backend, device=device)


def empty(
    shape: Any,
    dtype: Any = None,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
) -> Array:
    """Array of zeros: nothing that is never stored could hold garbage; parameters as for `full`."""
    return zeros(shape, dtype, chunks=chunks, like=like, backend=backend, device=device)


def full_like(
    x: Any,
    /,
    fill_value: Any,
    dtype: Any = None,
    *,
    shape: Any = None,
    chunks: Any = None,
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
) -> Array:
    """Array of one value with the shape, dtype and chunks of another, unless said otherwise."""
    x = as_array(x)
    if chunks is None:
        chunks = x.compute_chunk_sizes().chunks if shape is None else "auto"
    if like is None and backend is None and device is None:
        like = x
    wanted = x.shape if shape is None else shape
    return full(
        wanted,
        fill_value,
        x.dtype if dtype is None else dtype,
        chunks=chunks,
        like=like,
        backend=backend,
        device=device,
    )


def zeros_like(
    x: Any, /, dtype: Any = None, *, shape: Any = None, device: Any = None, **kwargs: Any
) -> Array:
    """Array of zeros with the shape, dtype and chunks of another; parameters as for `full_like`."""
    x = as_array(x)
    nothing = zero(x.dtype if dtype is None else dtype)
    return full_like(x, nothing, dtype, shape=shape, device=device, **kwargs)


def ones_like(
    x: Any, /, dtype: Any = None, *, shape: Any = None, device: Any = None, **kwargs: Any
) -> Array:
    """Array of ones with the shape, dtype and chunks of another; parameters as for `full_like`."""
    return full_like(x, 1, dtype, shape=shape, device=device, **kwargs)


def empty_like(
    x: Any, /, dtype: Any = None, *, shape: Any = None, device: Any = None, **kwargs: Any
) -> Array:
    """Array of zeros with the shape, dtype and chunks of another; parameters as for `full_like`."""
    return zeros_like(x, dtype, shape=shape, device=device, **kwargs)


def arange(
    start: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
) -> Array:
    """Evenly spaced numbers from ``start`` up to, not including, ``stop``.

    Parameters
    ----------
    start, stop, step : number, or date or duration
        With one number, it is the stop and the start is 0. Dates need both; their stop may be a
        duration or a number of units after the start. Lazy ones are computed now, since they say
        how many numbers there are; `linspace` with its fixed number takes them as they are.
    dtype : dtype, optional
        That of the numbers by default.
    chunks, like, backend, device
        As for `full`.

    Raises
    ------
    ZeroDivisionError
        If ``step`` is 0.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.arange(2, 8, 3, chunks=1).compute()
    array([2, 5])
    """
    like = place_of(like, backend, device, start, stop, step)
    start, stop, step = map(computed, (start, stop, step))  # which say how many there are
    first, last = (None, start) if stop is None else (start, stop)
    dated = date_range(first, last, step, dtype)
    if dated is not None:
        name = resolve_backend(like, backend_of(device, backend), dated.dtype)
        return _dates(dated, chunks, name)
    if stop is None:
        start, stop = 0, start
    if step == 0:
        raise ZeroDivisionError("arange: step must not be 0")
    length = int(max(0, math.ceil((stop - start) / step)))
    # An empty range of the same numbers: NumPy says what dtype they have together.
    sample = np.arange(start, start + (stop - stop), step, dtype=dtype)
    natural = sample.dtype
    exact = natural if natural.kind in "iufc" else np.dtype(np.float64)
    # NumPy too computes start + i * (second - start), in the dtype of the result.
    first = np.asarray(start).astype(exact)[()]
    with np.errstate(over="ignore"):
        delta = (np.asarray(start + step).astype(exact) - first).astype(exact)[()]
    builder = ProgramBuilder()
    index = builder.cast(builder.index(0), exact)
    value = builder.apply(
        "add",
        builder.param(0, exact),
        builder.apply("multiply", index, builder.param(1, exact), dtype=exact),
        dtype=exact,
    )
    value = builder.cast(value, natural)
    name = resolve_backend(like, backend_of(device, backend), natural)
    return index_function(
        builder,
        value,
        (linear_index((length,)),),
        (first, delta),
        (length,),
        chunks,
        "arange",
        name,
    )


def _dates(dated: DateRange, chunks: Any, backend: str) -> Array:
    """Dates or durations by their counts of units: floating point numbers would round those."""
    builder = ProgramBuilder()
    integer = np.dtype(np.int64)
    ahead = builder.apply("multiply", builder.index(0), builder.param(1, integer))
    value = builder.cast(builder.apply("add", builder.param(0, integer), ahead), dated.dtype)
    params = np.int64(dated.first), np.int64(dated.step)
    shape = (dated.length,)
    return index_function(
        builder, value, (linear_index(shape),), params, shape, chunks, "arange", backend
    )


def linspace(
    start: Any,
    stop: Any,
    /,
    num: int = 50,
    *,
    dtype: Any = None,
    endpoint: bool = True,
    retstep: bool = False,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
    axis: int = 0,
) -> Any:
    """``num`` evenly spaced numbers from ``start`` to ``stop``.

    Parameters
    ----------
    start, stop : number or array
        Of arrays, which stay lazy, `chunks` are those along the new axis.
    num : int
    dtype : dtype, optional
    endpoint : bool
        Whether ``stop`` is the last number.
    retstep : bool
        Return the step as well.
    chunks, like, backend, device
        As for `full`.
    axis : int
        Where the numbers lie if ``start`` or ``stop`` are arrays.

    Raises
    ------
    ValueError
        If ``num`` is negative.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linspace(0, 1, 5).compute()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    gaps = num - 1 if endpoint else num
    if np.ndim(start) or np.ndim(stop) or is_lazy(start) or is_lazy(stop):
        ends = as_arrays((start, stop), "linspace")
        if like is not None or backend is not None or device is not None:
            name = resolve_backend(like, backend_of(device, backend))
            ends = [Array(on_backend(x.expr, name)) for x in ends]
        result, step = _between(ends[0], ends[1], num, gaps, dtype, axis, chunks)
        return (result, step) if retstep else result
    natural = np.result_type(start, stop, float(num))
    wanted = natural if dtype is None else np.dtype(dtype)
    start, stop = natural.type(start), natural.type(stop)
    step = (stop - start) / gaps if gaps > 0 else natural.type(np.nan)
    builder = ProgramBuilder()
    index = builder.index(0)
    scaled = builder.apply("multiply", builder.cast(index, natural), builder.param(1, natural))
    value = builder.apply("add", builder.param(0, natural), scaled)
    if endpoint and num > 1:  # the last number is exactly the stop
        last = builder.apply("equal", index, builder.param(2, np.dtype(np.int64)))
        value = builder.apply("where", last, builder.param(3, natural), value)
    if wanted.kind in "iu":
        value = builder.apply("floor", value)
    value = builder.cast(value, wanted)
    params = (start, step if gaps > 0 else natural.type(0), np.int64(num - 1), stop)
    name = resolve_backend(like, backend_of(device, backend))
    result = index_function(
        builder, value, (linear_index((num,)),), params, (num,), chunks, "linspace", name
    )
    return (result, step) if retstep else result


def _between(
    start: Array, stop: Array, num: int, gaps: int, dtype: Any, axis: int, chunks: Any
) -> tuple[Array, Array]:
    """Numbers between the elements of two arrays, and the steps between them."""
    natural = np.result_type(start.dtype, stop.dtype, float(num))
    first, last = start.astype(natural), stop.astype(natural)
    step = (last - first) / (gaps if gaps > 0 else np.nan)
    places = arange(num, like=step, chunks=chunks)[(..., *(None,) * step.ndim)]
    result = call("where", places == 0, first, first + places * step)
    if gaps == num - 1:
        result = call("where", (places == gaps) & (places > 0), last, result)
    order = list(range(1, result.ndim))
    order.insert(normalize_axis(axis, result.ndim), 0)
    wanted = natural if dtype is None else np.dtype(dtype)
    result = call("floor", result) if wanted.kind in "iu" else result
    return result.transpose(order).astype(wanted, copy=False), step


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    k: int = 0,
    dtype: Any = None,
    *,
    chunks: Any = "auto",
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
) -> Array:
    """Matrix with ones on the k-th diagonal and zeros elsewhere.

    Parameters
    ----------
    n_rows, n_cols : int
        Square by default. Chunks are keyword-only, as the Array API standard wants.
    k : int
        Diagonal, above the main one where positive.
    dtype : dtype, optional
        float64 by default.
    chunks, like, backend, device
        As for `full`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.eye(2, 3, 1).compute()
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """
    shape = shape_of((n_rows, n_rows if n_cols is None else n_cols))
    builder = ProgramBuilder()
    row = builder.apply("add", builder.index(0), builder.param(0, np.dtype(np.int64)))
    value = builder.apply("equal", row, builder.index(1))
    params: list[Any] = [np.int64(k)]
    kind = np.dtype(dtype or float)
    if kind.kind in "biufc":
        value = builder.cast(value, kind)
    else:  # of which truth values are no ones and zeros
        params += [np.ones((), kind)[()], zero(kind)]
        value = builder.apply("where", value, builder.param(1, kind), builder.param(2, kind))
    indices = (axis_index(0, 2), axis_index(1, 2))
    name = resolve_backend(like, backend_of(device, backend), kind)
    return index_function(builder, value, indices, tuple(params), shape, chunks, "eye", name)


def identity(n: int, dtype: Any = None, **kwargs: Any) -> Array:
    """Square matrix with ones on the main diagonal; see `eye`."""
    return eye(n, dtype=dtype, **kwargs)
