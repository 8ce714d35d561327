"""The list of every function that depends on the library a chunk belongs to."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from gpuscale.base.dispatch import Dispatch

__all__ = [
    "accumulate",
    "array_namespace",
    "backend_name",
    "best_positions",
    "best_values",
    "bincount",
    "fold",
    "from_host",
    "histogram",
    "is_out_of_memory",
    "join_grid",
    "lexicographic_order",
    "nbytes",
    "on_device",
    "owns_memory",
    "reduceat",
    "row_quantiles",
    "to_host",
    "update",
]

array_namespace: Dispatch[ModuleType] = Dispatch(
    "array_namespace",
    doc="""Return the module that holds the functions for a chunk.

    The names to use in it are NumPy's: ``sort argsort partition unique bincount searchsorted
    einsum linalg.svd fft.rfft`` and so on mean the same in each backend.

    Examples
    --------
    >>> import numpy
    >>> array_namespace(numpy.arange(3)) is numpy
    True
    """,
)

backend_name: Dispatch[str] = Dispatch(
    "backend_name",
    doc="""Return the name of the backend that a chunk belongs to.

    Examples
    --------
    >>> import numpy
    >>> backend_name(numpy.arange(3))
    'numpy'
    """,
)

fold: Dispatch[Any] = Dispatch(
    "fold",
    doc="""Reduce axes with a universal function of two operands; they are kept with length 1.

    ``fold(values, name, axes, dtype=None, **options)``: the elements are cast to the dtype first;
    the options are ``initial`` and ``where`` of ``numpy.ufunc.reduce``.

    Examples
    --------
    >>> import numpy
    >>> fold(numpy.array([[6, 4], [9, 3]]), "gcd", (1,))
    array([[2],
           [3]])
    """,
)

from_host: Dispatch[Any] = Dispatch(
    "from_host",
    doc="""Return an array or a frame of the host as one of a backend: ``from_host(data, name)``.

    Examples
    --------
    >>> import numpy
    >>> from_host(numpy.arange(3), "numpy")
    array([0, 1, 2])
    """,
)

join_grid: Dispatch[Any] = Dispatch(
    "join_grid",
    doc="""Join chunks that lie in a grid: ``join_grid(chunks[0], chunks, grid)``, in C order.

    Examples
    --------
    >>> import numpy
    >>> chunks = [numpy.zeros((1, 2)), numpy.ones((1, 1))]
    >>> join_grid(chunks[0], chunks, (1, 2))
    array([[0., 0., 1.]])
    """,
)

is_out_of_memory: Dispatch[bool] = Dispatch(
    "is_out_of_memory",
    doc="""Say whether an exception means that a device has no memory left.

    Where the host has none it does not: the budget of tasks is there for that.

    Examples
    --------
    >>> is_out_of_memory(MemoryError("Unable to allocate 8 TiB"))
    False
    >>> is_out_of_memory(MemoryError("std::bad_alloc: out_of_memory: RMM failure"))
    True
    """,
)

lexicographic_order: Dispatch[Any] = Dispatch(
    "lexicographic_order",
    doc="""Return the positions that sort by several keys, of which the last is the first to decide.

    ``lexicographic_order(*keys, axis)``: the keys are arrays of one shape.

    Examples
    --------
    >>> import numpy
    >>> lexicographic_order(numpy.array([9, 1, 5]), numpy.array([1, 2, 1]), axis=0)
    array([2, 0, 1])
    """,
)

nbytes: Dispatch[int] = Dispatch(
    "nbytes",
    doc="""Return the bytes that a chunk, or a container of chunks, takes in memory.

    An element that a broadcast view shows many times counts once; the objects in an array of
    Python objects are estimated from a sample.

    Examples
    --------
    >>> import numpy
    >>> nbytes(numpy.zeros((10, 10))), nbytes(numpy.broadcast_to(1.0, (10, 10)))
    (800, 8)
    """,
)

reduceat: Dispatch[Any] = Dispatch(
    "reduceat",
    doc="""Reduce stretches of an axis with a universal function of two operands.

    ``reduceat(values, name, starts, axis, dtype=None)``: the places where stretches start lie in
    the host's memory; the elements are cast to the dtype first.

    Examples
    --------
    >>> import numpy
    >>> reduceat(numpy.arange(6), "add", numpy.array([0, 4]), 0)
    array([6, 9])
    """,
)

row_quantiles: Dispatch[Any] = Dispatch(
    "row_quantiles",
    doc="""Return quantiles along the last axis; axes of the fractions come first.

    The parameters are weights, or None; the fractions; the method, "mean" for medians; and whether
    NaN do not count. The rows stand in `gpuscale.array.sorted_quantiles` and beside its caller.

    Examples
    --------
    >>> import numpy
    >>> import gpuscale.array
    >>> row_quantiles(numpy.array([[3, 1, 4]]), None, [0.5, 1], "lower", False)
    array([[3],
           [4]])
    """,
)

to_host: Dispatch[Any] = Dispatch(
    "to_host",
    doc="""Return a chunk, or a container of chunks, in the host's memory.

    What lies there already is returned as it is. A device is waited for.

    Examples
    --------
    >>> import numpy
    >>> to_host(numpy.arange(3))
    array([0, 1, 2])
    """,
)

accumulate: Dispatch[Any] = Dispatch(
    "accumulate",
    doc="""Return running results of a ufunc along an axis, in a new array.

    ``accumulate(values, name, axis, dtype=None)``: the elements are cast to the dtype first, by
    default that of the values.

    Examples
    --------
    >>> import numpy
    >>> accumulate(numpy.array([3, 1, 4]), "maximum", 0)
    array([3, 3, 4])
    """,
)

bincount: Dispatch[Any] = Dispatch(
    "bincount",
    doc="""Count the integers from 0 to a length, of which there are no others, or add up weights.

    The parameters are the weights, or None, and the length. Sums have the same bits in each run.

    Examples
    --------
    >>> import numpy
    >>> bincount(numpy.array([0, 2, 2]), None, 4)
    array([1, 0, 2, 0])
    """,
)

histogram: Dispatch[Any] = Dispatch(
    "histogram",
    doc="""Count numbers in bins, or add up their weights.

    The parameters are the edges, or how many equal bins there are; the range of these, or None; and
    the weights, or None. Sums have the same bits in each run.

    Examples
    --------
    >>> import numpy
    >>> histogram(numpy.array([0.5, 1.0, 3.0]), 2, (0, 2), None)
    array([1, 1])
    """,
)

best_positions: Dispatch[Any] = Dispatch(
    "best_positions",
    doc="""Return where the k largest, or the -k smallest, lie along an axis, in any order.

    The parameters are k and the axis, which is longer than that.

    Examples
    --------
    >>> import numpy
    >>> best_positions(numpy.array([3, 1, 4]), 1, 0)
    array([2])
    """,
)

best_values: Dispatch[Any] = Dispatch(
    "best_values",
    doc="""Return the k largest, or the -k smallest, along an axis, in any order.

    The parameters are k and the axis, which is longer than that.

    Examples
    --------
    >>> import numpy
    >>> best_values(numpy.array([3, 1, 4]), -1, 0)
    array([1])
    """,
)

on_device: Dispatch[bool] = Dispatch(
    "on_device",
    doc="""Say whether a chunk, or the chunks in a tuple or list, lie in the memory of a device.

    Examples
    --------
    >>> import numpy
    >>> on_device(numpy.arange(3)), on_device("text")
    (False, False)
    """,
)

owns_memory: Dispatch[bool] = Dispatch(
    "owns_memory",
    doc="""Say whether no other array shares the memory of a device's chunk, which goes with it.

    Examples
    --------
    >>> from gpuscale.testing import fake_device
    >>> with fake_device.active() as xp:
    ...     x = xp.arange(3)
    ...     alone, view = owns_memory(x), x[1:]
    >>> alone, owns_memory(x)
    (True, False)
    """,
)

update: Dispatch[Any] = Dispatch(
    "update",
    doc="""Apply a universal function in place to elements that an index may name more than once.

    ``update(array, name, index, *operand)``: the index has integers for each of the first axes, in
    the host's memory, with equal places side by side; each of them takes what the one before made.
    The operand, of a function of two, has the shape of ``array[index]``.

    Examples
    --------
    >>> import numpy
    >>> x = numpy.array([1, 2, 3])
    >>> update(x, "multiply", (numpy.array([0, 2, 2]),), numpy.array([5, 2, 7]))
    >>> x
    array([ 5,  2, 42])
    """,
)
