"""Conditions on rows: what statistics say of them, and which rows of a frame meet them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from gpuscale.io.frames import Condition, Predicate

__all__ = ["OPERATORS", "dates_that_match", "may_match", "rows_that_match"]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def may_match(
    predicate: Predicate,
    statistics: Mapping[Any, tuple[Any, Any, int | None]],
    rows: int | None,
) -> bool:
    """Whether rows may meet a predicate, as far as the statistics of their columns tell.

    Parameters
    ----------
    predicate : Predicate
    statistics : mapping of column to (least, greatest, nulls)
    rows : int or None

    Examples
    --------
    >>> statistics = {"x": (3, 7, 0)}
    >>> may_match((("x", ">", 6),), statistics, 10), may_match((("x", "<", 3),), statistics, 10)
    (True, False)
    """
    if rows == 0:
        return False
    return all(
        condition[0] not in statistics or _may_meet(condition, statistics[condition[0]], rows)
        for condition in predicate
    )


def _may_meet(
    condition: Condition, statistics: tuple[Any, Any, int | None], rows: int | None
) -> bool:
    _, comparison, value = condition
    low, high, nulls = statistics
    if comparison in ("!=", "not in"):
        # The bounds leave out NaN, which is unequal to all; so only a null tells nothing new.
        return True
    if nulls is not None and nulls == rows:
        return comparison == "in" and any(_is_null(each) for each in value)
    try:
        if comparison == "in":
            return any(_is_null(each) or _between(low, each, high) for each in value)
        if comparison == "==":
            return _between(low, value, high)
        if comparison in ("<", "<="):
            return low is None or bool(OPERATORS[comparison](low, value))
        return high is None or bool(OPERATORS[comparison](high, value))
    except TypeError:  # values of another kind: the rows themselves say what that means
        return True


def _is_null(value: Any) -> bool:
    return value is None or bool(value != value)


def _between(low: Any, value: Any, high: Any) -> bool:
    return (low is None or bool(low <= value)) and (high is None or bool(value <= high))


def rows_that_match(frame: Any, predicate: Predicate) -> Any:
    """Return a NumPy array that is true for the rows of a pandas frame that meet a predicate.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": [1.0, None, 3.0]})
    >>> rows_that_match(frame, (("x", "!=", 1.0),)).tolist()
    [False, True, True]
    """
    import numpy as np

    met = np.ones(len(frame), bool)
    for column, comparison, value in predicate:
        each = frame[column]
        if comparison in ("in", "not in"):
            found = each.isin(list(value))
            found = ~found if comparison == "not in" else found
        else:
            found = OPERATORS[comparison](each, value)
        # Where the answer is a null, as it is for nulls of nullable dtypes, pandas takes no row.
        met &= found.to_numpy(dtype=bool, na_value=False) if found.hasnans else found.to_numpy(bool)
    return met


def dates_that_match(dates: Any, condition: Condition) -> Any:
    """Return which dates of an Arrow array meet a condition, without making objects of them.

    Nulls are unequal to all values, as in a column of objects.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> dates = pa.array([datetime.date(2024, 1, 1), None])
    >>> dates_that_match(dates, ("when", "<", datetime.date(2024, 5, 1))).tolist()
    [True, False]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    _, comparison, value = condition
    names = {"==": "equal", "!=": "not_equal", "<": "less", "<=": "less_equal"}
    names |= {">": "greater", ">=": "greater_equal"}
    met = getattr(pc, names[comparison])(dates, pa.scalar(value, pa.date32()))
    return met.fill_null(comparison == "!=").to_numpy(zero_copy_only=False)
