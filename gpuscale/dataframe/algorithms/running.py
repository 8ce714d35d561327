"""Running results: each partition needs one row of all before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpuscale.backends.seams import backend_name
from gpuscale.backends.transfer import to_device
from gpuscale.dataframe.algorithms.columns import columns_of, concat
from gpuscale.dataframe.algorithms.reductions import folded, is_undefined, refolded

__all__ = ["CUMULATIVE", "Before", "continued"]

CUMULATIVE = {"cumsum": "sum", "cumprod": "prod", "cummin": "min", "cummax": "max"}


@dataclass(frozen=True)
class Before:
    """For each partition, the row in which all partitions before it come together.

    Parameters
    ----------
    name : {"cumsum", "cumprod", "cummin", "cummax", "ffill", "bfill"}
        For "bfill" it is those behind it.
    skipna : bool
    """

    name: str
    skipna: bool = True

    def chunk(self, partition: Any) -> list[list[Any]]:
        """Return what each column of the partition comes to: a series of one element, or none."""
        return [[self._total(each) for each in columns_of(partition)]]

    def combine(self, partials: list[list[list[Any]]]) -> list[list[Any]]:
        """Put them in a row."""
        return [total for partial in partials for total in partial]

    def finalize(self, totals: list[list[Any]]) -> list[Any]:
        """Combine those before each."""
        backwards = self.name == "bfill"
        ordered = totals[::-1] if backwards else totals
        found: list[Any] = [None]
        for each in ordered[:-1]:
            found.append(each if found[-1] is None else self._both(found[-1], each))
        return found[::-1] if backwards else found

    def _total(self, column: Any) -> Any:
        if self.name in CUMULATIVE:
            return folded(column, CUMULATIVE[self.name], self.skipna)
        there = column[column.notna()]
        return (there.iloc[-1:] if self.name == "ffill" else there.iloc[:1]).reset_index(drop=True)

    def _both(self, before: list[Any], own: list[Any]) -> list[Any]:
        if self.name not in CUMULATIVE:
            return [new if len(new) else old for old, new in zip(before, own, strict=True)]
        joined = (concat(pair, ignore_index=True) for pair in zip(before, own, strict=True))
        return [refolded(each, CUMULATIVE[self.name], self.skipna) for each in joined]


def continued(
    partition: Any, before: list[Any], number: int, name: str, options: tuple[tuple[str, Any], ...]
) -> Any:
    """Return the running result of a partition, going on from what is before it."""
    rows = before[number]
    call: Callable[[Any], Any] = lambda column: getattr(column, name)(**dict(options))  # noqa: E731
    if rows is None or not len(partition):
        return call(partition)
    if partition.ndim == 1:
        return _continued(partition, rows[0], name, call)
    columns = [
        _continued(column, row, name, call)
        for column, row in zip(columns_of(partition), rows, strict=True)
    ]
    result = concat(columns, axis=1)
    result.columns = partition.columns
    return result


def _continued(column: Any, row: Any, name: str, call: Callable[[Any], Any]) -> Any:
    if not len(row):
        return call(column)
    row = to_device(row, backend_name(column))
    values = column.reset_index(drop=True)
    if values.dtype != row.dtype:
        values = values.astype(row.dtype)
    if name == "bfill":
        result = call(concat([values, row], ignore_index=True)).iloc[: len(column)]
    elif is_undefined(row, CUMULATIVE.get(name, name)):
        result = values.where(values.isna())
    else:
        result = call(concat([row, values], ignore_index=True)).iloc[len(row) :]
    result.index, result.name = column.index, column.name
    return result
