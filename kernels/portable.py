"""The spellings that differ between arrays and compiled scalars.

Everything else in these kernels is written with operators and with `np.sqrt`, `np.floor`,
`np.abs` and `.view`, which mean the same for both. `portable_cpu.py` gives Numba its
meaning of the functions below.
"""

from typing import Any

import numpy as np


def select(condition: Any, chosen: Any, otherwise: Any) -> Any:
    """Return `chosen` where `condition` holds, else `otherwise`; both are evaluated.

    Examples
    --------
    >>> select(np.array([True, False]), np.array([1.0, 2.0]), 0.0)
    array([1., 0.])
    """
    return np.where(condition, chosen, otherwise)


def as_uint64(values: Any) -> Any:
    """Return `values` as uint64: the type of all integer arithmetic in these kernels.

    Examples
    --------
    >>> as_uint64(np.arange(2)).dtype
    dtype('uint64')
    """
    return values.astype(np.uint64)


def as_key(value: Any) -> Any:
    """Return half of a key as uint64, be it a plain integer or a scalar that knows its type.

    Examples
    --------
    >>> as_key(7)
    np.uint64(7)
    """
    return as_uint64(value) if hasattr(value, "astype") else np.uint64(value)


def as_float64(values: Any) -> Any:
    """Return `values` as float64.

    Examples
    --------
    >>> as_float64(np.arange(2))
    array([0., 1.])
    """
    return values.astype(np.float64)


def as_float32(values: Any) -> Any:
    """Return `values` as float32.

    Examples
    --------
    >>> as_float32(np.arange(2))
    array([0., 1.], dtype=float32)
    """
    return values.astype(np.float32)


def as_int32(values: Any) -> Any:
    """Return integer `values` as int32, which every CPU turns into floats by vector instructions.

    Examples
    --------
    >>> as_int32(np.array([7], np.uint64))
    array([7], dtype=int32)
    """
    return values.astype(np.int32)


def as_int64(values: Any) -> Any:
    """Return `values` as int64; float64 values are cut towards zero.

    Examples
    --------
    >>> as_int64(np.array([1.5]))
    array([1])
    """
    return values.astype(np.int64)


def bits_of(values: Any) -> Any:
    """Return the bits of float64 `values` as int64.

    Examples
    --------
    >>> hex(bits_of(np.array([1.0]))[0])
    '0x3ff0000000000000'
    """
    return values.view(np.int64)


def float64_of(bits: Any) -> Any:
    """Return the float64 values that have these int64 `bits`.

    Examples
    --------
    >>> float64_of(np.array([0x3FF0000000000000]))
    array([1.])
    """
    return bits.view(np.float64)
