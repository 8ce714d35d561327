"""Arrays in a byte order that is not the machine's, which pickles forget of those with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["keep_byte_order"]


def keep_byte_order(value: Any) -> Any:
    """Return what a pickle gives back in the byte order that it has.

    Of an array with gaps NumPy pickles the numbers, and reads them back in the machine's order, in
    which the bytes of the same numbers are others. Any other value is returned as it is.

    Parameters
    ----------
    value : object
        An array, or tuples and lists of them.

    Examples
    --------
    >>> import pickle
    >>> x = np.arange(6, dtype=">i4").reshape(2, 3)[:, :2]
    >>> pickle.loads(pickle.dumps(x, protocol=5)).dtype.byteorder
    '='
    >>> pickle.loads(pickle.dumps(keep_byte_order(x), protocol=5)).dtype.byteorder
    '>'
    """
    if type(value) in (tuple, list):
        return type(value)(map(keep_byte_order, value))
    if isinstance(value, np.ndarray) and not (value.dtype.isnative or value.flags.forc):
        return value.copy(order="K")
    return value
