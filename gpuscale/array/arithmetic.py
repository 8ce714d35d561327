"""Python's operators on arrays: each hands over to the function that it is named after.

Where an operator does more than its function, `gpuscale.array.api.operators` says what.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuscale.collection import Collection
from gpuscale.graph.handle import Handle

if TYPE_CHECKING:
    from gpuscale.array.collection import Array

__all__ = ["Arithmetic", "answers_itself", "namespace"]


def namespace() -> Any:
    """The public namespace, looked up late: its functions are written in terms of arrays."""
    return import_module("gpuscale.array")


def _binary(
    name: str, swap: bool = False, inplace: bool = False
) -> Callable[[Arithmetic, Any], Any]:
    def operator(self: Arithmetic, other: Any) -> Any:
        if not _is_operand(other):
            return NotImplemented
        if name == "multiply" and isinstance(other, np.matrix):
            raise TypeError(
                "* of a numpy.matrix is a product of matrices; say x @ m for it, or "
                "x * numpy.asarray(m) for the products of elements"
            )
        function = getattr(namespace(), name)
        if inplace:
            return function(self, other, out=self)
        return function(other, self) if swap else function(self, other)

    return operator


def _reflected(name: str) -> Callable[[Arithmetic, Any], Any]:
    return _binary(name, swap=True)


def _inplace(name: str) -> Callable[[Arithmetic, Any], Any]:
    return _binary(name, inplace=True)


def _equality(name: str) -> Callable[[Arithmetic, Any], Any]:
    def operator(self: Arithmetic, other: Any) -> Any:
        asks_itself = isinstance(other, Collection) or hasattr(other, "__array_ufunc__")
        if asks_itself and not _is_operand(other):
            return NotImplemented
        return namespace().operators.equality(name, self, other)

    return operator


def _unary(name: str) -> Callable[[Arithmetic], Array]:
    def operator(self: Arithmetic) -> Array:
        result: Array = getattr(namespace(), name)(self)
        return result

    return operator


def _is_operand(value: Any) -> bool:
    """Whether we know what to do with the other side; else Python asks it."""
    if isinstance(value, Arithmetic | np.generic):
        return True
    if isinstance(value, np.ndarray):
        return not answers_itself(value)
    if isinstance(value, bool | int | float | complex | str | bytes | list | tuple):
        return True
    if isinstance(value, Collection | Handle):
        return False
    is_array = hasattr(value, "shape") and hasattr(value, "dtype")
    return is_array or hasattr(value, "__cuda_array_interface__")


def answers_itself(array: np.ndarray[Any, Any]) -> bool:
    """Whether a subclass of NumPy's array, one with units say, has a meaning of its own.

    Examples
    --------
    >>> answers_itself(np.ones(3))
    False
    """
    return type(array).__array_ufunc__ is not np.ndarray.__array_ufunc__


class Arithmetic(Collection):
    """What arrays do between operators; the base of `Array`."""

    __slots__ = ()

    __add__, __radd__, __iadd__ = _binary("add"), _reflected("add"), _inplace("add")
    __sub__, __rsub__ = _binary("subtract"), _reflected("subtract")
    __isub__ = _inplace("subtract")
    __mul__, __rmul__ = _binary("multiply"), _reflected("multiply")
    __imul__ = _inplace("multiply")
    __truediv__, __rtruediv__ = _binary("divide"), _reflected("divide")
    __itruediv__ = _inplace("divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide"), _reflected("floor_divide")
    __ifloordiv__ = _inplace("floor_divide")
    __mod__, __rmod__ = _binary("remainder"), _reflected("remainder")
    __imod__ = _inplace("remainder")
    __divmod__, __rdivmod__ = _binary("divmod"), _reflected("divmod")
    __rpow__, __ipow__ = _reflected("power"), _inplace("power")
    __and__, __rand__ = _binary("bitwise_and"), _reflected("bitwise_and")
    __iand__ = _inplace("bitwise_and")
    __or__, __ror__ = _binary("bitwise_or"), _reflected("bitwise_or")
    __ior__ = _inplace("bitwise_or")
    __xor__, __rxor__ = _binary("bitwise_xor"), _reflected("bitwise_xor")
    __ixor__ = _inplace("bitwise_xor")
    __lshift__, __rlshift__ = _binary("left_shift"), _reflected("left_shift")
    __ilshift__ = _inplace("left_shift")
    __rshift__, __rrshift__ = _binary("right_shift"), _reflected("right_shift")
    __irshift__ = _inplace("right_shift")
    __matmul__, __rmatmul__ = _binary("matmul"), _reflected("matmul")
    __imatmul__ = _inplace("matmul")
    __eq__, __ne__ = _equality("equal"), _equality("not_equal")  # type: ignore[assignment]
    __lt__, __le__ = _binary("less"), _binary("less_equal")
    __gt__, __ge__ = _binary("greater"), _binary("greater_equal")
    __neg__, __pos__ = _unary("negative"), _unary("positive")
    __abs__, __invert__ = _unary("absolute"), _unary("invert")

    def __hash__(self) -> int:
        return id(self)  # since == compares elements

    def __pow__(self, other: Any) -> Any:
        return namespace().operators.power(self, other) if _is_operand(other) else NotImplemented
