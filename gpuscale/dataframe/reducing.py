"""Reductions as methods: a table of names, with the signatures of pandas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gpuscale.dataframe.collection import api
from gpuscale.dataframe.methods import dress

__all__ = ["REDUCTIONS", "with_reductions"]

C = TypeVar("C", bound=type)

REDUCTIONS = (
    *("sum", "prod", "product", "min", "max", "any", "all", "count", "nunique"),
    *("mean", "var", "std", "sem", "skew", "kurt", "kurtosis", "idxmin", "idxmax"),
)
_SAME = {"product": "prod", "kurtosis": "kurt"}


def with_reductions(pandas: type) -> Callable[[C], C]:
    """Give a collection the reductions that a class of pandas has."""

    def decorate(collection: C) -> C:
        for name in REDUCTIONS:
            setattr(collection, name, _method(collection, pandas, name))
        collection.size = property(_size, doc="Number of elements, lazy.")  # type: ignore[attr-defined]
        return collection

    return decorate


def _size(self: Any) -> Any:
    return api().reductions.size(self)


def _method(collection: type, pandas: type, name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return api().reductions.reduce(self, _SAME.get(name, name), *args, **kwargs)

    dress(
        method, getattr(pandas, name), f"{collection.__name__}.{name}", f"{pandas.__name__}.{name}"
    )
    return method
