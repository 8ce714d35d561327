"""Pickles of results that are read back as they were."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from gpuscale.base.strides import axes_in_memory

__all__ = ["LayoutPickler", "laid_out"]


class LayoutPickler(pickle.Pickler):
    """Keeps of arrays in which order memory has their axes, and whether they may be written.

    Pickle by itself does so of arrays without gaps that are in C or Fortran order, and NumPy before
    2.3 of these alone.

    Examples
    --------
    >>> import io
    >>> x = np.zeros((2, 3, 4)).transpose(1, 0, 2)
    >>> file = io.BytesIO()
    >>> LayoutPickler(file, protocol=5).dump([x])
    >>> pickle.loads(file.getvalue())[0].strides == x.strides
    True
    """

    def reducer_override(self, value: Any) -> Any:
        """Say how to make such an array again."""
        if type(value) is not np.ndarray:
            return NotImplemented
        if value.flags.forc and (value.flags.writeable or not value.dtype.hasobject):
            return NotImplemented
        axes = axes_in_memory(value)
        return laid_out, (value.transpose(axes).copy(), axes, value.flags.writeable)


def laid_out(
    array: np.ndarray[Any, Any], axes: tuple[int, ...], writeable: bool
) -> np.ndarray[Any, Any]:
    """Return an array whose memory has its axes in some order.

    Parameters
    ----------
    array : numpy.ndarray
        With the axes in that order.
    axes : tuple of int
        Which of the axes of the result these are.
    writeable : bool

    Examples
    --------
    >>> laid_out(np.zeros((4, 2)), (1, 0), True).shape
    (2, 4)
    """
    array = array.transpose(np.argsort(axes))
    if not writeable:
        array.flags.writeable = False
    return array
