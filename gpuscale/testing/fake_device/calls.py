"""Calls of NumPy's functions on the memory behind device arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gpuscale.testing.fake_device.memory import Memory

__all__ = ["call", "check_dtype", "is_scalar", "refuse_host", "root_of"]

_DTYPES = frozenset("?bhilqBHILQefdFD")


def is_scalar(value: Any) -> bool:
    """Whether a value is a number of Python or NumPy, which may stand beside device arrays."""
    return isinstance(value, bool | int | float | complex | np.generic)


def refuse_host(value: Any) -> TypeError:
    """Return the error for an operand that is not on the device."""
    return TypeError(
        f"Unsupported type {type(value)}: it is not on the device; move it there first, "
        "by asarray(x)"
    )


def check_dtype(dtype: Any) -> None:
    """Refuse what CuPy has no type for.

    Raises
    ------
    ValueError
    """
    dtype = np.dtype(dtype)
    if dtype.char not in _DTYPES or not dtype.isnative:
        order = " with big-endian byte-order" if dtype.char in _DTYPES else ""
        raise ValueError(f"Unsupported dtype {dtype}{order}")


def root_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the array that owns the memory of a view."""
    root: Any = array
    while getattr(base := root.base, "base", base) is not None or isinstance(base, np.ndarray):
        root = base  # past what stride tricks put between
    found: np.ndarray[Any, Any] = root
    return found


class Call:
    """One call: takes host memory out of its arguments, and makes its results device arrays."""

    def __init__(self, make: Callable[[Any, Memory], Any]) -> None:
        self._make = make
        self._memories: dict[int, Memory] = {}
        self._arrays: dict[int, Any] = {}

    def host(self, value: Any) -> Any:
        """Return an argument with device arrays, also in containers, as what holds their data.

        Raises
        ------
        TypeError
            If there is an array of the host.
        StreamOrderError
            If an array is still being written on another stream.
        """
        memory = getattr(value, "_memory", None)
        if isinstance(memory, Memory):
            memory.read(value._host)
            self._memories[id(memory.root)] = memory
            self._arrays[id(value._host)] = value
            return value._host
        if isinstance(value, np.ndarray):
            raise refuse_host(value)
        if type(value) in (list, tuple):
            return type(value)([self.host(item) for item in value])
        return value

    def device(self, value: Any) -> Any:
        """Return a result with arrays, also in containers, as device arrays."""
        if isinstance(value, np.ndarray | np.generic):
            return self._device_array(np.asarray(value))
        if isinstance(value, list | tuple):
            items = [self.device(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        return value

    def _device_array(self, array: np.ndarray[Any, Any]) -> Any:
        known = self._arrays.get(id(array))
        if known is not None:
            return known
        check_dtype(array.dtype)
        root = root_of(array)
        memory = self._memories.get(id(root))
        if memory is None:
            memory = self._memories[id(root)] = Memory(root)
            memory.written(root)
        return self._make(array, memory)


def call(
    make: Callable[[Any, Memory], Any],
    function: Callable[..., Any],
    args: Iterable[Any],
    kwargs: dict[str, Any],
    written: Iterable[Any] = (),
) -> Any:
    """Call a function of NumPy with device arrays.

    Parameters
    ----------
    make : callable
        ``make(host, memory) -> array``.
    function : callable
    args, kwargs
        As the caller gave them.
    written : iterable of arrays
        Those that the function fills.
    """
    this = Call(make)
    host_args = [this.host(value) for value in args]
    host_kwargs = {name: this.host(value) for name, value in kwargs.items()}
    with np.errstate(all="ignore"):  # devices do not watch for invalid values
        result = function(*host_args, **host_kwargs)
    for array in written:
        array._memory.written(array._host)
    return this.device(result)
