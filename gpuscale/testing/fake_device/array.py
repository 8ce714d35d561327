"""`ndarray`: an array of the fake device, with the ways of CuPy's."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gpuscale.testing.fake_device.calls import Call, call, is_scalar, refuse_host
from gpuscale.testing.fake_device.cupy_names import METHODS
from gpuscale.testing.fake_device.memory import Memory
from gpuscale.testing.fake_device.pool import POOL
from gpuscale.testing.fake_device.signatures import check_call
from gpuscale.testing.fake_device.transfers import TRANSFERS

__all__ = ["make", "ndarray", "upload"]


class Flags:
    """What CuPy tells of the memory of an array; nothing is ever read-only there."""

    def __init__(self, host: np.ndarray[Any, Any], owndata: bool) -> None:
        self.c_contiguous, self.f_contiguous = host.flags.c_contiguous, host.flags.f_contiguous
        self.owndata = owndata
        self.fnc = self.f_contiguous and not self.c_contiguous
        self.forc = self.f_contiguous or self.c_contiguous

    def __getitem__(self, name: str) -> bool:
        if name not in ("C_CONTIGUOUS", "F_CONTIGUOUS", "OWNDATA"):
            raise KeyError(f"{name} is not defined for flags of device arrays")
        return bool(getattr(self, name.lower()))


class ndarray:  # noqa: N801 - NumPy's name
    """An array in the memory of the fake device; `asarray` of its namespace makes one.

    Nothing turns it into an array of the host but `get` and the conversions of single elements,
    which are counted in `transfers.TRANSFERS`.
    """

    __slots__ = ("__weakref__", "_host", "_memory")
    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    _host: np.ndarray[Any, Any]
    _memory: Memory

    shape = property(lambda self: self._host.shape)
    strides = property(lambda self: self._host.strides)
    dtype = property(lambda self: self._host.dtype)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    T = property(lambda self: make(self._host.T, self._memory))
    mT = property(lambda self: make(self._host.mT, self._memory))  # noqa: N815
    device = property(lambda self: "<Fake device 0>")

    @property
    def base(self) -> ndarray | None:
        """The array that this one is a view of."""
        root = self._memory.root
        return None if self._host is root else make(root, self._memory)

    @property
    def flags(self) -> Flags:
        """Contiguity and ownership."""
        return Flags(self._host, self._host is self._memory.root)

    @property
    def flat(self) -> Flat:
        """An iterator over the elements, each an array without axes."""
        return Flat(self)

    @property
    def real(self) -> ndarray:
        """The real part, a view."""
        return self if self.dtype.kind != "c" else make(self._host.real, self._memory)

    @real.setter
    def real(self, value: Any) -> None:
        self.real[...] = value

    @property
    def imag(self) -> ndarray:
        """The imaginary part, a view."""
        if self.dtype.kind == "c":
            return make(self._host.imag, self._memory)
        return _call(np.zeros_like, self)

    @imag.setter
    def imag(self, value: Any) -> None:
        self.imag[...] = value

    # -- to the host, always counted

    def _fetched(self, name: str) -> np.ndarray[Any, Any]:
        self._memory.read(self._host)
        TRANSFERS.count(name, self.nbytes)
        return self._host.copy()

    def get(self, stream: Any = None, order: str = "C", out: Any = None) -> Any:
        """Return a copy in the memory of the host."""
        if not self._host.flags.forc:  # CuPy lays it out on the device first
            POOL.take(self.nbytes)
            POOL.give(self.nbytes)
        host = self._fetched("get")
        if out is None:
            return np.asarray(host, order=order)  # type: ignore[call-overload]
        out[...] = host
        return out

    def item(self) -> Any:
        """Return the only element as a number of Python."""
        return self._one("item", "can only convert an array of size 1 to a Python scalar").item()

    def _one(self, name: str, refusal: str) -> np.ndarray[Any, Any]:
        if self.size != 1:
            raise ValueError(refusal)
        return self._fetched(name)

    def __bool__(self) -> bool:
        if self.size != 1:
            bool(self._host)  # raises what NumPy raises
        return bool(self._fetched("bool"))

    def __int__(self) -> int:
        return int(self._fetched("int"))

    def __float__(self) -> float:
        return float(self._fetched("float"))

    def __complex__(self) -> complex:
        return complex(self._fetched("complex"))

    def tolist(self) -> Any:
        """Return nested lists."""
        return self._fetched("tolist").tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        """Return the elements as bytes."""
        return self._fetched("tobytes").tobytes(order)

    def __repr__(self) -> str:
        return repr(self._fetched("repr"))

    def __str__(self) -> str:
        return str(self._fetched("str"))

    def __format__(self, spec: str) -> str:
        host = self._fetched("format")
        return format(host.item() if host.shape == () else host, spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return upload, (self._fetched("pickle"), "unpickle")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self, **options: Any) -> Any:
        raise BufferError(
            "no library but this one knows the memory of the fake device: use x.get()"
        )

    def set(self, arr: Any, stream: Any = None) -> None:
        """Fill with what an array of the host holds."""
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if arr.dtype != self.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if arr.shape != self.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        TRANSFERS.count("set", arr.nbytes)
        self._memory.written(self._host)
        self._host[...] = arr

    # -- elements

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[ndarray]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self.shape[0]))

    def __getitem__(self, key: Any) -> ndarray:
        this = Call(make)
        key = _key(key, this)
        if _part(key) is key:  # a view, which reads nothing
            return make(self._host[key], self._memory)
        found: ndarray = this.device(this.host(self)[key])
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        if not isinstance(value, ndarray) and not is_scalar(value):
            raise refuse_host(value)
        this = Call(make)
        place, filled = _key(key, this), this.host(value)
        self._memory.written(self._host[_part(place)])
        with np.errstate(all="ignore"):
            self._host[place] = filled

    def __copy__(self) -> ndarray:
        return _call(np.ndarray.copy, self)

    def __deepcopy__(self, memo: Any) -> ndarray:
        return _call(np.ndarray.copy, self)

    # -- NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from gpuscale.testing.fake_device.namespace import fake

        ours = getattr(fake, ufunc.__name__, None)
        function = ours if method == "__call__" else getattr(ours, method, None)
        for value in (*inputs, *kwargs.get("out", ())):
            if not isinstance(value, ndarray | np.ndarray) and not is_scalar(value):
                return NotImplemented
        if function is None:
            return NotImplemented
        if "out" in kwargs:
            (kwargs["out"],) = kwargs["out"]
        return function(*inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from gpuscale.testing.fake_device.namespace import fake

        ours: Any = fake
        for name in [*func.__module__.split(".")[1:], func.__name__]:
            ours = getattr(ours, name, None)
        if ours is None or ours is func or not all(issubclass(t, ndarray) for t in types):
            return NotImplemented
        return ours(*args, **kwargs)


class Flat:
    """What ``x.flat`` gives."""

    def __init__(self, array: ndarray) -> None:
        self._array = array

    def __len__(self) -> int:
        return int(self._array.size)

    def __iter__(self) -> Iterator[ndarray]:
        return iter(_call(np.ravel, self._array))

    def __getitem__(self, key: Any) -> ndarray:
        found: ndarray = _call(np.ravel, self._array)[key]
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        view = make(self._array._host.reshape(-1), self._array._memory)
        if not np.may_share_memory(view._host, self._array._host):
            raise NotImplementedError("assignment to the elements of a view that is not contiguous")
        view[key] = value


def make(host: np.ndarray[Any, Any], memory: Memory) -> ndarray:
    """Return an array over memory of the device."""
    array: ndarray = object.__new__(ndarray)
    array._host, array._memory = host, memory
    return array


def upload(host: Any, name: str, dtype: Any = None) -> ndarray:
    """Return a copy, on the device, of what the host holds."""
    this = Call(make)
    copied = np.array(host, dtype=dtype)
    TRANSFERS.count(name, copied.nbytes)
    found: ndarray = this.device(copied)
    return found


def _call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return call(make, function, args, kwargs)


def _key(key: Any, this: Call) -> tuple[Any, ...]:
    """Return an index for NumPy that always gives an array."""
    items = key if isinstance(key, tuple) else (key,)
    found = []
    for item in items:
        if isinstance(item, list):
            TRANSFERS.count("index", np.asarray(item).nbytes)
            item = upload(item or np.zeros(0, np.int32), "index")
        found.append(this.host(item))
    masks = [item for item in found if isinstance(item, np.ndarray) and item.dtype == bool]
    if len(masks) > 1:
        raise NotImplementedError("CuPy does not take more than one boolean array in an index")
    return (*found,) if any(item is Ellipsis for item in found) else (*found, ...)


def _part(place: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the view that an assignment stays in: all of it where arrays say the places."""
    return (...,) if any(isinstance(item, np.ndarray | bool) for item in place) else place


# -- operators


def _binary(name: str, ufunc: Any) -> None:
    def forth(self: ndarray, other: Any) -> Any:
        return _call(ufunc, self, _operand(other)) if _joins(other) else NotImplemented

    def back(self: ndarray, other: Any) -> Any:
        return _call(ufunc, _operand(other), self) if _joins(other) else NotImplemented

    def in_place(self: ndarray, other: Any) -> Any:
        if not _joins(other):
            return NotImplemented
        return call(make, ufunc, (self, _operand(other)), {"out": self}, written=[self])

    setattr(ndarray, f"__{name}__", forth)
    setattr(ndarray, f"__r{name}__", back)
    if name not in ("divmod", "matmul"):  # as in CuPy
        setattr(ndarray, f"__i{name}__", in_place)


def _joins(other: Any) -> bool:
    return isinstance(other, ndarray | np.ndarray) or is_scalar(other)


def _operand(other: Any) -> Any:
    if isinstance(other, np.ndarray):
        raise refuse_host(other)
    return other


def _comparison(name: str, ufunc: Any) -> None:
    def compare(self: ndarray, other: Any) -> Any:
        return _call(ufunc, self, _operand(other)) if _joins(other) else NotImplemented

    setattr(ndarray, f"__{name}__", compare)


def _unary(name: str, function: Any) -> None:
    setattr(ndarray, f"__{name}__", lambda self: _call(function, self))


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "matmul": np.matmul,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "divmod": np.divmod,
    "pow": operator.pow,
    "lshift": np.left_shift,
    "rshift": np.right_shift,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}.items():
    _binary(_name, _ufunc)
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    _comparison(_name, getattr(operator, _name))
for _name, _function in {
    "neg": np.negative,
    "pos": np.positive,
    "abs": np.absolute,
    "invert": np.invert,
}.items():
    _unary(_name, _function)

# -- methods

_INTO = frozenset({"sort", "partition", "fill", "put"})  # they change the array itself


def _method(name: str, text: str) -> None:
    numpys: Any = np.ptp if name == "ptp" else getattr(np.ndarray, name)

    def method(self: ndarray, *args: Any, **kwargs: Any) -> Any:
        check_call(name, text, args, kwargs)
        kind = kwargs.pop("kind", None)
        if kind not in (None, "stable"):
            raise ValueError("kind can only be None or `stable`")
        if name in ("sort", "argsort"):
            kwargs["kind"] = "stable"
        out = kwargs.get("out")
        written = [self] if name in _INTO else [] if out is None else [out]
        return call(make, numpys, (self, *args), kwargs, written)

    method.__name__ = name
    method.__doc__ = f"Do what `numpy.ndarray.{name}` does, with the parameters that CuPy takes."
    setattr(ndarray, name, method)


for _name, _text in METHODS.items():
    if not hasattr(ndarray, _name) and hasattr(np.ndarray, _name) or _name == "ptp":
        _method(_name, _text)
