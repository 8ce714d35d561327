"""The class of masked arrays: two lazy arrays, the elements and which of them do not count."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from gpuscale.array import ufunc as ufuncs
from gpuscale.array.api.manipulation import broadcast_to
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array, beside
from gpuscale.array.ma.domains import not_finite, outside_domain
from gpuscale.array.ma.packing import pack, unpack
from gpuscale.base.errors import NotSupportedError
from gpuscale.collection import Collection
from gpuscale.expr.node import Node

__all__ = ["MaskedArray", "apply", "apply_finite", "data_of", "extreme", "mask_of"]


def data_of(x: Any) -> Array:
    """Elements of a masked array, of NumPy's too; an array itself."""
    if isinstance(x, MaskedArray):
        return x.data
    return as_array(np.ma.getdata(x) if isinstance(x, np.ma.MaskedArray) else x)


def mask_of(x: Any) -> Array | None:
    """Which elements do not count; None where all do."""
    if isinstance(x, MaskedArray):
        return x.mask
    masked = isinstance(x, np.ma.MaskedArray) and x.mask is not np.ma.nomask
    return as_array(np.ma.getmaskarray(x)) if masked else None


def _plain(value: Any) -> Any:
    """A value without its mask, of whatever type it is."""
    return value.data if isinstance(value, MaskedArray | np.ma.MaskedArray) else value


def _plain_index(index: Any) -> Any:
    """An index whose arrays have no masks: as in NumPy, what lies beneath them counts."""
    if isinstance(index, tuple):
        return tuple(map(_plain_index, index))
    return _plain(index)


def _either(masks: list[Array | None]) -> Array | None:
    found = [mask for mask in masks if mask is not None]
    if not found:
        return None
    total, *rest = found
    for mask in rest:
        total = total | mask
    return total


def apply(op: str, *operands: Any, dtype: Any = None) -> MaskedArray:
    """One ufunc of masked arrays: masked where an operand is, or where it is not defined."""
    plain = [x if np.isscalar(x) else data_of(x) for x in operands]
    data = ufuncs.call(op, *plain, dtype=dtype)
    masks = [None if np.isscalar(x) else mask_of(x) for x in operands]
    mask = _either([*masks, outside_domain(op, plain)])
    return MaskedArray(data, False if mask is None else mask)


def apply_finite(op: str, *operands: Any) -> MaskedArray:
    """One function of `numpy.ma`: as `apply`, and of those that have a domain finite as well."""
    result = apply(op, *operands)
    mask = not_finite(op, result.data)
    return result if mask is None else MaskedArray(result.data, result.mask | mask)


def _binary(op: str, function: Any = apply_finite) -> Callable[[MaskedArray, Any], MaskedArray]:
    return lambda self, other: function(op, self, other)


def _reflected(op: str, function: Any = apply_finite) -> Callable[[MaskedArray, Any], MaskedArray]:
    return lambda self, other: function(op, other, self)


def _unary(op: str) -> Callable[[MaskedArray], MaskedArray]:
    return lambda self: apply(op, self)


def _functions() -> Any:
    return import_module("gpuscale.array.ma")  # which builds on this module


def _method(name: str) -> Callable[..., Any]:
    """Hand over to the function of that name."""

    def method(self: MaskedArray, *args: Any, **kwargs: Any) -> Any:
        return getattr(_functions(), name)(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"See :func:`gpuscale.array.ma.{name}`."
    return method


def _unwritable(name: str) -> Callable[..., Any]:
    def method(self: MaskedArray, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{name} would lose the mask; write x.filled(value).{name}(...) and, where it is "
            f"needed, x.mask.{name}(...) beside it"
        )

    method.__name__ = name
    method.__doc__ = "Refuse: formats have no masks; write ``x.filled()`` and ``x.mask``."
    return method


class MaskedArray(Collection):
    """A lazy array some of whose elements do not count.

    Parameters
    ----------
    data : array
    mask : array of bool
        True where an element does not count; broadcast to the shape of ``data``.
    fill_value : scalar, optional
        What `filled` puts in their place; NumPy's for the dtype by default.

    Raises
    ------
    ValueError
        If the mask does not broadcast.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.ma.MaskedArray(ga.arange(4, chunks=2), [False, True, False, False])
    >>> x.sum().compute()
    np.int64(5)
    >>> (x + 1).compute()
    masked_array(data=[1, --, 3, 4],
                 mask=[False,  True, False, False],
           fill_value=999999)
    """

    __slots__ = ("_elements", "_fill", "_flags")
    __array_priority__ = 200

    def __init__(self, data: Any, mask: Any = False, fill_value: Any = None) -> None:
        self._fill = fill_value
        self._become(as_array(data), mask)

    def _become(self, data: Array, mask: Any) -> None:
        """Take on other elements and another mask, both as handles of their own."""
        self._elements = Array(data.expr)
        flags = beside(mask, self._elements, "masked_array").astype(bool, copy=False)
        if flags.ndim != self._elements.ndim or flags._meta.shape != self._elements._meta.shape:
            flags = broadcast_to(flags, self._elements.shape)
        self._flags = Array(rechunk(flags.expr, self._elements.chunks))
        super().__init__(pack(self._elements.expr, self._flags.expr))

    def _wrap(self, expr: Node) -> MaskedArray:
        dtype, backend = self._elements.dtype, self._elements.backend
        data, mask = unpack(expr, "data", dtype, backend), unpack(expr, "mask", bool, backend)
        return MaskedArray(data, mask, self._fill)

    def __reduce__(self) -> tuple[Any, ...]:
        return MaskedArray, (self._elements, self._flags, self._fill)

    def _present(self, result: Any) -> Any:
        if not np.ndim(result):
            return np.ma.masked if result["mask"] else result["data"]
        return np.ma.MaskedArray(result["data"], result["mask"], fill_value=self._fill)

    # --- what is known without computing -------------------------------------------------------
    @property
    def data(self) -> Array:
        """The elements, whether or not they count; in place, it changes alone."""
        return Array(self._elements.expr)

    @property
    def mask(self) -> Array:
        """Which elements do not count; in place, it changes alone, but it can be assigned."""
        return Array(self._flags.expr)

    @mask.setter
    def mask(self, mask: Any) -> None:
        self._become(self._elements, mask)

    @property
    def fill_value(self) -> Any:
        """What `filled` puts in place of masked elements."""
        default = np.ma.default_fill_value(self.dtype) if self._fill is None else self._fill
        return np.asarray(default).astype(self.dtype)[()]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self._elements.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._elements.ndim

    @property
    def size(self) -> int:
        """Number of elements, masked ones as well."""
        return self._elements.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._elements.dtype

    @property
    def chunks(self) -> Any:
        """Sizes of the blocks along each axis."""
        return self._elements.chunks

    @property
    def numblocks(self) -> tuple[int, ...]:
        """Number of blocks along each axis."""
        return self._elements.numblocks

    @property
    def nbytes(self) -> int:
        """Bytes of all elements, without the mask."""
        return self._elements.nbytes

    @property
    def real(self) -> MaskedArray:
        """Real parts."""
        return MaskedArray(self._elements.real, self._flags)

    @property
    def imag(self) -> MaskedArray:
        """Imaginary parts."""
        return MaskedArray(self._elements.imag, self._flags)

    @property
    def T(self) -> MaskedArray:
        """The array with its axes reversed."""
        return MaskedArray(self._elements.T, self._flags.T, self._fill)

    def __repr__(self) -> str:
        return f"gpuscale.array.ma<shape={self._elements._meta.shape}, dtype={self.dtype}>"

    def __len__(self) -> int:
        return len(self._elements)

    def __getitem__(self, index: Any) -> MaskedArray:
        index = _plain_index(index)
        return MaskedArray(self._elements[index], self._flags[index], self._fill)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Replace elements; where the value is masked they no longer count, elsewhere they do.

        `numpy.ma.masked` leaves the elements as they are. The mask is soft, as it is by default in
        NumPy: a masked element that gets a value counts again.
        """
        index = _plain_index(index)
        data, mask = self.data, self.mask
        if value is np.ma.masked:
            mask[index] = True
        else:
            flags = mask_of(value)
            data[index] = _plain(value)
            mask[index] = False if flags is None else flags
        self._become(data, mask)

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        return bool(self.compute())  # of several elements NumPy says that it is ambiguous

    def __float__(self) -> float:
        return float(self.compute())

    def __int__(self) -> int:
        return int(self.compute())

    def tolist(self) -> Any:
        """Elements in nested lists, None where one is masked, computed now."""
        return self.compute().tolist()

    def item(self, *index: Any) -> Any:
        """One element as a Python number, computed now."""
        return self._elements.item(*index)

    # `numpy.ma` looks for these two in the other operand of its own arrays.
    @property
    def _data(self) -> Any:
        return self._elements.compute()

    @property
    def _mask(self) -> Any:
        return self._flags.compute()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(
            "the mask of a masked array would be lost; x.compute() gives one of NumPy's, "
            "x.filled(value) an array without a mask"
        )

    store = _unwritable("store")
    to_hdf5 = _unwritable("to_hdf5")
    to_npy = _unwritable("to_npy")
    to_npy_stack = _unwritable("to_npy_stack")
    to_zarr = _unwritable("to_zarr")

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        ours = getattr(_functions(), function.__name__, None)
        if ours is None or ours is function:
            raise TypeError(
                f"{function.__module__}.{function.__name__} would lose the mask of a masked array; "
                "use x.filled(value), or numpy.ma on x.compute()"
            )
        return ours(*args, **kwargs)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs:
            return NotImplemented
        return apply(ufunc.__name__, *inputs)

    # --- operators -----------------------------------------------------------------------------
    __add__, __radd__ = _binary("add"), _reflected("add")
    __sub__, __rsub__ = _binary("subtract"), _reflected("subtract")
    __mul__, __rmul__ = _binary("multiply"), _reflected("multiply")
    __truediv__, __rtruediv__ = _binary("divide"), _reflected("divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide"), _reflected("floor_divide")
    # `numpy.ma` has no operators of its own for these:
    __itruediv__, __ifloordiv__ = _binary("divide", apply), _binary("floor_divide", apply)
    __mod__, __rmod__ = _binary("remainder", apply), _reflected("remainder", apply)
    __pow__, __rpow__ = _binary("power"), _reflected("power")
    __and__, __rand__ = _binary("bitwise_and"), _reflected("bitwise_and")
    __or__, __ror__ = _binary("bitwise_or"), _reflected("bitwise_or")
    __xor__, __rxor__ = _binary("bitwise_xor"), _reflected("bitwise_xor")
    __lshift__, __rlshift__ = _binary("left_shift"), _reflected("left_shift")
    __rshift__, __rrshift__ = _binary("right_shift"), _reflected("right_shift")
    __eq__, __ne__ = _binary("equal"), _binary("not_equal")  # type: ignore[assignment]
    __lt__, __le__ = _binary("less"), _binary("less_equal")
    __gt__, __ge__ = _binary("greater"), _binary("greater_equal")
    __pos__ = _unary("positive")
    __neg__, __abs__, __invert__ = _unary("negative"), _unary("absolute"), _unary("invert")

    # --- methods -------------------------------------------------------------------------------
    all = _method("all")
    any = _method("any")
    argmax = _method("argmax")
    argmin = _method("argmin")
    argsort = _method("argsort")
    anom = _method("anom")
    clip = _method("clip")
    compressed = _method("compressed")
    conj = _method("conjugate")
    conjugate = _method("conjugate")
    copy = _method("copy")
    count = _method("count")
    cumprod = _method("cumprod")
    cumsum = _method("cumsum")
    diagonal = _method("diagonal")
    dot = _method("dot")
    max = _method("max")
    mean = _method("mean")
    min = _method("min")
    nonzero = _method("nonzero")
    prod = _method("prod")
    ptp = _method("ptp")
    ravel = _method("ravel")
    repeat = _method("repeat")
    round = _method("round")
    squeeze = _method("squeeze")
    std = _method("std")
    sum = _method("sum")
    swapaxes = _method("swapaxes")
    take = _method("take")
    trace = _method("trace")
    var = _method("var")

    def reshape(self, *shape: Any, **options: Any) -> MaskedArray:
        """Give the array a new shape; see :func:`gpuscale.array.reshape`."""
        data, mask = (each.reshape(*shape, **options) for each in (self._elements, self._flags))
        return MaskedArray(data, mask, self._fill)

    def transpose(self, *axes: Any) -> MaskedArray:
        """Permute the axes; see :func:`gpuscale.array.transpose`."""
        data, mask = (each.transpose(*axes) for each in (self._elements, self._flags))
        return MaskedArray(data, mask, self._fill)

    def rechunk(self, *args: Any, **options: Any) -> MaskedArray:
        """Cut into other blocks; see :func:`gpuscale.array.rechunk`."""
        return MaskedArray(self._elements.rechunk(*args, **options), self._flags, self._fill)

    def flatten(self) -> MaskedArray:
        """All elements on one axis, in C order."""
        return self.reshape(-1)

    def compress(self, condition: Any, axis: int | None = None) -> MaskedArray:
        """Keep positions for which a condition holds; see :func:`gpuscale.array.compress`."""
        result: MaskedArray = _functions().compress(condition, self, axis)
        return result

    def sort(self, axis: int = -1, kind: Any = None, *, endwith: bool = True) -> None:
        """Sort along an axis, in place; see :func:`gpuscale.array.ma.sort`."""
        result = _functions().sort(self, axis, kind, endwith=endwith)
        self._become(result.data, result.mask)

    def astype(self, dtype: Any) -> MaskedArray:
        """Convert the elements to a dtype."""
        return MaskedArray(self._elements.astype(dtype), self._flags, self._fill)

    def filled(self, fill_value: Any = None) -> Array:
        """Elements, with a value in place of the masked ones."""
        value = self.fill_value if fill_value is None else fill_value
        if self.dtype.kind in "mM":  # whose type alone knows no unit
            value = np.asarray(value).astype(self.dtype)[()]
        value = self.dtype.type(value) if self.dtype.kind in "biufc" else value
        return ufuncs.call("where", self._flags, value, self._elements)


def extreme(x: MaskedArray, sign: int) -> Any:
    """Value above (sign 1) or below (sign -1) all others of a dtype."""
    if x.dtype.kind == "b":
        return sign > 0
    of = np.ma.minimum_fill_value if sign > 0 else np.ma.maximum_fill_value
    try:
        found = of(x.dtype)
    except TypeError:
        found = None
    if found is None:
        raise NotSupportedError(f"{x.dtype} elements have no smallest and largest value")
    return found
