"""Different texts of a column by a compiled table of hashes, and where each comes first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpuscale.codegen.groups import number_texts, pays

__all__ = ["different_texts", "in_one_piece", "is_text", "numbered_texts"]


def is_text(key: Any) -> bool:
    """Whether a series has texts of pyarrow."""
    return isinstance(key.dtype, pd.StringDtype) and key.dtype.storage == "pyarrow"


def in_one_piece(column: Any) -> Any:
    """Return a column whose texts are one array of pyarrow, as each look at several joins them.

    Examples
    --------
    >>> texts = pd.concat([pd.Series(["a"], dtype="str"), pd.Series(["b"], dtype="str")])
    >>> in_one_piece(texts).array.__arrow_array__().num_chunks
    1
    """
    if type(column) is not pd.Series or not is_text(column):
        return column
    pieces = column.array.__arrow_array__()
    if pieces.num_chunks < 2:
        return column
    whole = column.dtype.__from_arrow__(pieces.combine_chunks())
    return pd.Series(whole, column.index, name=column.name)


def different_texts(column: Any, rows: int | None = None) -> tuple[Any, Any] | None:
    """Number the texts of a column as `numbered_texts` does; None if it has others, or few.

    Parameters
    ----------
    column : Series
    rows : int, optional
        How many are to be numbered, if these are not all.
    """
    if type(column) is not pd.Series or not is_text(column):
        return None
    is_worth = pays(len(column) if rows is None else rows, [("texts", None)])
    return numbered_texts(column.array) if is_worth else None


def numbered_texts(texts: Any) -> tuple[Any, Any]:
    """Number texts of pyarrow in the order in which they come; nulls are one of them.

    Returns
    -------
    array
        For each its number.
    array
        For each number the first row that has it.

    Examples
    --------
    >>> [each.tolist() for each in numbered_texts(pd.array(["b", None, "b"], dtype="str"))]
    [[0, 1, 0], [0, 1]]
    """
    import pyarrow as pa

    pieces = pa.chunked_array(pa.array(texts))
    whole = pieces.chunk(0) if pieces.num_chunks == 1 else pieces.combine_chunks()  # which copies
    whole = whole.cast(pa.large_string())
    _, ends, data = whole.buffers()
    offsets = np.zeros(1, np.int64)
    if len(whole):
        offsets = np.frombuffer(ends, np.int64, len(whole) + 1, offset=8 * whole.offset)
    return number_texts(
        offsets,
        np.zeros(0, np.int8) if data is None else np.frombuffer(data, np.int8),
        whole.is_null().to_numpy(zero_copy_only=False).view(np.int8) if whole.null_count else None,
    )
