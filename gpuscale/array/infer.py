"""Find out what a user's function returns, by trying it on something tiny."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpuscale.backends.seams import on_device
from gpuscale.expr.meta import ArrayMeta

__all__ = ["infer_dtype", "infer_results"]


def infer_results(
    function: Callable[..., Any], metas: Sequence[ArrayMeta], name: str
) -> tuple[Any, ...]:
    """Call a function on arrays of ones with one element per axis; return its results.

    Trials run on the host whatever the backend, so that planning needs no device.

    Raises
    ------
    ValueError
        If the function fails on them; the message says to pass ``dtype=``.
    """
    trial = [np.ones((1,) * meta.ndim, dtype=meta.dtype) for meta in metas]
    try:
        with np.errstate(all="ignore"):
            result = function(*trial)
    except Exception as error:
        raise ValueError(
            f"{name} failed on a block of one element, one of NumPy's, which is how its result's "
            f"dtype is found; pass dtype= to say what it returns ({type(error).__name__}: {error})"
        ) from error
    return result if isinstance(result, tuple) else (result,)


def infer_dtype(
    function: Callable[..., Any], metas: Sequence[ArrayMeta], name: str
) -> np.dtype[Any]:
    """Dtype of what a function of blocks returns."""
    (result, *_) = infer_results(function, metas, name)
    return np.dtype(result.dtype if on_device(result) else np.asarray(result).dtype)
