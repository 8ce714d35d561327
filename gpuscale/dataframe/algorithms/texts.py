"""Different texts of a column by a compiled table of hashes, and where each comes first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpuscale.codegen.groups import number_texts, pays

__all__ = ["different_texts", "in_one_piece", "is_text", "numbered_texts", "texts_at"]


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


def different_texts(column: Any) -> tuple[Any, Any] | None:
    """Number the texts of a column as `numbered_texts` does; None if it has others, or few."""
    if type(column) is not pd.Series or not is_text(column):
        return None
    is_worth = pays(len(column), [("texts", None)])
    return numbered_texts(column.array) if is_worth else None


def numbered_texts(*texts: Any) -> tuple[Any, Any]:
    """Number texts of pyarrow in the order in which they come; nulls are one of them.

    Parameters
    ----------
    *texts : array
        Numbered as if they were one.

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

    arrays = [pa.chunked_array(pa.array(each)) for each in texts]
    return number_texts([_buffers(piece) for each in arrays for piece in each.chunks])


def _buffers(piece: Any) -> tuple[Any, Any, Any]:
    """Return where texts of Arrow start, their bytes, and what is null, where they lie."""
    import pyarrow as pa

    piece = piece.cast(pa.large_string())
    _, ends, data = piece.buffers()
    offsets = np.zeros(1, np.int64)
    if len(piece):
        offsets = np.frombuffer(ends, np.int64, len(piece) + 1, offset=8 * piece.offset)
    nulls = piece.is_null().to_numpy(zero_copy_only=False) if piece.null_count else None
    return (
        offsets,
        np.zeros(0, np.int8) if data is None else np.frombuffer(data, np.int8),
        None if nulls is None else nulls.view(np.int8),
    )


def texts_at(texts: Any, rows: Any) -> Any:
    """Return the texts of some rows, which are in order, piece by piece; `take` joins these first.

    Examples
    --------
    >>> list(texts_at(pd.array(["b", "c", "a"], dtype="str"), np.array([0, 2])))
    ['b', 'a']
    """
    import pyarrow as pa

    pieces = pa.chunked_array(pa.array(texts))
    if pieces.num_chunks < 2:
        return texts.take(rows)
    starts = np.cumsum([0, *map(len, pieces.chunks)])
    cuts = np.searchsorted(rows, starts)
    found = [
        piece.take(pa.array(rows[low:high] - start))
        for piece, start, low, high in zip(pieces.chunks, starts, cuts, cuts[1:], strict=False)
    ]
    return texts.dtype.__from_arrow__(pa.chunked_array(found))
