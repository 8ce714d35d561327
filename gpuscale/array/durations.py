"""What NumPy makes of dates and durations where it is asked for another dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["dated_result", "duration_dtype"]


def duration_dtype(function: Callable[..., Any], given: np.dtype[Any], dtype: Any) -> Any:
    """The dtype that a reduction of durations has: theirs, whatever number was asked for.

    Numbers have no NaT: what is missing would become a count of seconds.

    Parameters
    ----------
    function : callable
        NumPy's, with the arguments (array, dtype=).
    given : numpy.dtype
        Of the elements; for all but durations, ``dtype`` is returned.
    dtype : dtype or None

    Raises
    ------
    TypeError
        As NumPy's: a unit cannot be asked for.

    Examples
    --------
    >>> duration_dtype(np.sum, np.dtype("m8[s]"), float)
    dtype('<m8[s]')
    """
    if dtype is None or given.kind != "m":
        return dtype
    return function(np.zeros(1, given), dtype=dtype).dtype


def dated_result(
    ufunc: Any, operands: Any, dtype: np.dtype[Any], casting: Any
) -> np.dtype[Any] | None:
    """The dtype of a ufunc called with ``dtype=`` where an operand is of dates or durations.

    Returns
    -------
    numpy.dtype or None
        None where no operand is.

    Raises
    ------
    TypeError
        As NumPy's.

    Examples
    --------
    >>> dated_result(np.add, [np.ones(2, "m8[s]"), 3], np.dtype(float), "same_kind")
    dtype('<m8[s]')
    """
    dtypes = [getattr(each, "dtype", None) for each in operands]
    if not isinstance(ufunc, np.ufunc) or all(d is None or d.kind not in "mM" for d in dtypes):
        return None
    # Of one element each: what NumPy answers depends on the dtypes, and on Python's numbers, alone.
    trial = [x if d is None else np.ones(1, d) for x, d in zip(operands, dtypes, strict=True)]
    with np.errstate(all="ignore"):
        result = ufunc(*trial, dtype=dtype, casting=casting)
    return np.dtype((result[0] if isinstance(result, tuple) else result).dtype)
