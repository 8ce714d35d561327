"""Aggregations of groups in parts: what is kept of a group, how that combines, what comes of it.

A part is a column of partial results, such as sums. Parts of one kind are made in one pass over all
columns that need them, and a part that two aggregations need is made once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.frame_seams import table as table_of
from gpuscale.dataframe.algorithms.aggregation import Aggregation, series_of
from gpuscale.dataframe.algorithms.reductions import is_undefined

__all__ = [
    "FOLDED",
    "SUM_OF_ANY",
    "OwnRecipe",
    "Part",
    "Recipe",
    "combined",
    "in_one_pass",
    "label",
    "partials_of",
    "recipe_of",
    "widened",
    "without_twins",
]

Kind = str | Aggregation
Part = tuple[Kind, int]
"""A kind of partial result, and the number of the column that it is of."""

FOLDED = {
    **{name: name for name in ("sum", "prod", "min", "max", "first", "last", "any", "all")},
    **dict.fromkeys(("count", "size", "total"), "sum"),
}
"""Which method of pandas makes one part of several. A "total" is a sum of wide numbers."""

_OF_WIDE = {"total": "sum", "mean": "mean", "var": "var"}
"""Parts that are made of floating-point numbers, which are wide, and the method that makes them."""


@dataclass(frozen=True)
class Recipe:
    """How a result is made of parts.

    Parameters
    ----------
    parts : tuple of str
    make : callable
        Called with the parts of a column, and with ``ddof`` where that is one.
    ddof : int, optional
    """

    parts: tuple[str, ...]
    make: Callable[..., Any]
    ddof: int | None = None

    def result(self, parts: Any, number: int) -> Any:
        """Return the results of a column, of a frame of parts."""
        options = () if self.ddof is None else (self.ddof,)
        return self.make(*(parts[label(part, number)] for part in self.parts), *options)


@dataclass(frozen=True)
class OwnRecipe:
    """How a result is made of what an aggregation of the user keeps."""

    aggregation: Aggregation

    @property
    def parts(self) -> tuple[Aggregation]:
        """The one kind of parts that it is made of, of as many series as there are."""
        return (self.aggregation,)

    def result(self, parts: Any, number: int) -> Any:
        """Return the results of a column, of a frame of parts."""
        return self.aggregation.result([parts[name] for name in _own(parts, *self.parts, number)])


def _own(table: Any, kind: Aggregation, number: int) -> list[str]:
    """Names of the columns that an aggregation of the user has made."""
    start = f"{label(kind.name, number)}."
    return [name for name in table.columns if str(name).startswith(start)]


def _named(kind: Aggregation, number: int, made: Any, grouped: Any) -> dict[str, Any]:
    """Name what an aggregation of the user has made, each with the groups in their order."""
    groups = grouped.size().index
    series = [e if e.index.equals(groups) else e.reindex(groups) for e in series_of(made)]
    return {f"{label(kind.name, number)}.{k}": each for k, each in enumerate(series)}


def label(part: str, number: int) -> str:
    """Name of the column of a part.

    Examples
    --------
    >>> label("sum", 0)
    'sum 0'
    """
    return f"{part} {number}"


# ------------------------------------------------------------------ parts of values


def partials_of(
    columns: Mapping[int, Any],
    keys: Mapping[str, Any],
    parts: Sequence[Part],
    group: Callable[[Any], Any],
) -> Any:
    """Make parts of the values of each group: a frame with a row for each.

    Parameters
    ----------
    columns : mapping of int to series
    keys : mapping of str to series
        In the result they are columns of these names.
    parts : sequence of (str, int)
    group : callable
        Groups a frame by the keys in it.
    """
    wanted = {n for kind, n in parts if kind in _OF_WIDE}
    wide = {n: label("wide", n) for n in wanted if columns[n].dtype != np.float64}
    table: dict[Any, Any] = {**keys, **columns}
    table.update({name: widened(columns[n]) for n, name in wide.items()})
    grouped = group(table_of(next(iter(keys.values())), table))
    rest, twice = without_twins(columns, parts)
    found: dict[str, Any] = {}
    for kind, numbers in _by_kind(rest).items():
        if isinstance(kind, Aggregation):
            for n in numbers:
                found.update(_named(kind, n, kind.chunk(grouped[n]), grouped))
            continue
        if kind == "size":
            found[label("size", 0)] = grouped.size()
            continue
        of_wide = kind in _OF_WIDE
        names = [wide.get(n, n) for n in numbers] if of_wide else numbers
        options = {"ddof": 0} if kind == "var" else {}
        made = getattr(grouped[names], _OF_WIDE.get(kind, kind))(**options)
        found.update({label(kind, n): made[name] for n, name in zip(numbers, names, strict=True)})
    found.update({label("total", n): found[label("sum", n)] for n in twice})
    return _aside(found).reset_index()


def _aside(columns: Mapping[str, Any]) -> Any:
    """Return a table of columns, at least one."""
    return table_of(next(iter(columns.values())), columns)


def widened(column: Any) -> Any:
    """Return a column in wide floating-point numbers."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return column if dtype.kind == "c" else column.astype(np.float64)
    if isinstance(dtype, pd.ArrowDtype):
        return column.astype("double[pyarrow]")
    return column.astype("Float64")


# ------------------------------------------------------------------ parts of parts


def combined(table: Any, parts: Sequence[Part], group: Callable[[Any], Any]) -> Any:
    """Make one part of several of each group; keys are the index of the result."""
    table = table.reset_index(drop=True)  # rows that met in a shuffle have each other's labels
    grouped = group(table)
    found: dict[str, Any] = {}
    for kind, numbers in _by_kind(parts).items():
        if isinstance(kind, Aggregation):
            by_index = group(table.set_index(_keys(table)))  # which functions may look at
            for number in numbers:
                again = (by_index[name] for name in _own(table, kind, number))
                found.update(_named(kind, number, kind.agg(*again), grouped))
        elif kind in FOLDED:
            for labels, options in _foldings(table, kind, numbers):
                made = getattr(grouped[labels], FOLDED[kind])(**options)
                found.update({each: made[each] for each in labels})
        elif kind == "var":
            for number in numbers:
                found.update(_merged(table, grouped, group, number))
    return _aside(found)


def _foldings(
    table: Any, kind: str, numbers: list[int]
) -> Iterator[tuple[list[str], dict[str, bool]]]:
    """Yield columns of parts with the options they are folded with.

    NaN is a sum, as that of infinities of both signs is, and no missing value.
    """
    labels = [label(kind, number) for number in numbers]
    undefined = [each for each in labels if is_undefined(table[each], FOLDED[kind])]
    others = [each for each in labels if each not in undefined]
    if others:
        yield others, {}
    if undefined:
        yield undefined, {"skipna": False}


def _merged(table: Any, grouped: Any, group: Callable[[Any], Any], number: int) -> dict[str, Any]:
    """Means and variances of groups from those of their parts.

    As Chan, Golub and LeVeque do: what is squared is the distance from a value that is near, here
    the mean of the first part, so that nothing cancels.
    """
    count, mean, var = (table[label(part, number)] for part in ("count", "mean", "var"))
    near = grouped[label("mean", number)].transform("first")
    away = (mean - near).fillna(0)
    sums = _aside(
        {
            "count": count,
            "away": count * away,
            "squares": (count * var).fillna(0) + count * away**2,
            "undefined": (count > 0) & var.isna(),  # as of infinities
        }
    )
    total = group(table.drop(columns=table.columns.difference(_keys(table))).join(sums))
    first, total = grouped[label("mean", number)].first(), total.sum()
    n = total["count"].where(total["count"] > 0)
    shift = total["away"] / n
    squares = total["squares"] - shift * total["away"]
    squares = squares.where(total["undefined"] == 0, np.nan)
    return {label("mean", number): first + shift, label("var", number): squares / n}


def _keys(table: Any) -> list[str]:
    return [name for name in table.columns if name.startswith("key")]


def without_twins(
    columns: Mapping[int, Any], parts: Sequence[Part]
) -> tuple[list[Part], list[int]]:
    """Return parts but the totals that are sums already, and the columns of these.

    Examples
    --------
    >>> without_twins({0: pd.Series([0.5]), 1: pd.Series([1])}, [("sum", 0), ("total", 0)])
    ([('sum', 0)], [0])
    """
    sums = {n for kind, n in parts if kind == "sum" and columns[n].dtype == np.float64}
    twice = [n for kind, n in parts if kind == "total" and n in sums]
    return [part for part in parts if part[0] != "total" or part[1] not in twice], twice


def in_one_pass(parts: Sequence[Part]) -> list[Part]:
    """Return parts in the order in which `partials_of` has them: those of one kind together.

    Examples
    --------
    >>> in_one_pass([("sum", 0), ("min", 0), ("sum", 1)])
    [('sum', 0), ('sum', 1), ('min', 0)]
    """
    return [(kind, number) for kind, numbers in _by_kind(parts).items() for number in numbers]


def _by_kind(parts: Sequence[Part]) -> dict[Kind, list[int]]:
    kinds: dict[Kind, list[int]] = {}
    for kind, number in parts:
        kinds.setdefault(kind, []).append(number)
    return kinds


# ------------------------------------------------------------------ results of parts


def _itself(part: Any) -> Any:
    return part


def _mean(total: Any, count: Any) -> Any:
    return total / count.where(count > 0)


def _sum_of_any(own: Any, wide: Any) -> Any:
    is_float = own.dtype == np.float64
    return wide if is_float else own


def _var(count: Any, mean: Any, var: Any, ddof: int) -> Any:
    return (var * count / (count - ddof)).where(count > ddof)


def _std(*parts_and_ddof: Any) -> Any:
    return _var(*parts_and_ddof) ** 0.5


def _sem(count: Any, *rest: Any) -> Any:
    return _std(count, *rest) / count**0.5


_SPREADS: dict[str, Callable[..., Any]] = {"var": _var, "std": _std, "sem": _sem}


SUM_OF_ANY = Recipe(("sum", "total"), _sum_of_any)
"""Of integers that may be floating-point numbers elsewhere, of which pandas has no integers left:
sums of integers may overflow, so those of floating-point numbers are kept beside."""


def recipe_of(name: Kind, dtype: Any, ddof: int = 1) -> Recipe | OwnRecipe | None:
    """Return how an aggregation of pandas is made of parts; None if it is not.

    Parameters
    ----------
    name : str or Aggregation
    dtype : dtype
        Of the column. Dates have no sums, so their means are no matter of parts.
    ddof : int
        For ``var``, ``std`` and ``sem``.

    Examples
    --------
    >>> recipe_of("mean", np.dtype("int64")).parts
    ('total', 'count')
    >>> recipe_of("median", np.dtype("int64")) is None
    True
    """
    if isinstance(name, Aggregation):
        return OwnRecipe(name)
    is_number = getattr(dtype, "kind", "O") in "iufcb"
    if name in FOLDED and name != "total":
        return Recipe((name,), _itself)
    if name == "mean" and is_number:
        return Recipe(("total", "count"), _mean)
    if name in _SPREADS and is_number and dtype.kind != "c":
        return Recipe(("count", "mean", "var"), _SPREADS[name], ddof)
    return None
