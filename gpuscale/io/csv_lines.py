"""Lines of CSV by Arrow, which lets other threads go on, where they are those of pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["csv_lines"]

_KNOWN = frozenset(("sep", "index", "header"))
_SEPARATORS = ",;|\t"
# From where to where Python writes numbers without an exponent, and Arrow does as well.
_LEAST, _MOST = 1e-4, 1e9


def csv_lines(frame: Any, options: Mapping[str, Any]) -> str | None:
    r"""Return what ``to_csv`` gives of rows, without a header; None where only pandas can tell.

    Parameters
    ----------
    frame : DataFrame or Series
    options : mapping
        Of ``to_csv``.

    Examples
    --------
    >>> csv_lines(pd.DataFrame({"x": [1.5, np.nan], "y": ["a", "b"]}), {"index": False})
    '1.5,a\n,b\n'
    >>> csv_lines(pd.DataFrame({"x": ["a,b"]}), {}) is None
    True
    """
    separator = options.get("sep", ",")
    if not isinstance(frame, pd.DataFrame | pd.Series) or not _KNOWN.issuperset(options):
        return None
    if separator not in tuple(_SEPARATORS) or not len(frame):
        return None
    table = frame.to_frame() if frame.ndim == 1 else frame
    columns = [table.iloc[:, k] for k in range(table.shape[1])]
    index = options.get("index", True)
    if index is True:
        if isinstance(table.index, pd.MultiIndex):
            return None
        columns.insert(0, table.index)
    elif index is not False:
        return None
    if len(columns) < 2:  # an empty text alone in its line is quoted
        return None
    texts: list[Any] = []
    for column in columns:
        made = _texts(column)
        if made is None:
            return None
        texts.append(made)
    texts[-1] = _joined(texts[-1], _text(""), "\n")
    rows = _joined(*texts, separator)
    *_, data = rows.buffers()  # of a new array, which has no more than its texts in a row
    return str(memoryview(data)[: pc.sum(pc.binary_length(rows)).as_py()], "utf-8")


def _joined(*texts: Any) -> Any:
    *columns, between = texts
    return pc.binary_join_element_wise(*columns, _text(between), null_handling="replace")


def _text(value: str) -> Any:
    return pa.scalar(value, pa.large_string())


def _texts(column: Any) -> Any:
    """Return the texts of the values of a column, nulls for nulls; None if pandas has to."""
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype):
        return _plain(pa.array(column, from_pandas=True))
    if not isinstance(dtype, np.dtype):
        return None
    values = column.to_numpy()
    if dtype.kind in "iu":
        return pc.cast(pa.array(values), pa.large_string())
    if dtype.kind == "b":
        return pc.if_else(pa.array(values), _text("True"), _text("False"))
    return _of_numbers(values) if dtype == np.float64 else None


def _plain(texts: Any) -> Any:
    """Return texts none of which needs quotes, or None."""
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    quoted = pc.match_substring_regex(texts, rf'["\r\n{_SEPARATORS}]')
    return None if pc.any(quoted).as_py() else pc.cast(texts, pa.large_string())


def _of_numbers(values: Any) -> Any:
    """Return the texts of numbers, as Python has them."""
    texts = pc.cast(pa.array(values, from_pandas=True), pa.large_string())
    size = np.abs(values)
    alike = (size >= _LEAST) & (size < _MOST) & (values != np.trunc(values)) | np.isnan(values)
    others = np.flatnonzero(~alike)
    if not len(others):
        return texts
    own = pa.array(list(map(repr, values[others].tolist())), pa.large_string())
    return pc.replace_with_mask(texts, pa.array(~alike), own)
