"""What needs all rows at once, and gives one for each of them or asks about the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms.columns import concat
from gpuscale.dataframe.algorithms.whole import Whole
from gpuscale.dataframe.api import many
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.counting import Called, gathered
from gpuscale.dataframe.api.neighbours import on_rows_of
from gpuscale.dataframe.api.positions import counted, starts_of
from gpuscale.dataframe.api.reductions import of_columns, reduction
from gpuscale.dataframe.api.repartition import rows_between
from gpuscale.dataframe.by_memory import by_memory
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, nonempty, of_made_up
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.nodes.partwise import Partwise
from gpuscale.dataframe.nodes.regroup import Regroup

__all__: list[str] = []


def in_one_place(x: Frame, function: Callable[..., Any], label: str, out: Any = None) -> Any:
    """Return what a function gives for each of all rows, in the partitions of the frame.

    Parameters
    ----------
    x : DataFrame or Series
    function : callable
        Takes all rows in one frame, and returns one for each, under the same labels.
    label : str
    out : object of pandas, optional
        What comes out, without rows; by default the function is tried on made-up rows.
    """
    if out is None:
        out = emptied(of_made_up(function, x._meta))
    if x.npartitions == 1:
        return call(function, (x,), label=label, out=out)
    node = counted(x.expr)
    starts = starts_of(node)
    every = tuple((0, block, None) for block in range(x.npartitions))
    whole = Regroup((node,), (every,), None, "in one place")
    done = Partwise(OfAllRows(function), (whole,), (), label, "same", out)
    pieces = tuple(
        rows_between([0, starts[-1]], low, high)
        for low, high in zip(starts, starts[1:], strict=False)
    )
    return wrap(on_rows_of(node, Regroup((done,), pieces, None, label)))


@dataclass(frozen=True)
class OfAllRows:
    """A function that has all rows at once, for which more partitions would not do."""

    function: Callable[..., Any]
    advice: ClassVar[str] = "one task has all rows: take fewer of them, or fewer columns, before"

    def __call__(self, rows: Any) -> Any:
        """Call it."""
        return self.function(rows)


def each_of_all(x: Any, name: str, options: dict[str, Any]) -> Any:
    """Return what a method of pandas gives for each row, knowing all of them."""
    options = {**options}
    if options.pop("inplace", False):
        raise TypeError(f"{name} takes no inplace= here; it returns a new collection")
    if options.get("axis", 0) in (1, "columns"):
        return call(Method(name), (x,), options, name)
    if options.pop("numeric_only", False):
        x = of_columns(x, is_numeric_dtype)
    return in_one_place(x, Called(name, tuple(sorted(options.items()))), name)


@by_memory
def duplicated(x: Any, *args: Any, **options: Any) -> Any:
    """Return whether each row was there before."""
    own = x
    if x.ndim == 2:
        subset = args[0] if args else options.get("subset")
        if subset is not None:
            labels = subset if isinstance(subset, list | tuple | pd.Index) else [subset]
            check_labels(x, list(labels))
            options["subset"] = tuple(labels)
            own = x[list(labels)]
        options["keep"] = args[1] if len(args) > 1 else options.get("keep", "first")
    if options.get("keep", "first") not in ("first", "last", False):
        raise ValueError('keep must be either "first", "last" or False')
    if many.are_many(own) and (x.ndim == 1 or own.columns.is_unique):
        return many.duplicated(own, options.get("keep", "first"))
    return in_one_place(own, Called("duplicated", tuple(sorted(options.items()))), "duplicated")


def rows_of_all(x: Any, name: str, **options: Any) -> Any:
    """Return the rows that a method of pandas makes of all, in one partition."""
    function = Called(name, tuple(sorted(options.items())))
    return gathered(x, Whole(function), name, function(nonempty(x._meta)))


def asof(x: Any, where: Any, subset: Any) -> Any:
    """Return the last rows without nulls up to some labels."""
    if isinstance(where, Frame):
        raise NotSupportedError("asof looks for labels in memory: use gd.merge_asof, or compute()")
    index = x._meta.index
    given = where if np.ndim(where) or isinstance(where, str) else [where]
    labels = pd.Index([given] if isinstance(given, str) else list(given)).astype(index.dtype)
    options = {} if subset is None else {"subset": subset}
    plan = AsOf(labels, not np.ndim(where), tuple(options.items()))
    out = plan.finalize(plan.chunk(nonempty(x._meta)))
    return wrap(reduction((x.expr,), plan, "asof", out))


@dataclass(frozen=True)
class AsOf:
    """The last row of all before each of some labels, of those without nulls.

    A partial has those rows of a partition that may be asked for.
    """

    labels: Any
    is_one: bool
    options: tuple[tuple[str, Any], ...]

    def chunk(self, partition: Any) -> Any:
        """Keep the last rows without nulls before each label."""
        if not partition.index.is_monotonic_increasing:
            raise ValueError("asof requires a sorted index: sort_index() first")
        there = partition
        if partition.ndim == 2:
            subset = dict(self.options).get("subset")
            there = partition.dropna(subset=None if subset is None else list(np.atleast_1d(subset)))
        else:
            there = partition.dropna()
        places = there.index.searchsorted(self.labels, side="right") - 1
        kept = there.iloc[np.unique(places[places >= 0])]
        return kept if len(kept) else (there if len(there) else partition).iloc[:1]

    def combine(self, partials: list[Any]) -> Any:
        """Put them one after the other."""
        return self.chunk(concat(partials))

    def finalize(self, partial: Any) -> Any:
        """Ask pandas."""
        options = dict(self.options)
        return partial.asof(self.labels[0] if self.is_one else self.labels, **options)


@dataclass(frozen=True)
class Valid:
    """The label of the first or of the last row that has something."""

    name: str

    def chunk(self, partition: Any) -> list[Any]:
        """Return the label of one partition, if there is any."""
        found = getattr(partition, self.name)()
        return [] if found is None else [found]

    def combine(self, partials: list[Any]) -> list[Any]:
        """Put them in a row."""
        every = [each for partial in partials for each in partial]
        return every[:1] if self.name == "first_valid_index" else every[-1:]

    def finalize(self, partial: list[Any]) -> Any:
        """Take it out."""
        return partial[0] if partial else None


def valid_label(x: Any, name: str) -> Any:
    """Return the label of the first or the last row that has something."""
    template = nonempty(x._meta).index[0]
    return wrap(reduction((x.expr,), Valid(name), name, template))


@dataclass(frozen=True)
class Places:
    """Where values belong among sorted elements: how many are before each."""

    value: Any
    side: str

    def chunk(self, partition: Any) -> Any:
        """Count those of one partition."""
        return partition.searchsorted(self.value, side=self.side)

    def combine(self, partials: list[Any]) -> Any:
        """Add up."""
        return sum(partials[1:], start=partials[0])

    def finalize(self, partial: Any) -> Any:
        """Return the counts."""
        return partial


def places(x: Any, value: Any, side: str) -> Any:
    """Return where values belong among sorted elements."""
    given = tuple(value) if isinstance(value, list) else value
    plan = Places(given, side)
    return wrap(reduction((x.expr,), plan, "searchsorted", plan.chunk(x._meta)))
