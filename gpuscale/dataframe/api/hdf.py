"""Tables in HDF5 files, as pandas writes them by PyTables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpuscale.base.types import PathLike
from gpuscale.dataframe.api.writing import write
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.io.files import find_files
from gpuscale.io.hdf import HdfPieces, HdfWriter

__all__ = ["read_hdf", "to_hdf"]


def read_hdf(
    pattern: Any,
    key: str,
    start: int = 0,
    stop: int | None = None,
    columns: Sequence[Any] | None = None,
    chunksize: int = 1_000_000,
    sorted_index: bool = False,
    lock: Any = None,
    mode: str = "r",
) -> Any:
    """Read tables of HDF5 files; see `pandas.read_hdf`. It needs PyTables, of the extra ``hdf``.

    Parameters
    ----------
    pattern : str, path or list of them
        Files of this machine; names may have ``*``.
    key : str
        Which table; with ``*``, several that follow each other.
    start, stop : int, optional
        Rows of each table.
    columns : list of labels, optional
    chunksize : int
        Rows of a partition. What has the format "fixed" is one.
    sorted_index : bool
        Whether the index is sorted, so that divisions are known; ends of partitions are looked at.
    lock : object
        Not needed here: a process reads one file at a time.
    mode : {"r"}

    Raises
    ------
    KeyError
        If there is no such table; those that are there are named.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> pd.DataFrame({"x": [1, 2, 3]}).to_hdf("x.h5", key="x", format="table")  # doctest: +SKIP
    >>> gd.read_hdf("x.h5", "x", chunksize=2).x.sum().compute()  # doctest: +SKIP
    np.int64(6)
    """
    if chunksize < 1:
        raise ValueError(f"chunksize is a number of rows, not {chunksize!r}")
    pieces = HdfPieces(find_files(pattern), key, start, stop, chunksize, sorted_index)
    frame = wrap(ReadPieces(pieces, None, ()))
    return frame if columns is None else frame[columns]


def to_hdf(
    df: Any,
    path: PathLike,
    key: str,
    *,
    overwrite: bool = False,
    name_function: Callable[[int], str] | None = None,
    compute_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Write a table of an HDF5 file, or a file for each partition; see `pandas.DataFrame.to_hdf`.

    Files appear when all rows are there. It needs PyTables, of the extra ``hdf``.

    Parameters
    ----------
    df : DataFrame or Series
    path : str or path
        With a ``*`` (``out-*.h5``) for a file of each partition; the number takes its place.
    key : str
    overwrite : bool
        Replace the file. Tables are not added to one that is there.
    name_function : callable, optional
        What takes the place of the ``*``, from the number of a partition.
    compute_kwargs : mapping, optional
        Arguments of `gpuscale.compute`.
    **kwargs
        Arguments of `pandas.DataFrame.to_hdf`, as ``complevel``.

    Raises
    ------
    FileExistsError
        If something is there that may not be replaced.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
    >>> gd.to_hdf(df, "x.h5", "x")  # doctest: +SKIP
    """
    writer = HdfWriter(path, key, overwrite, name_function, **kwargs)
    write(df, writer, dict(compute_kwargs or {}))
