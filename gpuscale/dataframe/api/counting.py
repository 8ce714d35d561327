"""Values and rows that are there more than once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.counting import (
    Counts,
    CountsOfBins,
    DistinctRows,
    FrameModes,
    Modes,
    RowCounts,
    Unique,
)
from gpuscale.dataframe.algorithms.extremes import Extremes
from gpuscale.dataframe.algorithms.whole import Whole
from gpuscale.dataframe.api import many
from gpuscale.dataframe.api.binning import cut
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.reductions import of_columns, one_partition, reduction
from gpuscale.dataframe.by_memory import by_memory
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import nonempty, of_made_up

__all__: list[str] = []


def gathered(x: Any, plan: Any, label: str, like: Any, split_every: int | None = None) -> Any:
    """Return a result in one partition whose labels data decide."""
    out = one_partition(like, x.expr, plan, projected=sum(x.expr.meta.projected))
    return wrap(reduction((x.expr,), plan, label, out, split_every or 16))


def value_counts(x: Any, options: Mapping[str, Any]) -> Any:
    """Count the values of a series, or those in bins."""
    options = dict(options)
    bins = options.pop("bins", None)
    if bins is None:
        return _value_counts(x, options)
    every = {"normalize": False, "sort": False, "ascending": False, "dropna": False}
    counts = _value_counts(cut(x, bins, include_lowest=True), every)
    return call(CountsOfBins(**options), (counts,), label="value_counts", rows="new")


@by_memory
def _value_counts(x: Any, options: Mapping[str, Any]) -> Any:
    like = _counted_like(x, options)
    if many.are_many(x):
        return many.value_counts(x, options, like)
    names = ("normalize", "sort", "ascending", "dropna")
    plan = Counts(*(options[name] for name in names))
    return gathered(x, plan, "value_counts", like)


def _counted_like(x: Any, options: Mapping[str, Any]) -> Any:
    return nonempty(x._meta).value_counts(normalize=options["normalize"])


def row_counts(x: Any, subset: Any, options: Mapping[str, Any]) -> Any:
    """Count the rows of a table."""
    if subset is None:
        labels: Any = list(x.columns)
    elif isinstance(subset, list | tuple | pd.Index | np.ndarray):
        labels = list(subset)
    else:
        return x[subset].value_counts(**options)
    names = ("normalize", "sort", "ascending", "dropna")
    plan = RowCounts(tuple(labels), *(options[name] for name in names))
    check_labels(x, labels)
    like = nonempty(x._meta).value_counts(labels, normalize=options["normalize"])
    return gathered(x[labels], plan, "value_counts", like)


@by_memory
def unique(x: Any) -> Any:
    """Return the different values."""
    if many.are_many(x):
        return many.distinct(x, None, "first").reset_index(drop=True)
    like = x._meta if isinstance(x._meta, pd.Index) else x._meta.reset_index(drop=True)
    return gathered(x, Unique(), "unique", like)


@by_memory
def drop_duplicates(x: Any, subset: Any, keep: Any, ignore_index: bool) -> Any:
    """Return one row of those that are the same."""
    if keep not in ("first", "last", False):
        raise ValueError('keep must be either "first", "last" or False')
    labels = None
    if subset is not None:
        labels = tuple(subset) if isinstance(subset, list | tuple | pd.Index) else (subset,)
        check_labels(x, list(labels))
    if many.are_many(x if labels is None else x[list(labels)]):
        result = many.distinct(x, None if labels is None else list(labels), keep)
    else:
        result = gathered(x, DistinctRows(labels, keep), "drop_duplicates", x._meta)
    return result.reset_index(drop=True) if ignore_index else result


def extremes(x: Any, name: str, n: int, keep: str, columns: Any = None) -> Any:
    """Return the largest or the smallest rows, in their order."""
    by: tuple[Any, ...] = ()
    if x.ndim == 2:
        labels = columns if isinstance(columns, list | tuple | pd.Index) else [columns]
        check_labels(x, list(labels))
        by = (list(labels),)
    plan = Extremes(name, int(n), by, keep)
    plan.finalize(nonempty(x._meta))  # pandas says what is wrong
    return gathered(x, plan, name, x._meta)


@by_memory
def mode(x: Any, dropna: bool, numeric_only: bool = False) -> Any:
    """Return the most frequent values."""
    if x.ndim == 1 and many.are_many(x):
        return many.mode(x, dropna)
    if x.ndim == 1:
        like = nonempty(x._meta).mode()
        return gathered(x, Modes(dropna), "mode", like)
    x = of_columns(x, pd.api.types.is_numeric_dtype) if numeric_only else x
    return gathered(x, FrameModes(dropna), "mode", nonempty(x._meta).mode())


@dataclass(frozen=True)
class Called:
    """A method of pandas with its options."""

    name: str
    options: tuple[tuple[str, Any], ...]

    @property
    def may_vary(self) -> bool:
        """Whether nulls come in as the rows have it."""
        return self.name in ("asfreq", "pivot_table")

    def __call__(self, frame: Any) -> Any:
        """Call it."""
        return getattr(frame, self.name)(**{k: _plain(v) for k, v in self.options})


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def whole(x: Any, name: str, **options: Any) -> Any:
    """Return what a method of pandas gives for all rows, which one task has at once."""
    plain = {k: tuple(v) if isinstance(v, list | np.ndarray) else v for k, v in options.items()}
    function = Called(name, tuple(sorted(plain.items())))
    return wrap(reduction((x.expr,), Whole(function), name, of_made_up(function, x._meta)))
