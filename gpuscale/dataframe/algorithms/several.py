"""Several reductions in one pass, and their values under the labels that pandas gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpuscale.dataframe.algorithms.columns import columns_of
from gpuscale.dataframe.minding import minds
from gpuscale.expr.frames import FrameMeta

__all__ = ["Labels", "Several", "Together", "replaced"]


def replaced(spec: Any, function: Callable[[str], Any]) -> Any:
    """Return what ``agg`` was given, with something else for each name of a reduction.

    Examples
    --------
    >>> replaced({"x": ["sum", "max"], "y": "mean"}, str.upper)
    {'x': ['SUM', 'MAX'], 'y': 'MEAN'}
    >>> replaced({"most": ("x", "max")}, str.upper)
    {'most': ('x', 'MAX')}
    """
    if isinstance(spec, str):
        return function(spec)
    if isinstance(spec, list):
        return [replaced(each, function) for each in spec]
    if isinstance(spec, tuple):
        column, name = spec
        return column, function(name)
    return {label: replaced(each, function) for label, each in spec.items()}


class _Known:
    """What pandas takes for a function of columns, though their values are there already."""

    def __init__(self, name: str, values: dict[tuple[Any, str], Any]) -> None:
        self.__name__, self._values = name, values

    def __call__(self, column: Any) -> Any:
        key = (column.name, self.__name__)
        return self._values[key if key in self._values else (None, self.__name__)]


@dataclass(frozen=True)
class Labels:
    """Puts the values of reductions where ``agg`` of pandas has them.

    Parameters
    ----------
    frame : pandas.DataFrame or pandas.Series
        What is reduced, without rows.
    spec : list or mapping
        Names of reductions, as ``agg`` takes them.
    is_named : bool
        Whether the mapping has names of results.
    wanted : tuple of (label or None, str)
        Columns and reductions of the values, in their order; of a series, None.
    template : pandas.DataFrame or pandas.Series
        A result of the right dtypes.
    """

    frame: Any
    spec: Any
    is_named: bool
    wanted: tuple[tuple[Any, str], ...]
    template: Any

    def __call__(self, values: list[Any]) -> Any:
        """Have pandas aggregate by functions that know what comes out."""
        known = dict(zip(self.wanted, values, strict=True))
        spec = replaced(self.spec, lambda name: _Known(name, known))
        result = self.frame.agg(**spec) if self.is_named else self.frame.agg(spec)
        if isinstance(result, pd.Series):
            return result
        dtypes = zip(result.dtypes, self.template.dtypes, strict=True)
        kept = [k for k, (found, wanted) in enumerate(dtypes) if _is_kept(found, wanted)]
        columns = dict(enumerate(columns_of(result)))
        for k in kept:
            columns[k] = columns[k].astype(self.template.dtypes.iloc[k])
        return pd.concat(list(columns.values()), axis=1) if kept else result


def _is_kept(found: Any, wanted: Any) -> bool:
    """Whether a column has a dtype of its own, which values one by one do not tell."""
    if isinstance(wanted, pd.api.extensions.ExtensionDtype):
        return found != wanted and pd.api.types.is_numeric_dtype(wanted)
    return bool(found != wanted and found.kind == wanted.kind and wanted.kind in "mM")


@dataclass(frozen=True)
class Several:
    """Reductions of columns of one frame; a partial has one of each.

    Parameters
    ----------
    plans : tuple of (int, Blueprint)
        Of which column each is.
    finish : callable
        Makes the result of all values.
    """

    plans: tuple[tuple[int, Any], ...]
    finish: Callable[[list[Any]], Any]

    def minds(self, metas: Sequence[FrameMeta]) -> bool:
        """Whether one of them minds what dtypes partitions have."""
        return any(minds(plan, (), {}, metas) for _, plan in self.plans)

    def chunk(self, partition: Any) -> list[Any]:
        """Reduce one partition."""
        columns = columns_of(partition)
        return [plan.chunk(columns[k]) for k, plan in self.plans]

    def combine(self, partials: list[list[Any]]) -> list[Any]:
        """Combine each with its like."""
        return [
            plan.combine(list(each))
            for (_, plan), each in zip(self.plans, zip(*partials, strict=True), strict=False)
        ]

    def finalize(self, partial: list[Any]) -> Any:
        """Make the values, and of these the result."""
        pairs = zip(self.plans, partial, strict=True)
        return self.finish([plan.finalize(each) for (_, plan), each in pairs])


@dataclass(frozen=True)
class Together:
    """What becomes of values that are there, of some a tuple of others.

    Parameters
    ----------
    finish : callable
        Makes the result of all values.
    """

    finish: Callable[[list[Any]], Any]

    def chunk(self, place: Any, values: tuple[Any, ...], *others: Any) -> list[Any]:
        """Put them in a row."""
        return [*values, *others]

    def combine(self, partials: list[list[Any]]) -> list[Any]:
        """Keep the only ones that there are."""
        (partial,) = partials
        return partial

    def finalize(self, partial: list[Any]) -> Any:
        """Make the result."""
        return self.finish(partial)
