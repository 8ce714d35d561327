"""Groups of rows that pandas aggregates by numbers of their keys, which are in the order of these.

Whole numbers in a small range, and texts, are numbered by a table. pandas hashes each key, and what
it has found again, which takes about as long as a median.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gpuscale.backends.seams import on_device
from gpuscale.dataframe.algorithms.columns import selected
from gpuscale.dataframe.algorithms.ordered_groups import numbered_in_order

__all__ = ["aggregated_by_numbers"]

_A_ROW_EACH = frozenset(
    {
        *("median", "nunique", "sum", "prod", "min", "max", "mean", "var", "std", "sem"),
        *("count", "first", "last", "any", "all"),
    }
)


def aggregated_by_numbers(
    frame: Any, by: Sequence[Any], selection: Any, name: str, options: Mapping[str, Any]
) -> Any | None:
    """Return what a method of groups gives, in the order of the keys; None where pandas is to say.

    Parameters
    ----------
    frame : pandas.DataFrame or pandas.Series
    by : sequence of label or series
        Columns of the frame, or what is beside it.
    selection : list, label or None
        Columns of the result.
    name : str
    options : mapping
        Those of ``agg`` are names of results.

    Examples
    --------
    >>> frame = pd.DataFrame({"k": [7, 5] * 50_000, "v": range(100_000)})
    >>> aggregated_by_numbers(frame, ["k"], "v", "median", {}).to_dict()
    {5: 50000.0, 7: 49999.0}
    """
    if on_device(frame) or not _is_plain(name, options, by):
        return None
    keys = [each if isinstance(each, pd.Series) else frame[each] for each in by]
    labels = [each for each in by if not isinstance(each, pd.Series)]
    if any(type(key) is not pd.Series or not key.index.equals(frame.index) for key in keys):
        return None
    chosen = selection if isinstance(selection, list) else [selection]
    if selection is not None and any(each in labels for each in chosen):
        return None
    numbered = numbered_in_order(keys, [key.name for key in keys])
    if numbered is None:
        return None
    ids, index = numbered
    if labels:
        frame = selected(frame, [each for each in frame.columns if each not in labels])
    categories = pd.CategoricalDtype(pd.RangeIndex(len(index)))
    groups = pd.Categorical.from_codes(ids, dtype=categories, validate=False)
    grouped = frame.groupby(groups, observed=False)
    found = getattr(grouped if selection is None else grouped[selection], name)(**options)
    found.index = index
    return found


def _is_plain(name: str, options: Mapping[str, Any], by: Sequence[Any]) -> bool:
    """Whether it is one aggregation, or a few of columns that are no keys."""
    if name != "agg":
        return name in _A_ROW_EACH and not options
    labels = [each for each in by if not isinstance(each, pd.Series)]
    pairs = [("", each) if isinstance(each, str) else each for each in options.values()]
    return bool(pairs) and all(
        isinstance(each, tuple)
        and each[0] not in labels
        and isinstance(each[1], str)
        and each[1] in _A_ROW_EACH
        for each in pairs
    )
