"""Two frames that meet: labels of both, differences, products, values of one for the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms.whole import Whole
from gpuscale.dataframe.api.joining import concat
from gpuscale.dataframe.api.reductions import of_columns, reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.methods import Method

__all__: list[str] = []


@dataclass(frozen=True)
class Aligned:
    """One of two partitions, with the labels that both are given."""

    number: int
    options: tuple[tuple[str, Any], ...]

    def __call__(self, first: Any, second: Any) -> Any:
        """Have pandas align them."""
        return first.align(second, **dict(self.options))[self.number]


def align(x: Any, other: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """Return both frames with the labels of one, of the other, or of both."""
    _lazy(other, "align")
    given = tuple((name, value) for name, value in options.items() if value is not None)
    one, two = (call(Aligned(k, given), (x, other), label="align", rows="new") for k in (0, 1))
    return one, two


def _lazy(other: Any, name: str) -> None:
    if not isinstance(other, Frame):
        raise TypeError(
            f"{name} takes a frame or a series of gpuscale, not {type(other).__name__}; make it by "
            "gd.from_pandas"
        )


def compare(x: Any, other: Any, options: dict[str, Any]) -> Any:
    """Return where two frames differ, side by side."""
    _lazy(other, "compare")
    if x.ndim == 2 and not options["keep_shape"]:
        raise NotSupportedError(
            "which columns differ depends on the data: say keep_shape=True, or compare the columns "
            "one by one"
        )
    return call(Method("compare"), (x, other), options, "compare", "new")


@dataclass(frozen=True)
class Updated:
    """A copy of a partition with the values that another one has."""

    options: tuple[tuple[str, Any], ...]

    def __call__(self, partition: Any, other: Any) -> Any:
        """Have pandas put them in."""
        new = partition.copy()
        new.update(other, **dict(self.options))
        return new


def updated(x: Any, other: Any, options: dict[str, Any]) -> Any:
    """Return a frame with the values that another one has under the same labels."""
    _lazy(other, "update")
    return call(Updated(tuple(options.items())), (x, other), label="update", out=x._meta)


def reindex_like(x: Any, other: Any) -> Any:
    """Return rows and columns under the labels of another frame; nulls where there are none."""
    _lazy(other, "reindex_like")
    return call(Method("reindex_like"), (x, other), label="reindex_like", rows="new")


# ------------------------------------------------------------------ products


def dot(x: Any, other: Any) -> Any:
    """Return the sum of products of rows with those of a series, or with columns in memory."""
    is_lazy = isinstance(other, Frame)
    if is_lazy and x.ndim == 1:
        product = x * other if other.ndim == 1 else other.mul(x, axis=0)
        found = product.sum(skipna=False)  # of nulls, pandas' products are null
        return found if other.ndim == 1 else found.rename(x.name)
    if is_lazy and other.expr.meta.sample is None:
        raise NotSupportedError(
            "the rows of the second table are in partitions, and each row needs all of them: "
            "compute() it, if it is small, or make arrays of both by to_dask_array()"
        )
    if x.ndim == 1:
        raise TypeError("a product of all rows takes a series or a table of gpuscale beside them")
    return call(Method("dot"), (x, other), label="dot")


def corrwith(x: Any, other: Any, axis: Any, options: dict[str, Any]) -> Any:
    """Return the correlation of each column with a series, or with the column of its name."""
    if axis in (1, "columns"):
        return call(Method("corrwith"), (x, other), {"axis": 1, **options}, "corrwith")
    _lazy(other, "corrwith")
    numeric_only, drop, method = (options[name] for name in ("numeric_only", "drop", "method"))
    x = of_columns(x, is_numeric_dtype) if numeric_only else x
    labels = every = x.columns
    if other.ndim == 2:
        other = of_columns(other, is_numeric_dtype) if numeric_only else other
        labels = x.columns.intersection(other.columns)
        missing = x.columns.union(other.columns).difference(labels)
        every = labels if drop else labels.append(missing)
        x, other = x[list(labels)], other[list(labels)]
    width = len(labels)
    pairs = [(k, width + k * (other.ndim - 1)) for k in range(width)]
    both = concat([x, other], axis=1, join="inner", ignore_index=True)
    found = both.corr(method=method)
    picked = Picked(tuple(pairs), labels, every)
    return wrap(reduction((found.expr,), Whole(picked), "corrwith", picked(found.expr.meta.sample)))


@dataclass(frozen=True)
class Picked:
    """Some of the correlations of all pairs, under the labels of columns."""

    pairs: tuple[tuple[int, int], ...]
    labels: Any
    every: Any

    def __call__(self, table: Any) -> Any:
        """Take them."""
        values = table.to_numpy()
        found = [values[pair] for pair in self.pairs]
        return pd.Series(found, self.labels, dtype="float64").reindex(self.every)
