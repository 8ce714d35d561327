"""Arrays of other GPU libraries (PyTorch, JAX, Numba, ...), taken without a copy.

They say where their memory lies by the CUDA Array Interface
(https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html) or by DLPack
(https://dmlc.github.io/dlpack/latest/). CuPy waits for the stream that they were written on.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.backends.creation import namespace
from gpuscale.backends.devices import IN_USE
from gpuscale.backends.seams import backend_name, on_device
from gpuscale.base.errors import BackendError, NotSupportedError

__all__ = ["adopted", "from_dlpack"]

_ON_HOST = frozenset({1, 3, 11})  # DLDeviceType: CPU, memory that CUDA or ROCm has pinned
_ON_CUDA = frozenset({2, 13})  # device memory, managed memory


def adopted(value: Any) -> Any:
    """Return an array of another GPU library as one of CuPy; anything else as it is.

    An array of such a library in the host's memory, whose dtype NumPy does not know, becomes one
    of NumPy.

    Raises
    ------
    BackendError
        If CuPy cannot work here, or the array lies on another device.

    Examples
    --------
    >>> adopted([1, 2])
    [1, 2]
    """
    if isinstance(value, np.ndarray | np.generic | list | tuple):
        return value
    if _is_known(value):
        return _checked(value)
    if hasattr(value, "__cuda_array_interface__"):
        return _checked(_cupy(value).asarray(value))
    if hasattr(value, "__dlpack_device__") and not isinstance(
        getattr(value, "dtype", None), np.dtype
    ):
        return from_dlpack(value)
    return value


def from_dlpack(value: Any) -> Any:
    """Return what exports through DLPack as an array of NumPy or CuPy, without a copy.

    Raises
    ------
    AttributeError
        If it does not export.
    BackendError
        If it lies on a device that is neither the host nor CUDA's, or CuPy cannot work here.

    Examples
    --------
    >>> from_dlpack(np.arange(3))
    array([0, 1, 2])
    """
    if on_device(value):
        return value  # of a backend, as it is
    kind, _ = value.__dlpack_device__()
    if kind in _ON_HOST:
        return np.from_dlpack(value)
    if kind not in _ON_CUDA:
        raise BackendError(
            f"an array of {type(value).__module__} lies on a device of DLPack's kind {int(kind)}, "
            "which is neither the host's memory nor CUDA's; move it to the host first"
        )
    return _checked(_cupy(value).from_dlpack(value))


def _cupy(value: Any) -> Any:
    """Return CuPy, without which nobody here can even read what lies on a GPU."""
    try:
        return namespace("cupy")
    except BackendError as error:
        raise BackendError(
            f"an object of {type(value).__module__}.{type(value).__qualname__} lies on a GPU, and "
            "CuPy, which reads such, cannot work here: 'gpuscale doctor' says why and what to "
            "install; or let the library that it is of copy it to the host first"
        ) from error


def _is_known(value: Any) -> bool:
    try:
        backend_name(value)
    except NotSupportedError:
        return False
    return True


def _checked(array: Any) -> Any:
    """Refuse an array that lies on another device than the one that tasks run on.

    Their kernels would read an address that is none there, which ends every kernel of a process.
    """
    own = getattr(getattr(array, "device", None), "id", None)
    if own is None:  # of a library with one device
        return array
    _cupy(array)  # at its first use it takes the current device
    device = IN_USE.get("cupy")
    if device is not None and own != device.index:
        raise BackendError(
            f"an array lies on device {own}, and this process computes on device {device.index}; "
            "move it there first, as cupy.asarray(x) does, or choose the device by "
            "CUDA_VISIBLE_DEVICES before the program starts"
        )
    return array
