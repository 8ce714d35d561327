"""What NumPy makes of dates and durations where it is asked for another dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["duration_dtype"]


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
