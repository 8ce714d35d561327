"""What each of several partitions does with the groups of which it has all rows, or all parts.

Classes are called with a table, see `gpuscale.dataframe.algorithms.group_places`; functions put
results where their rows are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_libraries import array_beside
from gpuscale.backends.frame_seams import frame_namespace
from gpuscale.backends.seams import on_device
from gpuscale.dataframe.algorithms.group_places import Packing
from gpuscale.dataframe.algorithms.grouping import Call, Gathered
from gpuscale.dataframe.promises import described
from gpuscale.dataframe.undecided import of_objects
from gpuscale.expr.node import Node

__all__ = [
    "AppliedWithFirst",
    "OfParts",
    "OfRows",
    "RowByRow",
    "SomeRows",
    "WithFirst",
    "cut_back",
    "in_place",
    "numbers_of_groups",
    "of_their_groups",
    "renumbered",
    "together",
]


@dataclass(frozen=True)
class OfParts:
    """Make results of the parts of groups."""

    plan: Any

    def __call__(self, table: Any) -> Any:
        """Make them."""
        return self.plan.of_parts([table])

    def outcomes(self, parts: Node) -> list[Any]:
        """Return what else may come out, of parts that are objects."""
        return of_objects(getattr(self.plan, "template", None), [parts])


@dataclass(frozen=True)
class OfRows:
    """Make results of the rows of groups; of no rows functions of users might make anything.

    Parameters
    ----------
    packing : Packing
    plan : Gathered
    template : object of pandas
        A result.
    """

    packing: Packing
    plan: Gathered
    template: Any

    def __call__(self, table: Any) -> Any:
        """Have pandas make them.

        Raises
        ------
        TypeError
            If a function makes something else of these groups than what was promised.
        """
        if not len(table):
            return self.template.iloc[:0]
        made = self.plan.of_groups(*self.packing.unpacked(table))
        if not len(made):  # of rows without a key alone pandas makes a result of any kind
            return self.template.iloc[:0]
        are_rows = made.index.nlevels == len(self.plan.by)  # frames would have labels of their own
        if isinstance(self.template, pd.Series) and isinstance(made, pd.DataFrame) and are_rows:
            # Series of the same labels are rows in pandas, as those of a single group are.
            made = made.stack(future_stack=True).rename(self.template.name)
        if type(made) is not type(self.template):
            raise TypeError(
                f"{self.plan.calls[-1].name} of groups was expected to give "
                f"{described(self.template)} and gave {described(made)}; say by meta= what it "
                "gives of all groups"
            )
        return made


@dataclass(frozen=True)
class WithFirst:
    """Results of groups in the order in which these come first, packed with where that is.

    Parameters
    ----------
    work : callable
        Makes one row for each group, in that order.
    keys : tuple of label
        Columns of the table.
    dropna : bool
        Whether rows without a key are in no group.
    packing : Packing
        Of the results.
    """

    work: Callable[[Any], Any]
    keys: tuple[Any, ...]
    dropna: bool
    packing: Packing

    def __call__(self, table: Any) -> Any:
        """Make and pack them."""
        return self.packing.packed(self.work(table), (), self._first_places(table))

    def _first_places(self, table: Any) -> Any:
        keys = table[list(self.keys)]
        first = ~keys.duplicated().to_numpy()
        if self.dropna:
            first &= keys.notna().all(axis=1).to_numpy()
        return self.packing.places(table)[first]


@dataclass(frozen=True)
class AppliedWithFirst(WithFirst):
    """What a function makes of each group, however many rows, in the order of `WithFirst`."""

    work: OfRows

    def __call__(self, table: Any) -> Any:
        """Make and pack them.

        Raises
        ------
        ValueError
            If it is not known which row belongs to which group.
        """
        places, counts = self._first_places(table), []
        (step,) = self.work.plan.calls
        function, *args = step.args

        def counted(rows: Any, *args: Any, **kwargs: Any) -> Any:
            made = function(rows, *args, **kwargs)
            has_rows = isinstance(made, pd.DataFrame | pd.Series)
            counts.append(len(made) if has_rows else made is not None)
            return made

        plan = replace(self.work.plan, calls=(replace(step, args=(counted, *args)),))
        made = replace(self.work, plan=plan)(table)
        if len(counts) == len(places) and sum(counts) == len(made):
            places = np.repeat(places, counts)
        elif len(made) != len(places):  # and no row for each group
            raise ValueError(f"{len(made)} rows came of {len(places)} groups, {sum(counts)} asked")
        return self.packing.packed(made, (), places)


@dataclass(frozen=True)
class RowByRow:
    """A value for each row, such as a running sum of its group, packed with where it belongs."""

    packing: Packing
    plan: Gathered
    of_result: Packing

    def __call__(self, table: Any) -> Any:
        """Have pandas make them."""
        made = self.plan.of_groups(*self.packing.unpacked(table))
        if not len(made):  # rows without a key alone: there is no group
            made = self.of_result.like.reindex(table.index)
        if len(made) != len(table):
            raise ValueError(
                f"a value for each of {len(table)} rows was asked for, and {len(made)} came out"
            )
        return self.of_result.packed(made, (), self.packing.places(table))


@dataclass(frozen=True)
class SomeRows(RowByRow):
    """Some rows of each group, such as the first ones, packed with where they belong.

    While pandas chooses, rows have numbers instead of labels, so that it is known which they are.
    """

    def __call__(self, table: Any) -> Any:
        """Have pandas choose them."""
        frame, *keys = self.packing.unpacked(table)
        numbers = pd.RangeIndex(len(table))
        calls = tuple(_labelled(each, table.index) for each in self.plan.calls)
        plan = replace(self.plan, calls=calls)
        numbered = [key.set_axis(numbers) for key in keys]
        made = plan.of_groups(frame.set_axis(numbers), *numbered)
        chosen = made.index.to_numpy()
        rows = made.set_axis(table.index.take(chosen))
        return self.of_result.packed(rows, (), self.packing.places(table)[chosen])


def _labelled(call: Call, index: Any) -> Call:
    """Have a function of groups see the labels that their rows have."""
    first, *rest = call.args or (None,)
    if not callable(first):
        return call

    def function(rows: Any, *args: Any, **kwargs: Any) -> Any:
        return first(rows.set_axis(index.take(rows.index.to_numpy())), *args, **kwargs)

    return replace(call, args=(function, *rest))


def in_place(partition: Any, table: Any, packing: Packing) -> Any:
    """Return the results of the rows of a partition.

    Raises
    ------
    ValueError
        If they are not as many.
    """
    if len(partition) != len(table):
        raise ValueError(f"{len(table)} results for {len(partition)} rows of a partition")
    return packing.rows(table)


def renumbered(partition: Any, lengths: tuple[int, ...], number: int) -> Any:
    """Return a partition whose rows are numbered as they stand among all."""
    start = int(np.sum(lengths[:number]))
    return partition.set_axis(pd.RangeIndex(start, start + len(partition)))


def cut_back(partition: Any, whole: Any, lengths: tuple[int, ...], number: int) -> Any:
    """Return the rows of one partition, of all of them.

    Raises
    ------
    ValueError
        If a function took rows away.
    """
    if sum(lengths) != len(whole):
        raise ValueError(
            f"a value for each of {sum(lengths)} rows was asked for, and {len(whole)} came out"
        )
    start = sum(lengths[:number])
    return whole.iloc[start : start + len(partition)]


def of_their_groups(results: Any, *keys: Any) -> Any:
    """Return for each row the result of its group, by one key or several."""
    library = frame_namespace(keys[0])
    if len(keys) == 1:
        labels = library.Index(keys[0])
        if not on_device(labels) and labels.dtype == object:
            labels = _with_one_null(labels)
            results = results.set_axis(_with_one_null(results.index))
    else:
        labels = library.MultiIndex.from_arrays(list(keys))
    found = results.reindex(labels)
    found.index = keys[0].index
    return found


def _with_one_null(index: Any) -> Any:
    """Return an index of objects in which all nulls are the same one, so that they are found."""
    return index.where(index.notna(), np.nan) if index.hasnans else index


def numbers_of_groups(sizes: Any, *keys: Any, ascending: bool) -> Any:
    """Return for each row the number of its group among all, whose sizes are in their order."""
    numbers = np.arange(len(sizes)) if ascending else np.arange(len(sizes))[::-1]
    own = frame_namespace(sizes).Series(array_beside(sizes, numbers), index=sizes.index)
    return of_their_groups(own, *keys)


def together(one: Any, other: Any, keys: int, order: tuple[str, ...], columns: Any) -> Any:
    """Return two tables of the same groups side by side, their results in an order of their own.

    Parameters
    ----------
    one, other : object of pandas
        With as many columns of keys first, the same ones.
    keys : int
    order : tuple of str
        Names of the results.
    columns : pandas.Index
        The labels that columns get.

    Raises
    ------
    ValueError
        If they are not of the same groups.
    """
    if len(one) != len(other):
        raise ValueError(f"results of {len(one)} and of {len(other)} groups do not belong together")
    other = other.copy(deep=False)
    other.index = one.index
    results = [(one if name in one.columns else other)[name] for name in order]
    rest = [one.iloc[:, k] for k in range(keys)]
    table = frame_namespace(one).concat([*rest, *results], axis=1)
    table.columns = columns
    return table
