"""The class of masked arrays: two lazy arrays, the elements and which of them do not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gpuscale.array import ufunc as ufuncs
from gpuscale.array.api import reductions
from gpuscale.array.api.manipulation import broadcast_to
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.convert import as_array
from gpuscale.array.ma.domains import outside_domain
from gpuscale.base.errors import NotSupportedError
from gpuscale.collection import Collection
from gpuscale.expr.kernels import FunctionKernel
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["MaskedArray", "apply", "data_of", "mask_of"]


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
    """One elementwise operation: masked where an operand is, or where it is not defined."""
    plain = [x if np.isscalar(x) else data_of(x) for x in operands]
    data = ufuncs.call(op, *plain, dtype=dtype)
    masks = [None if np.isscalar(x) else mask_of(x) for x in operands]
    mask = _either([*masks, outside_domain(op, plain)])
    return MaskedArray(data, False if mask is None else mask)


def _binary(op: str) -> Callable[[MaskedArray, Any], MaskedArray]:
    return lambda self, other: apply(op, self, other)


def _reflected(op: str) -> Callable[[MaskedArray, Any], MaskedArray]:
    return lambda self, other: apply(op, other, self)


def _unary(op: str) -> Callable[[MaskedArray], MaskedArray]:
    return lambda self: apply(op, self)


def _on_both(name: str) -> Callable[..., MaskedArray]:
    """A method that moves elements about: the mask goes with them."""

    def method(self: MaskedArray, *args: Any, **kwargs: Any) -> MaskedArray:
        data = getattr(self.data, name)(*args, **kwargs)
        return MaskedArray(data, getattr(self.mask, name)(*args, **kwargs), self._fill)

    method.__name__ = name
    method.__doc__ = f"See :func:`gpuscale.array.{name}`; the mask goes with the elements."
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
        flags = as_array(mask).astype(bool, copy=False)
        if flags.ndim != self._elements.ndim or flags._meta.shape != self._elements._meta.shape:
            flags = broadcast_to(flags, self._elements.shape)
        self._flags = Array(rechunk(flags.expr, self._elements.chunks))
        super().__init__(_packed(self._elements.expr, self._flags.expr))

    def _wrap(self, expr: Node) -> MaskedArray:
        dtype = self._elements.dtype
        return MaskedArray(_field(expr, "data", dtype), _field(expr, "mask", bool), self._fill)

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
    __mod__, __rmod__ = _binary("remainder"), _reflected("remainder")
    __pow__, __rpow__ = _binary("power"), _reflected("power")
    __and__, __rand__ = _binary("bitwise_and"), _reflected("bitwise_and")
    __or__, __ror__ = _binary("bitwise_or"), _reflected("bitwise_or")
    __xor__, __rxor__ = _binary("bitwise_xor"), _reflected("bitwise_xor")
    __eq__, __ne__ = _binary("equal"), _binary("not_equal")  # type: ignore[assignment]
    __lt__, __le__ = _binary("less"), _binary("less_equal")
    __gt__, __ge__ = _binary("greater"), _binary("greater_equal")
    __neg__, __abs__, __invert__ = _unary("negative"), _unary("absolute"), _unary("invert")

    # --- elements move, their mask with them ---------------------------------------------------
    flatten = _on_both("flatten")
    ravel = _on_both("ravel")
    rechunk = _on_both("rechunk")
    repeat = _on_both("repeat")
    reshape = _on_both("reshape")
    squeeze = _on_both("squeeze")
    swapaxes = _on_both("swapaxes")
    take = _on_both("take")
    transpose = _on_both("transpose")

    def astype(self, dtype: Any) -> MaskedArray:
        """Convert the elements to a dtype."""
        return MaskedArray(self._elements.astype(dtype), self._flags, self._fill)

    def filled(self, fill_value: Any = None) -> Array:
        """Elements, with a value in place of the masked ones."""
        value = self.fill_value if fill_value is None else self.dtype.type(fill_value)
        return ufuncs.call("where", self._flags, value, self._elements)

    # --- reductions over the elements that count -----------------------------------------------
    def count(self, axis: Any = None, keepdims: bool = False) -> Array:
        """Number of elements that count, along some axes."""
        return reductions.count_nonzero(~self._flags, axis, keepdims=keepdims)

    def _reduced(self, name: str, fill: Any, axis: Any, keepdims: bool) -> MaskedArray:
        function = getattr(reductions, name)
        result = function(self.filled(fill), axis=axis, keepdims=keepdims)
        return MaskedArray(result, self._flags.all(axis=axis, keepdims=keepdims))

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
        """Sum of the elements that count; masked where none does."""
        return self._reduced("sum", 0, axis, keepdims)

    def prod(self, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
        """Product of the elements that count; masked where none does."""
        return self._reduced("prod", 1, axis, keepdims)

    def any(self, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
        """Whether one of the elements that count is true; masked where none counts."""
        return self._reduced("any", 0, axis, keepdims)

    def all(self, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
        """Whether all elements that count are true; masked where none counts."""
        return self._reduced("all", 1, axis, keepdims)

    def min(self, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
        """Smallest element that counts; masked where none does."""
        return self._reduced("min", _extreme(self.dtype, np.ma.minimum_fill_value), axis, keepdims)

    def max(self, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
        """Largest element that counts; masked where none does."""
        return self._reduced("max", _extreme(self.dtype, np.ma.maximum_fill_value), axis, keepdims)

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> MaskedArray:
        """Mean of the elements that count; masked where none does."""
        kind = self.dtype if self.dtype.kind in "fc" else np.dtype(float)
        total = reductions.sum(self.filled(0).astype(kind), axis=axis, keepdims=keepdims)
        result = total / self.count(axis, keepdims)
        mask = self._flags.all(axis=axis, keepdims=keepdims)
        return MaskedArray(result.astype(kind, copy=False), mask)

    def var(self, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> MaskedArray:
        """Variance of the elements that count; masked where no more than ``ddof`` do."""
        off = self - self.mean(axis, keepdims=True).data
        squares = off.data.real**2 + off.data.imag**2 if off.dtype.kind == "c" else off.data**2
        kept = ufuncs.call("where", self._flags, squares.dtype.type(0), squares)
        free = self.count(axis, keepdims) - ddof
        total = reductions.sum(kept, axis=axis, keepdims=keepdims)
        result = (total / free).astype(squares.dtype, copy=False)
        return MaskedArray(result, free <= 0)

    def std(self, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> MaskedArray:
        """Standard deviation of the elements that count; masked where no more than ``ddof`` do."""
        return apply("sqrt", self.var(axis, ddof=ddof, keepdims=keepdims))


def _extreme(dtype: np.dtype[Any], of: Callable[[Any], Any]) -> Any:
    if dtype.kind == "b":
        return of is np.ma.minimum_fill_value
    try:
        return of(dtype)
    except TypeError as error:
        raise NotSupportedError(f"{dtype} elements have no order") from error


def _packed(data: Node, mask: Node) -> Node:
    """Elements and mask as one array of records, which is what engines compute and keep."""
    axes = tuple(range(data.meta.ndim))
    inputs = (BlockInput(data, axes=axes), BlockInput(mask, axes=axes))
    meta = data.meta.with_(dtype=np.dtype([("data", data.meta.dtype), ("mask", bool)]))
    return Blockwise(FunctionKernel(_pack, label="masked"), inputs, meta.chunks, meta)


def _pack(data: Any, mask: Any) -> Any:
    both = np.empty(data.shape, [("data", data.dtype), ("mask", bool)])
    both["data"], both["mask"] = data, mask
    return both


def _field(node: Node, name: str, dtype: Any) -> Array:
    meta = node.meta.with_(dtype=np.dtype(dtype))
    inputs = (BlockInput(node, axes=tuple(range(meta.ndim))),)
    kernel = FunctionKernel(_unpack, (name,), label=name)
    return Array(Blockwise(kernel, inputs, meta.chunks, meta))


def _unpack(both: Any, name: str) -> Any:
    return both[name]
