"""Dtypes that the first rows of a text have promised, kept by all others or refused."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["fits", "keep_promises"]


def fits(column: Any, expected: Any) -> bool:
    """Whether values may be said in another dtype, which the first rows have.

    Examples
    --------
    >>> import pandas as pd
    >>> fits(pd.Series([1]), np.dtype(float)), fits(pd.Series([0.5]), np.dtype(int))
    (True, False)
    """
    found = column.dtype
    if column.isna().all():  # nothing that speaks for a dtype
        return not (isinstance(expected, np.dtype) and expected.kind in "iub" and len(column))
    if not isinstance(expected, np.dtype) or not isinstance(found, np.dtype):
        return False
    if expected.kind == "O":
        return found.kind == "b"  # of which others are null
    if expected.kind == "M" and found.kind == "M":  # finer moments would be cut short
        return bool(np.promote_types(found, expected) == expected)
    return expected.kind == "f" and found.kind in "iuf"


def keep_promises(frame: Any, schema: Any) -> Any:
    """Give columns the dtypes of a schema, where their values fit.

    Raises
    ------
    ValueError
        If they do not; it names the column.

    Examples
    --------
    >>> import pandas as pd
    >>> keep_promises(pd.DataFrame({"x": ["a"]}), pd.DataFrame({"x": [1]}))
    Traceback (most recent call last):
    ...
    ValueError: column 'x' is str here, and int64 in the first rows; pass dtype={'x': 'str'}
    """
    for at, expected in enumerate(schema.dtypes):
        column = frame.iloc[:, at]
        if column.dtype == expected:
            continue
        if not fits(column, expected):
            label = schema.columns[at]
            is_null = column.isna().all()
            found = "null in all rows" if is_null else column.dtype
            raise ValueError(
                f"column {label!r} is {found} here, and {expected} in the first rows; pass "
                f"dtype={{{label!r}: {_wider(column, expected)!r}}}"
            )
        frame.isetitem(at, column.astype(expected))
    return frame


def _wider(column: Any, expected: Any) -> str:
    """Name a dtype that has values and those of the first rows."""
    import pandas as pd

    is_number = pd.api.types.is_numeric_dtype
    if pd.api.types.is_bool_dtype(expected) and _are_truths(column):
        return "boolean"
    if is_number(expected) and (is_number(column) or column.isna().all()):
        return "float64"
    is_text = isinstance(expected, pd.StringDtype) or isinstance(column.dtype, pd.StringDtype)
    return "str" if is_text else "object"


def _are_truths(column: Any) -> bool:
    """Whether values are truth values or null, or numbers that stand for these."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return bool(column.dropna().isin([0, 1]).all())
    return pd.api.types.infer_dtype(column, skipna=True) in ("boolean", "empty")
