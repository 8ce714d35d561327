"""Values and rows of which too many are different for one task: as groups, which are shuffled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.reductions import Length
from gpuscale.dataframe.api.reductions import length, reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.passes import is_large

__all__: list[str] = []


def are_many(x: Any) -> bool:
    """Whether the different values of a series, or rows of a frame, may not fit into one task."""
    if not isinstance(x._meta, pd.Series | pd.DataFrame) or x.npartitions == 1:
        return False
    dtypes = list(x.dtypes) if x.ndim == 2 else [x.dtype]
    categories = any(isinstance(each, pd.CategoricalDtype) for each in dtypes)  # which are few
    return is_large(x.expr) and not categories and x._meta.index.nlevels == 1


def counts(x: Any, dropna: bool = True) -> Any:
    """Return how often each value of a series is there, in the order in which they come first."""
    return x.groupby(x, sort=False, dropna=dropna).size()


def value_counts(x: Any, options: Mapping[str, Any], like: Any) -> Any:
    """Count the values of a series; see `pandas.Series.value_counts`."""
    found = counts(x, options["dropna"])
    if options["sort"]:
        found = found.sort_values(ascending=options["ascending"])
    if options["normalize"]:
        return (found / found.sum()).rename("proportion")
    return found.rename("count").astype(like.dtype)


def nunique(x: Any, dropna: bool) -> Any:
    """Return how many different values a series has, or each column of a frame."""
    return length(counts(x, dropna)) if x.ndim == 1 else nunique_of_columns(x, dropna)


def nunique_of_columns(x: Any, dropna: bool) -> Any:
    """Return how many different values each column of a frame has, none of them in one task."""
    plan = OneLength()
    found = [
        reduction((counts(x.iloc[:, k], dropna).expr,), plan, "nunique", plan.finalize(0))
        for k in range(len(x.columns))
    ]
    merge = SideBySide(x.columns)
    template = merge.finalize(tuple(each.meta.sample for each in found))
    return wrap(reduction(tuple(found), merge, "nunique", template))


class OneLength(Length):
    """How many rows there are, as a series of one number."""

    def finalize(self, partial: int) -> Any:
        """Make it."""
        return pd.Series([partial], dtype=np.int64)


@dataclass(frozen=True)
class SideBySide:
    """The number of each column, which a series of its own has, under the labels of these."""

    columns: Any

    def chunk(self, *numbers: Any) -> Any:
        """Keep them."""
        return numbers

    def combine(self, partials: list[Any]) -> Any:
        """Keep the only ones that there are."""
        (partial,) = partials
        return partial

    def finalize(self, numbers: tuple[Any, ...]) -> Any:
        """Put them together."""
        return pd.concat(numbers).set_axis(self.columns)


def mode(x: Any, dropna: bool) -> Any:
    """Return the most frequent values of a series."""
    found = counts(x, dropna)
    most = found[found == found.max()].rename("count").reset_index()
    values = most[most.columns[0]].rename(x.name)
    return values.sort_values(ignore_index=True)


def distinct(x: Any, subset: list[Any] | None, keep: Any) -> Any:
    """Return one row of those that are the same, or those that are there once."""
    labels = (list(x.columns) if x.ndim == 2 else []) if subset is None else subset
    if keep is False:
        groups = _by(x, labels)
        if x.ndim == 2:
            groups = groups[labels[0]]
        return x[groups.transform("size") == 1]
    options = {"keep": keep} if x.ndim == 1 else {"keep": keep, "subset": labels}
    some = call(Method("drop_duplicates"), (x,), options, "drop_duplicates", "some")
    groups = _by(some, labels)
    return groups.head(1) if keep == "first" else groups.tail(1)


def duplicated(x: Any, keep: Any) -> Any:
    """Return whether each row was there before: as those of its group, which meet by a shuffle."""
    labels = list(x.columns) if x.ndim == 2 else []
    groups = _by(x, labels)
    if keep is False:
        found = (groups[labels[0]] if labels else groups).transform("size") > 1
    else:
        found = groups.cumcount(ascending=keep == "first") > 0
    return found.rename(None if labels else x.name)


def _by(x: Any, labels: list[Any]) -> Any:
    return x.groupby(labels if x.ndim == 2 else x, sort=False, dropna=False)
