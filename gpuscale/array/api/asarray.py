"""Arrays from what users have: numbers, lists, arrays of this and of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.index_functions import backend_of
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast
from gpuscale.array.convert import as_node, is_masked, without_labels
from gpuscale.backends.creation import resolve_backend
from gpuscale.backends.foreign import adopted
from gpuscale.backends.foreign import from_dlpack as exported
from gpuscale.base.errors import NotSupportedError

__all__ = ["array", "asanyarray", "asarray", "from_dlpack"]


def asarray(
    x: Any,
    /,
    dtype: Any = None,
    *,
    chunks: Any = "auto",
    copy: bool | None = None,
    like: Any = None,
    backend: str | None = None,
    device: Any = None,
) -> Array:
    """Make an array of anything like one.

    Parameters
    ----------
    x : array, scalar, nested list, or object with ``__dlpack__`` or ``__cuda_array_interface__``
        What lies on a GPU, as a tensor of PyTorch may, becomes chunks of CuPy without a copy. A
        masked array, of NumPy's too, becomes a `gpuscale.array.ma.MaskedArray`; of a frame, its
        elements are taken.
    dtype : dtype, optional
    chunks : int, str, tuple or dict
        For what is not chunked yet.
    copy : bool, optional
        Whether changes in place of the one are never seen in the other. By default the result is
        ``x`` itself where that is a lazy array and nothing about it has to change.
    like, backend, device
        As for `full`.

    Raises
    ------
    ValueError
        If ``copy`` is False and elements must be copied or converted.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.asarray([[1, 2], [3, 4]], chunks=1).numblocks
    (2, 2)
    """
    x = without_labels(x)
    if is_masked(x):
        elsewhere = like is not None or backend is not None or device is not None
        name = resolve_backend(like, backend_of(device, backend)) if elsewhere else "numpy"
        return _masked(x, dtype, chunks, copy, name)  # type: ignore[no-any-return]
    data = x if isinstance(x, Array) else adopted(x)
    given = data.copy() if copy and (data is not x or isinstance(x, Array | np.ndarray)) else data
    result = given if isinstance(given, Array) else Array(as_node(given, chunks))
    unchanged = result
    if dtype is not None and np.dtype(dtype) != result.dtype:
        result = Array(cast(result.expr, dtype))
    if like is not None or backend is not None or device is not None:
        name = resolve_backend(like, backend_of(device, backend))
        result = result if name == result.backend else result.to_backend(name)
    has_elements = hasattr(x, "dtype") or hasattr(x, "__dlpack__")
    if copy is False and (result is not unchanged or not has_elements):
        raise ValueError("Unable to avoid copy while creating an array as requested.")
    return result


asanyarray = asarray


def _masked(x: Any, dtype: Any, chunks: Any, copy: bool | None, backend: str) -> Any:
    if backend != "numpy":
        raise NotSupportedError(f"masked arrays on {backend}; use them on numpy")
    if copy is False:
        raise ValueError("Unable to avoid copy while creating a masked array as requested.")
    from gpuscale.array.ma import masked_array  # which builds on this module

    given = x.copy() if copy and isinstance(x, np.ndarray) else x
    return masked_array(given, dtype=dtype, chunks=chunks)


def array(x: Any, /, dtype: Any = None, *, copy: bool | None = None, **kwargs: Any) -> Array:
    """Make an array of anything like one, never ``x`` itself; parameters as for `asarray`.

    Large arrays of NumPy are read when something is computed; ``copy=True`` takes what they hold
    now.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.array([1, 2])
    >>> y = ga.array(x)
    >>> y[0] = 7
    >>> x.compute()
    array([1, 2])
    """
    if copy is None and isinstance(x, Array):
        copy = True
    return asarray(x, dtype, copy=copy, **kwargs)


def from_dlpack(
    x: Any, /, *, device: Any = None, copy: bool | None = None, chunks: Any = "auto"
) -> Array:
    """Make an array of what another library exports through DLPack.

    Parameters
    ----------
    x : object with ``__dlpack__`` and ``__dlpack_device__``
        A lazy array is handed back as it is.
    device : str, optional
        Where the chunks shall be; where they are, by default.
    copy : bool, optional
        Whether later changes of ``x`` must not be seen.
    chunks : int, str, tuple or dict

    Raises
    ------
    AttributeError
        If ``x`` does not export.
    BackendError
        If it lies on a GPU where CuPy cannot work, or on a device of another kind.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.from_dlpack(np.arange(3)).compute()
    array([0, 1, 2])
    """
    if isinstance(x, Array):
        return asarray(x, copy=copy, device=device)
    data = exported(x)
    return asarray(data.copy() if copy else data, chunks=chunks, device=device)
