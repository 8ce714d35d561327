"""Frames that the library of a device has read from files itself: whether they are what was asked.

Where they are not, as with dtypes that the two libraries have in different words, the host reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.io.frames import Predicate
from gpuscale.io.predicates import OPERATORS

__all__ = ["agrees", "chosen"]


def agrees(found: Any, schema: Any) -> bool:
    """Whether columns of a device are those of a schema of pandas.

    Parameters
    ----------
    found : frame of the device's library
    schema : pandas.DataFrame
        Without rows.

    Examples
    --------
    >>> import pandas as pd
    >>> schema = pd.DataFrame({"x": [1], "name": ["a"]})[:0]
    >>> agrees(pd.DataFrame({"x": [3], "name": ["b"]}), schema), agrees(schema[["x"]], schema)
    (True, False)
    >>> agrees(pd.DataFrame({"x": [0.5], "name": ["b"]}), schema)
    False
    """
    labels = list(schema.columns)
    if list(found.columns) != labels or schema.columns.names != [None]:
        return False
    return all(_agree(found[x], schema[x]) for x in labels)


def _agree(found: Any, expected: Any) -> bool:
    import pandas as pd

    dtype = expected.dtype
    if isinstance(dtype, np.dtype):
        has_none = dtype.kind in "iub"
        return dtype.kind in "iubfmM" and found.dtype == dtype and not (has_none and found.hasnans)
    is_text = isinstance(dtype, pd.StringDtype) and dtype.na_value is np.nan
    return is_text and (found.dtype == dtype or found.dtype == object)


def chosen(frame: Any, columns: Sequence[Any], predicate: Predicate) -> Any:
    """Return some columns of the rows that meet a predicate, as pandas answers it.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": [1.0, None, 3.0], "y": [4, 5, 6]})
    >>> chosen(frame, ["y"], (("x", "!=", 1.0),)).y.tolist()
    [5, 6]
    """
    for column, comparison, value in predicate:
        if comparison in ("in", "not in"):
            met = frame[column].isin(list(value))
            met = ~met if comparison == "not in" else met
        else:
            # A null is unequal to all, and has no other answer.
            met = OPERATORS[comparison](frame[column], value).fillna(comparison == "!=")
        frame = frame[met]
    return frame[list(columns)]
