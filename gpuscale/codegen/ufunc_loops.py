"""Addresses of NumPy's own inner loops, so that compiled kernels run them on their tiles.

NumPy's exponentials, logarithms and circular functions are vectorized by hand for each CPU;
Numba's wheels bring no such library. A kernel calls NumPy's loop on a tile that stays in the
cache: same speed, same bits, no GIL.

The layout read here is `PyUFuncObject` of NumPy's public C interface (``ufuncobject.h``). Names
and counts are checked against the Python attributes before an address is believed.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["find_loop"]


class _UFuncFields(ctypes.Structure):
    """The fields of `PyUFuncObject` after the object's header."""

    _fields_ = (
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
    )


def _fields(ufunc: np.ufunc) -> _UFuncFields | None:
    fields = _UFuncFields.from_address(id(ufunc) + object.__basicsize__)
    counts = (fields.nin, fields.nout, fields.nargs, fields.ntypes)
    if counts != (ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes):
        return None
    return fields if fields.name == ufunc.__name__.encode() else None


@lru_cache(maxsize=1024)
def find_loop(ufunc: np.ufunc, dtypes: tuple[np.dtype[Any], ...]) -> tuple[int, int] | None:
    """Find the loop that a ufunc runs for exactly these dtypes.

    Parameters
    ----------
    ufunc : numpy.ufunc
    dtypes : tuple of numpy.dtype
        Of all inputs, then of all outputs.

    Returns
    -------
    tuple of int or None
        Address of the loop and of the data it wants; None where there is no such loop.

    Examples
    --------
    >>> f8 = np.dtype("f8")
    >>> find_loop(np.exp, (f8, f8)) is None, find_loop(np.exp, (f8, np.dtype("i8"))) is None
    (False, True)
    """
    fields = _fields(ufunc)
    if fields is None:
        return None
    for k, spelled in enumerate(ufunc.types):
        if tuple(np.dtype(c) for c in spelled.replace("->", "")) == dtypes:
            address = fields.functions[k]
            data = fields.data[k] if fields.data else None
            return (address, data or 0) if address else None
    return None
