"""Frames of what is in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gpuscale.backends.seams import nbytes
from gpuscale.base.sizes import parse_bytes
from gpuscale.dataframe.api.moving import placed
from gpuscale.dataframe.nodes.source import FromFrame
from gpuscale.engines.automatic import chunk_bytes
from gpuscale.engines.threads import default_workers

__all__ = ["from_dict", "from_pandas"]

PARTITION_BYTES = 64 << 20
"""Bytes of a partition in memory, beside which the cost of its tasks is small."""


def from_pandas(
    data: Any,
    npartitions: int | None = None,
    sort: bool = False,
    chunksize: int | None = None,
    *,
    backend: str | None = None,
) -> Any:
    """Make a frame, a series or an index of what pandas has in memory.

    Parameters
    ----------
    data : pandas.DataFrame, pandas.Series or pandas.Index
        Seen as it is now: what is done to it later changes nothing here.
    npartitions : int, optional
        Into how many partitions it is cut, if it has as many rows; by default, partitions are of
        64 MiB, less where memory is short, or one for each worker.
    sort : bool
        Sort by the index before. A sorted index is recognized in any case, and its bounds are the
        divisions; rows of one label are in one partition then.
    chunksize : int, optional
        Rows of each partition, instead of ``npartitions``.
    backend : {"pandas", "cudf"}, optional
        Which library has the partitions; by default what the option ``dataframe.backend`` says.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
    >>> df.x.sum().compute(), df.divisions
    (np.int64(6), (0, 2, 2))
    """
    if not isinstance(data, pd.DataFrame | pd.Series | pd.Index):
        raise TypeError(f"from_pandas takes an object of pandas, not {type(data).__name__}")
    if npartitions is not None and chunksize is not None:
        raise ValueError("give npartitions or chunksize, not both")
    for name, value in (("npartitions", npartitions), ("chunksize", chunksize)):
        if value is not None and (not isinstance(value, int | np.integer) or value < 1):
            raise ValueError(f"{name} must be a positive integer, not {value!r}")
    is_index = isinstance(data, pd.Index)
    index = data if is_index else data.index
    if sort and not index.is_monotonic_increasing:
        data = data.sort_values() if is_index else data.sort_index(kind="stable")
        index = data if is_index else data.index
    starts = _starts(len(data), npartitions, chunksize, nbytes(data))
    divisions = None
    if len(data) and index.nlevels == 1 and index.is_monotonic_increasing and not index.hasnans:
        starts, divisions = _at_labels(index, starts)
    data = data if is_index else data.copy(deep=False)
    return placed(FromFrame(data, tuple(starts), None, divisions), backend)


def _starts(rows: int, npartitions: int | None, chunksize: int | None, size: int) -> list[int]:
    if chunksize is None:
        count = npartitions or _enough(size)
        chunksize = max(1, -(-rows // count))
    return list(range(0, rows, chunksize)) or [0]


def _enough(size: int) -> int:
    """How many partitions are neither too small nor too large for who works on them."""
    most = chunk_bytes("pandas", PARTITION_BYTES, size)
    return max(-(-size // most), default_workers() if size > PARTITION_BYTES // 64 else 1)


def block_bytes(wanted: float | str, most: int = 128 << 20) -> int:
    """Return the bytes of a partition: those that a user wants, or what suits memory and workers.

    The memory is that of where the default engine computes, as of the workers of a cluster.

    Examples
    --------
    >>> import gpuscale
    >>> with gpuscale.config.set({"memory-limit": "160 MiB"}):
    ...     block_bytes("auto") >> 20, block_bytes("64 MiB") >> 20
    (10, 64)
    """
    if wanted in ("auto", "default"):  # as arrays say it, and as dask does
        return chunk_bytes("pandas", most)
    return parse_bytes(wanted, 0)


def _at_labels(index: Any, starts: list[int]) -> tuple[list[int], tuple[Any, ...]]:
    """Move cuts to where a label begins, so that each label is in one partition."""
    moved = sorted({int(index.searchsorted(index[start], side="left")) for start in starts})
    bounds = [index[start] for start in moved]
    return moved, (*bounds, index[-1])


def from_dict(
    data: Any,
    npartitions: int,
    orient: str = "columns",
    dtype: Any = None,
    columns: Any = None,
    *,
    backend: str | None = None,
) -> Any:
    """Make a frame of a dictionary of columns; see `pandas.DataFrame.from_dict`.

    Examples
    --------
    >>> import gpuscale.dataframe as gd
    >>> gd.from_dict({"x": [1, 2]}, npartitions=2).x.max().compute()
    np.int64(2)
    """
    frame = pd.DataFrame.from_dict(data, orient=orient, dtype=dtype, columns=columns)
    return from_pandas(frame, npartitions, backend=backend)
