"""Two ways to group rows that lie in parts.

`Aggregates` keeps a row of partial results for each group, `Gathered` all rows: what has no
partial results, like a median or a function of a user, is left to pandas in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from gpuscale.backends.frame_seams import table
from gpuscale.dataframe.algorithms.aggregates import OwnRecipe, Part, Recipe, combined, partials_of
from gpuscale.dataframe.algorithms.aggregation import Aggregation
from gpuscale.dataframe.algorithms.columns import columns_of, concat
from gpuscale.dataframe.algorithms.group_places import key_label
from gpuscale.dataframe.algorithms.keys_in_order import aggregated_by_numbers
from gpuscale.dataframe.algorithms.kinds import TEXT, TEXTS, kind
from gpuscale.dataframe.algorithms.numbered_groups import (
    combined_by_number,
    parts_by_number,
    parts_in_order,
)
from gpuscale.dataframe.algorithms.ordered_groups import combined_in_order
from gpuscale.dataframe.algorithms.single_rows import are_single, parts_of_rows
from gpuscale.dataframe.algorithms.texts import in_one_piece
from gpuscale.dataframe.algorithms.whole import AllRows
from gpuscale.dataframe.minding import minds_kinds
from gpuscale.expr.frames import FrameMeta

__all__ = ["Aggregates", "Call", "Gathered", "Options"]


@dataclass(frozen=True)
class Options:
    """What ``groupby`` takes beside the keys."""

    sort: bool = True
    observed: bool = True
    dropna: bool = True
    as_index: bool = True
    group_keys: bool = True

    def of_parts(self) -> dict[str, Any]:
        """Return those by which parts are grouped: all rows count, groups come as their rows do.

        Rows without a key are dropped in the end: with categories, their other keys make groups.
        """
        return {"sort": False, "observed": True, "dropna": False}

    def of_all(self) -> dict[str, Any]:
        """Return those that say which groups there are, and in which order."""
        return {"sort": self.sort, "observed": self.observed, "dropna": self.dropna}


_EVEN = {
    *("sum", "min", "max", "first", "last", "any", "all", "count", "size"),
    *("total", "mean", "var"),
}
"""Parts that come of numbers alone, whatever their dtypes in each partition."""


def _texts(categories: Any, dtype: Any) -> Any:
    """Return texts that were read as categories; pandas' own cast would make objects of them."""
    if not isinstance(categories.dtype, pd.CategoricalDtype):
        return categories  # objects, of which what has no rows promised texts
    distinct = categories.categories.astype(dtype).array
    return distinct.take(categories.codes, allow_fill=True)


def _together(partials: list[Any]) -> Any:
    return concat(partials, ignore_index=True) if len(partials) > 1 else partials[0]


def _needs_of_rows(sizes: Sequence[int]) -> tuple[int, int]:
    """Bytes of rows of several parts together, and of what grouping them takes, at the most."""
    return sum(sizes), 2 * sum(sizes)


@dataclass(frozen=True)
class Aggregates:
    """Columns of results, each by its recipe; partials are frames with a row for each group.

    Parameters
    ----------
    options : Options
    keys : int
        How many keys there are.
    recipes : tuple of (int, Recipe or OwnRecipe)
        For each column of the result the number of the column that it is made of.
    template : pandas.DataFrame or pandas.Series
        A result with the right columns, dtypes, and names of the index.
    """

    options: Options
    keys: int
    recipes: tuple[tuple[int, Recipe | OwnRecipe], ...]
    template: Any
    data_decide: ClassVar[bool] = True

    def minds(self, metas: Sequence[FrameMeta]) -> bool:
        """Whether it matters what dtypes partitions have, as those of products do."""
        kinds = {kind for kind, _ in self._parts}
        return not kinds <= _EVEN or any(map(minds_kinds, metas[1:]))

    def chunk(self, frame: Any, *keys: Any) -> Any:
        """Group one partition; of keys that have other rows, those count that it has."""
        index = frame.index
        own = [key if key.index.equals(index) else key.reindex(index) for key in keys]
        named = dict(zip(self._labels, own, strict=True))
        columns = dict(enumerate(columns_of(frame)))
        table = self._partial(columns, named)
        for name, dtype in zip(self._labels, self._key_dtypes, strict=True):
            if isinstance(dtype, pd.StringDtype) and table[name].dtype != dtype:
                table[name] = _texts(table[name].array, dtype)
            elif named[name].dtype == object and table[name].dtype != object:
                # Of what groups had pandas makes truths, or numbers where all were nulls.
                table[name] = table[name].astype(object)
        return table

    def combine(self, partials: list[Any]) -> Any:
        """Group the groups of neighbours."""
        table = _together(partials)
        made = combined_by_number(table, self._labels, self._parts)
        if made is not None:
            return made
        if are_single([table[name] for name in self._labels], {}):
            return table
        return combined(table, self._parts, self._grouped).reset_index()

    def of_parts(self, partials: list[Any]) -> Any:
        """Make the results of the last partials, whose groups are grouped but once."""
        return self.finalize(_together(partials))

    def finalize(self, partial: Any) -> Any:
        """Order the groups as users want them, and make the results of what is kept of each."""
        options = self.options
        parts = parts_in_order(partial, self._labels, self._parts)
        if parts is None and options.sort:
            parts = combined_in_order(partial, self._labels, self._parts, options.dropna)
        if parts is None:
            given = options.of_all()
            parts = combined(partial, self._parts, lambda t: t.groupby(self._labels, **given))
        return self._dressed([recipe.result(parts, number) for number, recipe in self.recipes])

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of a partial of some others, and of what making it takes."""
        return _needs_of_rows(sizes)

    def _partial(self, columns: dict[int, Any], keys: dict[str, Any]) -> Any:
        parts, keys = self._parts, {name: in_one_piece(key) for name, key in keys.items()}
        has_own = any(isinstance(kind, Aggregation) for kind, _ in parts)
        if has_own or not are_single(list(keys.values()), columns):
            made = parts_by_number(columns, keys, parts) if self._are_texts(keys) else None
            return partials_of(columns, keys, parts, self._grouped) if made is None else made
        first = {number: each.iloc[:1] for number, each in columns.items()}
        key = {name: each.iloc[:1] for name, each in keys.items()}
        like = partials_of(first, key, parts, self._grouped)
        return parts_of_rows(columns, keys, parts, like)

    def _are_texts(self, keys: dict[str, Any]) -> bool:
        """Whether keys that come as categories are texts, whose categories mean nothing more."""
        return not any(
            isinstance(key.dtype, pd.CategoricalDtype) and not isinstance(dtype, pd.StringDtype)
            for key, dtype in zip(keys.values(), self._key_dtypes, strict=True)
        )

    @property
    def _labels(self) -> list[str]:
        return [key_label(k) for k in range(self.keys)]

    @property
    def _parts(self) -> list[Part]:
        parts: list[Part] = [(p, number) for number, recipe in self.recipes for p in recipe.parts]
        return list(dict.fromkeys(parts))

    @property
    def _key_dtypes(self) -> list[Any]:
        index = self.template.index
        if not self.options.as_index:
            return list(self.template.dtypes)[: self.keys]
        return list(index.dtypes) if isinstance(index, pd.MultiIndex) else [index.dtype]

    def _grouped(self, table: Any) -> Any:
        return table.groupby(self._labels, **self.options.of_parts())

    def _dressed(self, columns: list[Any]) -> Any:
        template = self.template
        if isinstance(template, pd.Series):
            (column,) = columns
            column = _typed(column, template.dtype)
            column = column.rename(template.name)
            column.index = column.index.set_names(template.index.names)
            return column
        dtypes = list(template.dtypes)[template.shape[1] - len(columns) :]
        typed = [_typed(c, dtype) for c, dtype in zip(columns, dtypes, strict=True)]
        result = table(typed[0], dict(enumerate(typed)))
        if self.options.as_index:
            result.index.names = template.index.names
        else:
            result = result.reset_index()
        result.columns = template.columns
        return result


def _typed(column: Any, dtype: Any) -> Any:
    """Give means of small floats, say, their dtype: what they are made of was wider.

    Sizes of groups are nullable integers in pandas where the column is. Products of small integers
    are as small only where all of them fit. The least of objects are texts where all of them are.
    """
    if dtype == TEXT and column.dtype == object and (not len(column) or kind(column) == TEXTS):
        return column.astype(TEXT)
    if column.dtype != dtype and column.dtype.kind == dtype.kind and dtype.kind in "fi":
        typed = column.astype(dtype)
        return typed if dtype.kind == "f" or (typed == column).all() else column
    return column


@dataclass(frozen=True)
class Call:
    """A method of groups, or of what one of these gives: ``rolling(3)``, and then ``mean()``."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    def __call__(self, owner: Any) -> Any:
        """Call it."""
        return getattr(owner, self.name)(*self.args, **dict(self.kwargs))


@dataclass(frozen=True)
class Gathered(AllRows):
    """All rows in one place, where pandas groups them.

    Parameters
    ----------
    by : tuple
        For each key the name of its column, or None where it is a series of its own.
    selection : list, label or None
        Columns of the result.
    options : Options
    calls : tuple of Call
        What is asked of the groups.
    may_vary : bool
        Whether rows may be in no group, and get nulls.
    """

    by: tuple[Any, ...]
    selection: Any
    options: Options
    calls: tuple[Call, ...]
    may_vary: bool = False
    data_decide: ClassVar[bool] = True

    @property
    def keeps_labels(self) -> bool:
        """Whether rows of the groups come out as they are, under their labels."""
        return self.calls[-1].name in ("head", "tail", "nth", "filter", "sample")

    def finalize(self, partial: tuple[Any, ...]) -> Any:
        """Ask pandas."""
        return self.of_groups(*partial)

    def of_groups(self, frame: Any, *keys: Any) -> Any:
        """Group rows, and make the calls."""
        own = iter(keys)
        by = [next(own) if name is None else name for name in self.by]
        options = self.options
        if options.sort and options.as_index and len(self.calls) == 1 and not self.calls[0].args:
            name, given = self.calls[0].name, dict(self.calls[0].kwargs)
            made = aggregated_by_numbers(frame, by, self.selection, name, given)
            if made is not None:
                return made
        grouped = frame.groupby(
            by if len(by) > 1 else by[0],
            as_index=options.as_index,
            group_keys=options.group_keys,
            **options.of_all(),
        )
        found = grouped if self.selection is None else grouped[self.selection]
        for each in self.calls:
            found = each(found)
        return found

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of a partial of some others, and of what making it takes."""
        return _needs_of_rows(sizes)
