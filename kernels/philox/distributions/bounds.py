"""Legal bounds of the integer draws, which may reach beyond int64 on the way."""

from typing import Any

import numpy as np

from .rejection import Array


def check_integers(low: Any, high: Any, dtype: Any, endpoint: bool) -> tuple[Array, Array]:
    """Return (low, span) for the draw "integers": int64, modulo 2**64, and uint64 high - low.

    Parameters
    ----------
    low, high : integers or arrays of them, within the range of `dtype`.
    dtype : an integer type or bool.
    endpoint : whether `high` itself may be drawn.

    Raises
    ------
    ValueError
        Where the range is empty or out of the bounds of `dtype`.
    TypeError
        For a dtype that is not of integers, or an array of fractions as a bound.

    Examples
    --------
    >>> check_integers(-3, 4, np.int64, endpoint=False)
    (array(-3), array(6, dtype=uint64))
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "iub":
        raise TypeError(f"Unsupported dtype {dtype!r} for integers")
    least, most = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    low, high = _as_integers(low), _as_integers(high)
    last = high if endpoint else _less_one(high)
    if low.size and int(low.min()) < least:
        raise ValueError(f"low is out of bounds for {dtype.name}")
    if last.size and int(last.max()) > most:
        raise ValueError(f"high is out of bounds for {dtype.name}")
    if np.any(low > last):
        raise ValueError("low > high" if endpoint else "low >= high")
    return _modulo_64(low).view(np.int64), np.asarray(_modulo_64(last) - _modulo_64(low))


def _as_integers(value: Any) -> Array:
    """Return int64 or uint64, or Python's integers where neither holds the value."""
    array = np.asarray(value)
    if array.dtype.kind == "f" and array.ndim == 0:
        array = np.asarray(int(array))
    if array.dtype.kind == "O":
        return array
    if array.dtype.kind not in "iub":
        raise TypeError(f"the bounds of integers must be integers, not {array.dtype}")
    return array.astype(np.uint64 if array.dtype.kind == "u" else np.int64)


def _less_one(bound: Array) -> Array:
    # the least value of a type has none below it, but as a Python integer it does
    if bound.dtype.kind != "O" and np.any(bound == np.iinfo(bound.dtype).min):
        bound = bound.astype(object)
    return np.asarray(bound - 1)


def _modulo_64(bound: Array) -> Array:
    if bound.dtype.kind == "O":
        bound = np.asarray(bound & (2**64 - 1))
    return bound.astype(np.uint64)
