"""Operators of frames, series, indexes and values, and the methods that pandas names after them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from gpuscale.collection import Collection
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import api
from gpuscale.dataframe.methods import Method, dress
from gpuscale.dataframe.nodes.partwise import Rows

__all__ = ["FLEXIBLE", "Operators", "with_flexible"]

C = TypeVar("C", bound=type)

_BINARY: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
    "floordiv": operator.floordiv,
    "mod": operator.mod,
    "pow": operator.pow,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
}
_COMPARISONS: dict[str, Callable[..., Any]] = {
    name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")
}
_UNARY: dict[str, Callable[..., Any]] = {
    "neg": operator.neg,
    "pos": operator.pos,
    "invert": operator.invert,
    "abs": operator.abs,
}

FLEXIBLE = (
    *("add", "sub", "mul", "div", "truediv", "floordiv", "mod", "pow"),
    *("radd", "rsub", "rmul", "rdiv", "rtruediv", "rfloordiv", "rmod", "rpow"),
    *("lt", "le", "gt", "ge", "eq", "ne"),
    *("divide", "multiply", "subtract"),
)
"""Methods that do what operators do, with ``fill_value=`` and the like."""


def _binary(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return _operate(function, self, other, name, True)

    return method


def _reflected(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def method(self: Any, other: Any) -> Any:
        return _operate(function, self, other, name, False)

    return method


def _unary(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def method(self: Any) -> Any:
        return call(function, (self,), label=name, rows=_rows(self))

    return method


def _operate(function: Any, own: Any, other: Any, label: str, is_left: bool) -> Any:
    other = _operand(own, other)
    return call(function, (own, other) if is_left else (other, own), label=label, rows=_rows(own))


def _operand(own: Any, other: Any) -> Any:
    """Return what meets the partitions of a collection; elements of an array by their positions."""
    dimensions = getattr(own, "ndim", 0)
    is_for_columns = dimensions == 2 and isinstance(other, pd.Series)
    if isinstance(other, pd.DataFrame | pd.Series | pd.Index) and not is_for_columns:
        raise TypeError(
            f"a {type(other).__name__} of pandas meets a {type(own).__name__} of gpuscale, whose "
            "rows are in partitions; make the first one by gd.from_pandas"
        )
    is_series = isinstance(getattr(own, "_meta", None), pd.Series)
    if is_series and isinstance(other, np.ndarray) and other.ndim == 1:
        return api().positions.beside(own, other, own.name)
    return other


def _rows(own: Any) -> Rows:
    """Operators of an index make other labels, all else leaves them."""
    return "labels" if isinstance(getattr(own, "_meta", None), pd.Index) else "same"


class Operators:
    """A mixin with all operators; where indexes differ, rows are aligned as pandas does."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other  # type: ignore[operator]

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return other // self, other % self

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Answer functions of NumPy for each element, as ``np.sqrt(df.x)``, as pandas does."""
        if method == "__call__" and ufunc.nout == 1 and kwargs.get("out") is None:
            name = ufunc.__name__
            operands = [_operand(self, each) for each in inputs]
            return call(ufunc, operands, kwargs, label=name, rows=_rows(self))
        arrays = (each.compute() if isinstance(each, Collection) else each for each in inputs)
        return getattr(ufunc, method)(*arrays, **kwargs)


for _name, _function in _BINARY.items():
    setattr(Operators, f"__{_name}__", _binary(_function, _name))
    setattr(Operators, f"__r{_name}__", _reflected(_function, _name))
for _name, _function in _COMPARISONS.items():
    setattr(Operators, f"__{_name}__", _binary(_function, _name))
for _name, _alone in _UNARY.items():
    setattr(Operators, f"__{_name}__", _unary(_alone, _name))


def with_flexible(collection: C) -> C:
    """Give a collection the methods of operators."""
    for name in FLEXIBLE:
        setattr(collection, name, _flexible(collection, name))
    return collection


def _flexible(collection: type, name: str) -> Callable[..., Any]:
    def method(self: Any, other: Any, *args: Any, **kwargs: Any) -> Any:
        return call(Method(name), (self, other, *args), kwargs, name)

    theirs = getattr(getattr(pd, collection.__name__), name)
    dress(method, theirs, f"{collection.__name__}.{name}", f"{collection.__name__}.{name}")
    return method
