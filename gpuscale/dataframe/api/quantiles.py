"""Quantiles, medians, and what describes a frame: of all rows in one task, or in two passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.ranks import Brackets, Near, Shares
from gpuscale.dataframe.api.aggregating import aggregate
from gpuscale.dataframe.api.counting import whole
from gpuscale.dataframe.api.reductions import of_columns, reduction
from gpuscale.dataframe.by_memory import by_memory
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import emptied, nonempty, of_numbers_made_up
from gpuscale.dataframe.passes import another_pass, is_large

__all__: list[str] = []


@by_memory
def quantile(x: Any, q: Any, numeric_only: bool, options: dict[str, Any]) -> Any:
    """Return exact quantiles."""
    if not np.all((np.asarray(q) >= 0) & (np.asarray(q) <= 1)):
        raise ValueError(f"percentiles should all be in the interval [0, 1], not {q!r}")
    if x.ndim == 2 and numeric_only:
        x = of_columns(x, pd.api.types.is_numeric_dtype)
    template = of_numbers_made_up(lambda made: made.quantile(q, **options), x._meta)
    method = options.get("interpolation", "linear")
    if options.get("method", "single") != "single" or not _goes_in_passes(x, True):
        return whole(x, "quantile", q=q, **options)
    return _in_passes(x, Shares(tuple(map(float, np.atleast_1d(q))), method), template)


@by_memory
def median(x: Any, skipna: bool, numeric_only: bool) -> Any:
    """Return exact medians."""
    if numeric_only:
        x = of_columns(x, pd.api.types.is_numeric_dtype)
    template = of_numbers_made_up(lambda made: made.median(skipna=skipna), x._meta)
    if not skipna or not _goes_in_passes(x, False):
        return whole(x, "median", skipna=skipna)
    return _in_passes(x, Shares((0.5,), "median"), template)


@by_memory
def describe(x: Any, options: dict[str, Any]) -> Any:
    """Return counts, means, deviations and quantiles."""
    include, exclude = options.get("include"), options.get("exclude")
    given = {name: value for name, value in options.items() if value is not None}
    like = nonempty(x._meta).describe(**given)
    if x.ndim == 2 and include is None and exclude is None:
        x = x[list(like.columns)]
    described = _described_in_passes(x) if set(given) <= {"percentiles"} else []
    if not described:
        return whole(x, "describe", **given)
    shares = [float(each[:-1]) / 100 for each in like.index if each.endswith("%")]
    if given.get("percentiles") is not None:  # which have labels that are rounded
        shares = sorted({*map(float, given["percentiles"])})
    if len(shares) + 5 != len(like):  # a median that pandas adds, or leaves out
        return whole(x, "describe", **given)
    quantiles = [quantile(each, shares, False, {}) for each in described]
    args = (*quantiles, aggregate(x, list(_BESIDE), 0, (), {}))
    function = Described(like.index)
    return call(function, args, None, "describe", "new", emptied(like), args[1:])


_BESIDE = ("count", "mean", "std", "min", "max")  # quantiles, in one pass


def _described_in_passes(x: Any) -> list[Any]:
    """Return what has quantiles of its own in two passes: a frame, or each column by itself.

    Columns of several dtypes would be made into one for quantiles of all of them.
    """
    if _goes_in_passes(x, True, "iuf"):
        return [x]
    if x.ndim == 1 or not x.columns.is_unique or not _goes_in_passes(x, False, "iuf"):
        return []
    return [x[label] for label in x.columns]


@dataclass(frozen=True)
class Described:
    """Puts quantiles, and what stands before and after them, under pandas' labels."""

    labels: Any

    def __call__(self, *results: Any) -> Any:
        """Put them together: quantiles of all columns, or of each, and what stands beside them."""
        *own, beside = results
        quantiles = own[0] if len(own) == 1 else pd.concat(own, axis=1)
        *before, greatest = (beside.loc[name] for name in _BESIDE)
        if isinstance(quantiles, pd.Series):
            rows = [*before, *quantiles, greatest]
            return pd.Series(rows, index=self.labels, name=quantiles.name, dtype=float)
        rows = [*before, *(row for _, row in quantiles.iterrows()), greatest]
        return pd.DataFrame([row.astype(float) for row in rows]).set_axis(self.labels)


def _goes_in_passes(x: Any, is_together: bool, kinds: str = "iufmM") -> bool:
    """Whether rows are too many for one task, and columns are of dtypes that go in two passes."""
    if not is_large(x.expr):
        return False
    dtypes = _dtypes(x)
    plain = all(isinstance(each, np.dtype) and each.kind in kinds for each in dtypes)
    masked = all(str(each)[:3] in ("Int", "UIn") for each in dtypes) and len({*dtypes}) == 1
    same = len({*dtypes}) == 1 or {each.kind for each in dtypes} <= {"i", "f"}
    return bool(dtypes) and (plain and (same or not is_together) or masked and kinds != "iuf")


def _dtypes(x: Any) -> list[Any]:
    return list(x.dtypes) if x.ndim == 2 else [x.dtype]


def _in_passes(x: Any, shares: Shares, template: Any) -> Any:
    dtypes: Sequence[Any] = _dtypes(x)
    mixed = shares.method != "median" and len({*dtypes}) > 1
    dtype = np.result_type(*dtypes) if mixed else None  # as pandas makes rows of columns
    parts, rows = x.npartitions, sum(x.expr.meta.projected)
    first = Brackets(shares, max(1, isqrt(rows // (2 * parts))), dtype)
    nothing = first.finalize(first.chunk(nonempty(x._meta)))
    brackets = wrap(reduction((another_pass(x.expr),), first, "brackets", nothing))
    second = Near(shares, tuple(dtypes), template, dtype)
    label = "median" if shares.method == "median" else "quantile"
    return wrap(reduction((x.expr, brackets.expr), second, label, template))
