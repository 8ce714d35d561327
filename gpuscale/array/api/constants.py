"""Numbers, dtypes and what can be asked about them; nothing here has chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import (
    False_,
    ScalarType,
    True_,
    bool,
    bool_,
    byte,
    bytes_,
    cdouble,
    character,
    clongdouble,
    complex64,
    complex128,
    complexfloating,
    csingle,
    datetime64,
    double,
    dtype,
    e,
    errstate,
    euler_gamma,
    flexible,
    float16,
    float32,
    float64,
    floating,
    generic,
    half,
    inexact,
    inf,
    int8,
    int16,
    int32,
    int64,
    int_,
    intc,
    integer,
    intp,
    isdtype,
    isscalar,
    issubdtype,
    iterable,
    long,
    longdouble,
    longlong,
    min_scalar_type,
    nan,
    newaxis,
    number,
    object_,
    pi,
    promote_types,
    short,
    signedinteger,
    single,
    str_,
    timedelta64,
    ubyte,
    uint,
    uint8,
    uint16,
    uint32,
    uint64,
    uintc,
    uintp,
    ulong,
    ulonglong,
    unsignedinteger,
    ushort,
    void,
)

from gpuscale.array.collection import Array
from gpuscale.backends.creation import backend_names, resolve_backend
from gpuscale.chunks.axes import normalize_axes

__all__ = [
    "False_",
    "ScalarType",
    "True_",
    "__array_api_version__",
    "__array_namespace_info__",
    "bool",
    "bool_",
    "byte",
    "bytes_",
    "can_cast",
    "cdouble",
    "character",
    "clongdouble",
    "common_type",
    "complex128",
    "complex64",
    "complexfloating",
    "csingle",
    "datetime64",
    "double",
    "dtype",
    "e",
    "errstate",
    "euler_gamma",
    "finfo",
    "flexible",
    "float16",
    "float32",
    "float64",
    "floating",
    "generic",
    "half",
    "iinfo",
    "inexact",
    "inf",
    "int16",
    "int32",
    "int64",
    "int8",
    "int_",
    "intc",
    "integer",
    "intp",
    "iscomplexobj",
    "isdtype",
    "isrealobj",
    "isscalar",
    "issubdtype",
    "iterable",
    "long",
    "longdouble",
    "longlong",
    "min_scalar_type",
    "nan",
    "ndim",
    "newaxis",
    "number",
    "object_",
    "pi",
    "promote_types",
    "result_type",
    "shape",
    "short",
    "signedinteger",
    "single",
    "size",
    "str_",
    "timedelta64",
    "ubyte",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "uintc",
    "uintp",
    "ulong",
    "ulonglong",
    "unsignedinteger",
    "ushort",
    "void",
]

__array_api_version__ = "2025.12"

_DEFAULTS = {
    "real floating": np.dtype(np.float64),
    "complex floating": np.dtype(np.complex128),
    "integral": np.dtype(np.int64),
    "indexing": np.dtype(np.int64),
}
_DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32",
    "float64", "complex64", "complex128",
)  # fmt: skip
_MAX_DIMENSIONS = 64  # of NumPy's arrays, which the chunks are


class NamespaceInfo:
    """Answers to the inspection functions of the Array API standard."""

    def capabilities(self) -> dict[str, Any]:
        """Say what is supported: everything that the standard leaves open."""
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": _MAX_DIMENSIONS,
        }

    def default_device(self) -> str:
        """Device of arrays that are made without saying where."""
        backend = resolve_backend()
        return "cpu" if backend == "numpy" else backend

    def devices(self) -> tuple[str, ...]:
        """Devices that ``device=`` may name, whether or not they can work here."""
        return tuple("cpu" if name == "numpy" else name for name in backend_names())

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype[Any]]:
        """Dtypes of arrays that are made without saying which."""
        return dict(_DEFAULTS)

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, np.dtype[Any]]:
        """Dtypes of the standard, those of some kinds where ``kind`` says so."""
        found = {name: np.dtype(name) for name in _DTYPES}
        return {name: each for name, each in found.items() if kind is None or isdtype(each, kind)}


def __array_namespace_info__() -> NamespaceInfo:
    """Return the inspection functions of the Array API standard.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.__array_namespace_info__().default_dtypes()["integral"]
    dtype('int64')
    """
    return NamespaceInfo()


def _dtype_of(value: Any) -> Any:
    return value.dtype if isinstance(value, Array) else value


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """Dtype that NumPy's promotion gives arrays, dtypes and Python numbers together.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.result_type(ga.ones(3, dtype="float32"), 1.0)
    dtype('float32')
    """
    return np.result_type(*map(_dtype_of, arrays_and_dtypes))


def common_type(*arrays: Any) -> Any:
    """Floating point type that can hold the elements of all arrays.

    Raises
    ------
    TypeError
        If there are elements that are no numbers.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.common_type(ga.arange(3), ga.ones(2, dtype="float32"))
    <class 'numpy.float64'>
    """
    return np.common_type(*(np.empty(0, _dtype_of(x)) for x in arrays))


def can_cast(from_: Any, to: Any, casting: Any = "safe") -> Any:
    """Say whether a dtype, or that of an array, converts to another by a casting rule.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.can_cast(ga.ones(3), "int32")
    False
    """
    return np.can_cast(_dtype_of(from_), to, casting)


class FloatInfo:
    """NumPy's `finfo`, with the numbers of the Array API standard as Python's."""

    def __init__(self, info: Any) -> None:
        self._info = info
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.smallest_normal = float(info.smallest_normal)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._info, name)

    def __repr__(self) -> str:
        return repr(self._info)


def finfo(type: Any, /) -> FloatInfo:
    """Limits of a floating point dtype, or of that of an array.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.finfo(ga.ones(3, dtype="float32")).bits
    32
    """
    return FloatInfo(np.finfo(_dtype_of(type)))


def iinfo(type: Any, /) -> np.iinfo[Any]:
    """Limits of an integer dtype, or of that of an array.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.iinfo("int8").max
    127
    """
    return np.iinfo(_dtype_of(type))


def iscomplexobj(x: Any) -> Any:
    """Say whether the dtype of an array is complex.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.iscomplexobj(ga.ones(3))
    False
    """
    return np.iscomplexobj(np.empty(0, x.dtype) if isinstance(x, Array) else x)


def isrealobj(x: Any) -> Any:
    """Say whether the dtype of an array is not complex."""
    return not iscomplexobj(x)


def ndim(a: Any) -> int:
    """Number of axes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.ndim(ga.ones((2, 3)))
    2
    """
    return a.ndim if isinstance(a, Array) else np.ndim(a)


def shape(a: Any) -> tuple[int, ...]:
    """Length of each axis; where data decides, it is counted now.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.shape(ga.ones((2, 3)))
    (2, 3)
    """
    return a.shape if isinstance(a, Array) else np.shape(a)


def size(a: Any, axis: int | tuple[int, ...] | None = None) -> int:
    """Number of elements, or of positions along some axes.

    Raises
    ------
    numpy.exceptions.AxisError
        If an axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.size(ga.ones((2, 3))), ga.size(ga.ones((2, 3)), axis=1)
    (6, 3)
    """
    lengths = shape(a)
    return int(np.prod([lengths[k] for k in normalize_axes(axis, len(lengths))], dtype=np.int64))
