"""The list of every function that depends on the library a chunk belongs to."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from gpuscale.base.dispatch import Dispatch

__all__ = ["array_namespace", "backend_name", "fold", "nbytes", "to_host"]

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

    ``fold(values, name, axes, dtype=None)``: the elements are cast to the dtype first.

    Examples
    --------
    >>> import numpy
    >>> fold(numpy.array([[6, 4], [9, 3]]), "gcd", (1,))
    array([[2],
           [3]])
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
