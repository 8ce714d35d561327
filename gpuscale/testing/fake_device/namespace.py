"""`fake`: the namespace of the fake device, with the names that CuPy has of NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from types import ModuleType
from typing import Any

import numpy as np

from gpuscale.testing.fake_device.array import make, ndarray, upload
from gpuscale.testing.fake_device.calls import call, check_dtype, is_scalar, refuse_host
from gpuscale.testing.fake_device.cupy_names import AT, FUNCTIONS, SAME, UFUNCS, VERSION
from gpuscale.testing.fake_device.signatures import check_call

__all__ = ["fake"]

# NumPy answers with Python's objects, CuPy with arrays that stay on the device.
_ANSWERS = frozenset({"allclose", "array_equal", "array_equiv", "count_nonzero"})

# Functions that change their first argument.
_INTO = frozenset({"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"})

# They read files, text or buffers of the host, or write to them.
_HOST_WORDS = """
    array2string array_repr array_str base_repr binary_repr format_float_positional
    format_float_scientific frombuffer fromfile fromiter fromstring genfromtxt load loadtxt save
    savetxt savez savez_compressed
"""
_HOST = frozenset(_HOST_WORDS.split())


class Namespace(ModuleType):
    """A module whose functions are NumPy's, as far as CuPy has them."""

    def __init__(self, name: str, path: str, numpys: Any) -> None:
        super().__init__(name, f"Functions of ``{numpys.__name__}`` that CuPy has, on the device.")
        self._path, self._numpys = path, numpys

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._find(name)
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *FUNCTIONS[self._path]})

    def _find(self, name: str) -> Any:
        inner = f"{self._path}.{name}".lstrip(".")
        if any(path == inner or path.startswith(f"{inner}.") for path in FUNCTIONS):
            return Namespace(f"{self.__name__}.{name}", inner, getattr(self._numpys, name))
        if not self._path and name in SAME or self._path == "linalg" and name == "LinAlgError":
            return getattr(self._numpys, name)
        if not self._path and name in UFUNCS and hasattr(np, name):
            return Ufunc(name)
        text = FUNCTIONS.get(self._path, {}).get(name)
        if text is None or name in _HOST:
            whole = f"{self._numpys.__name__.partition('.')[2]}.{name}".lstrip(".")
            raise AttributeError(f"the fake device has no {whole}, as CuPy {VERSION} has none")
        return _function(name, text, getattr(self._numpys, name))


def _function(name: str, text: str, numpys: Callable[..., Any]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        check_call(name, text, args, kwargs)
        kind = kwargs.get("kind")
        if kind not in (None, "stable"):
            raise ValueError("kind can only be None or `stable`")
        if name in ("sort", "argsort"):
            kwargs["kind"] = "stable"
        if kwargs.get("dtype") is not None and not isinstance(kwargs["dtype"], ndarray):
            check_dtype(kwargs["dtype"])
        out = kwargs.get("out")
        written = [args[0]] if name in _INTO else [] if out is None else [out]
        result = call(make, numpys, args, kwargs, written)
        return array(result) if name in _ANSWERS and not isinstance(result, ndarray) else result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Do what ``numpy`` does by this name, with CuPy's parameters: {text}."
    return function


class Ufunc:
    """A universal function, with the methods that CuPy's have."""

    def __init__(self, name: str) -> None:
        self.__name__ = name
        self._numpys: Any = getattr(np, name)
        self.nin: int = getattr(self._numpys, "nin", 1)
        self.nout: int = getattr(self._numpys, "nout", 1)
        self.nargs = self.nin + self.nout

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        check_call(self.__name__, "*args out= dtype= casting= where=", args, kwargs)
        for value in args:
            if not isinstance(value, ndarray) and not is_scalar(value):
                raise refuse_host(value)
        out = kwargs.get("out")
        outs = [*args[self.nin :], *(out if isinstance(out, tuple) else [out])]
        written = [array for array in outs if array is not None]
        return call(make, self._numpys, args, kwargs, written)

    def _run(self, method: str, able: bool, args: Any, kwargs: Any, written: Any = ()) -> Any:
        if not able:
            raise NotImplementedError(f"`cupy_{self.__name__}.{method}` is not supported yet")
        return call(make, getattr(self._numpys, method), args, kwargs, written)

    def reduce(self, array: Any, *args: Any, **kwargs: Any) -> Any:
        """Reduce an axis; CuPy has this of add and multiply."""
        check_call("reduce", "array axis= dtype= out= keepdims=", (array, *args), kwargs)
        return self._run("reduce", self.__name__ in ("add", "multiply"), (array, *args), kwargs)

    def accumulate(self, array: Any, *args: Any, **kwargs: Any) -> Any:
        """Accumulate along an axis; CuPy has this of add and multiply."""
        check_call("accumulate", "array axis= dtype= out=", (array, *args), kwargs)
        return self._run("accumulate", self.__name__ in ("add", "multiply"), (array, *args), kwargs)

    def reduceat(self, array: Any, indices: Any, *args: Any, **kwargs: Any) -> Any:
        """Reduce slices of an axis; CuPy has this of add."""
        return self._run("reduceat", self.__name__ == "add", (array, indices, *args), kwargs)

    def outer(self, one: Any, other: Any, **kwargs: Any) -> Any:
        """Apply to all pairs of elements."""
        return self._run("outer", self.nin == 2, (one, other), kwargs)

    def at(self, array: Any, indices: Any, values: Any = None) -> None:
        """Apply in place, where an index may repeat a place; CuPy has this of a few."""
        given = (array, indices) if values is None else (array, indices, values)
        self._run("at", self.__name__ in AT, given, {}, written=[array])

    def __repr__(self) -> str:
        return f"<ufunc 'cupy_{self.__name__}'>"


# -- arrays from what the host has


def array(obj: Any, dtype: Any = None, copy: Any = True, order: str = "K", **options: Any) -> Any:
    """Make an array of the device; what lies on the host is copied there, and counted."""
    check_call("array", FUNCTIONS[""]["array"], (obj, dtype, copy, order), options)
    if dtype is not None:
        check_dtype(dtype)
    if isinstance(obj, ndarray):
        return call(make, np.array, (obj, dtype), {"copy": copy or None, "order": order})
    if isinstance(obj, list | tuple) and _holds_device_arrays(obj):
        return fake.stack([array(item, dtype, None) for item in obj])
    if dtype is None:
        check_dtype(np.asarray(obj).dtype)
    if is_scalar(obj):
        return call(make, np.array, (obj, dtype), {})
    return upload(obj, "asarray", dtype)


def asarray(a: Any, dtype: Any = None, order: str = "K", **options: Any) -> Any:
    """Make an array of the device; itself where it is one of that dtype."""
    check_call("asarray", FUNCTIONS[""]["asarray"], (a, dtype, order), options)
    return array(a, dtype, options.get("copy"), order or "K")


def asnumpy(a: Any, stream: Any = None, order: str = "C", out: Any = None) -> Any:
    """Return an array in the memory of the host."""
    return a.get(stream, order, out) if isinstance(a, ndarray) else np.asarray(a)


def apply_along_axis(func1d: Any, axis: int, arr: ndarray, *args: Any, **kwargs: Any) -> Any:
    """Apply a function of vectors, which are on the device."""
    axis = axis % arr.ndim
    front = fake.moveaxis(arr, axis, -1)
    loop = front.shape[:-1]
    results = [fake.asarray(func1d(front[i], *args, **kwargs)) for i in np.ndindex(loop)]
    if not results:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    core = results[0].shape
    last = tuple(range(-len(core), 0))
    places = tuple(range(axis, axis + len(core)))
    return fake.moveaxis(fake.stack(results).reshape(loop + core), last, places)


def _holds_device_arrays(values: Any) -> bool:
    return any(
        isinstance(item, ndarray) or isinstance(item, list | tuple) and _holds_device_arrays(item)
        for item in values
    )


def _contiguous(order: str) -> Callable[..., Any]:
    return lambda a, dtype=None: asarray(a, dtype, order)


fake = Namespace("fake", "", np)
"""The module that stands for ``cupy``."""

for _name, _object in {
    "apply_along_axis": apply_along_axis,
    "array": array,
    "asarray": asarray,
    "asanyarray": asarray,
    "ascontiguousarray": _contiguous("C"),
    "asfortranarray": _contiguous("F"),
    "asnumpy": asnumpy,
    "ndarray": ndarray,
    "ufunc": Ufunc,
    "get_array_module": lambda *arrays: reduce(
        lambda found, each: fake if isinstance(each, ndarray) else found, arrays, np
    ),
}.items():
    setattr(fake, _name, _object)
