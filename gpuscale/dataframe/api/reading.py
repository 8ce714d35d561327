"""Frames of files, read piece by piece by the tasks that need them."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any, Literal

from gpuscale.base.sizes import parse_bytes
from gpuscale.base.types import PathLike
from gpuscale.dataframe.api.creating import block_bytes
from gpuscale.dataframe.api.moving import placed
from gpuscale.dataframe.api.writing import check_engine
from gpuscale.dataframe.nodes.source import ReadPieces
from gpuscale.engines.threads import default_workers
from gpuscale.io.arrow_frames import DtypeBackend
from gpuscale.io.csv import CsvPieces
from gpuscale.io.csv_format import needs_whole_files
from gpuscale.io.csv_whole import WholeCsvPieces
from gpuscale.io.files import Files, compression_of, find_files
from gpuscale.io.fixed_width import FixedWidthPieces
from gpuscale.io.frames import FramePieces
from gpuscale.io.joined import joined
from gpuscale.io.json import JsonPieces, has_lines
from gpuscale.io.orc import OrcPieces
from gpuscale.io.parquet import ParquetPieces

__all__ = ["read_csv", "read_fwf", "read_json", "read_orc", "read_parquet", "read_table"]

Paths = PathLike | Iterable[PathLike]

_REMEMBERED = 16  # sets of Parquet files, whose footers may be large

TEXT_BYTES = 64 << 20
"""Bytes of text of a partition, which take a few times as much in memory."""


def _frame(pieces: FramePieces, backend: str | None) -> Any:
    return placed(ReadPieces(pieces, None, ()), backend)


def _of_text(pieces: FramePieces, blocksize: float | str | None, backend: str | None) -> Any:
    """Return the frame of blocks of text; small files are read together if nobody said a size."""
    return _frame(joined(pieces, default_workers()) if blocksize == "auto" else pieces, backend)


def read_csv(
    path: Paths,
    blocksize: float | str | None = "auto",
    *,
    sample: int | str = 256_000,
    compression: str | None = "infer",
    storage_options: Mapping[str, Any] | None = None,
    backend: str | None = None,
    **kwargs: Any,
) -> Any:
    r"""Read CSV files; see `pandas.read_csv`.

    Parameters
    ----------
    path : str, path or list of them
        Files, globs (``data/*.csv``) and URLs of any store that fsspec knows (``s3://...``). All
        files have the same columns.
    blocksize : int, str or None
        Bytes of text that become one partition, cut at the ends of lines; by default 64 MiB, and
        less where memory is short, and several small files become one if there are many. None for
        a partition of each file. Compressed files are never cut.
    sample : int or str
        Bytes from the start of the first file that decide which dtypes columns have. Every block
        is checked: what does not fit is an error that names column, file and line.
    compression : str or None
        By default what the name of the first file says.
    storage_options : mapping, optional
        Arguments of the file system.
    backend : {"pandas", "cudf"}, optional
        Which library has the partitions; by default what the option ``dataframe.backend`` says.
    **kwargs
        As `pandas.read_csv` has them: ``sep``, ``header``, ``names``, ``dtype``, ``parse_dates``,
        ``usecols``, ``na_values`` and so on. What means something for a whole file only
        (``skipfooter``, ``index_col``, a list of ``skiprows``, a ``sep`` of several characters)
        needs ``blocksize=None``.

    Returns
    -------
    DataFrame
        Its index counts the rows of each partition from 0, since nobody knows how many come before.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If an option cannot be, or the first lines cannot be read.

    Notes
    -----
    Dates (``parse_dates``) are read in the format that the first date has, in all files.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import gpuscale.dataframe as gd
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name in ("a", "b"):
    ...     _ = (folder / f"{name}.csv").write_text("x,y\n1,one\n2,two\n")
    >>> gd.read_csv(folder / "*.csv").x.sum().compute()
    np.int64(6)
    """
    files = find_files(path, storage_options)
    method = compression_of(files.paths[0]) if compression == "infer" else compression
    if blocksize is None and needs_whole_files(kwargs):
        return _frame(WholeCsvPieces(files, kwargs, method), backend)
    size = None if blocksize is None else block_bytes(blocksize, TEXT_BYTES)
    pieces = CsvPieces(files, kwargs, size, parse_bytes(sample, 0), default_workers(), method)
    return _of_text(pieces, blocksize, backend)


def read_table(path: Paths, blocksize: float | str | None = "auto", **kwargs: Any) -> Any:
    r"""Read files of fields that tabs separate; as `read_csv` otherwise.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import gpuscale.dataframe as gd
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.tsv"
    >>> _ = path.write_text("x\ty\n1\ta\n")
    >>> gd.read_table(path).compute().y.tolist()
    ['a']
    """
    if "delimiter" not in kwargs:
        kwargs.setdefault("sep", "\t")
    return read_csv(path, blocksize, **kwargs)


def read_parquet(
    path: Paths,
    columns: Any = None,
    filters: Sequence[Any] | None = None,
    *,
    index: Any = None,
    split_row_groups: bool | int | Literal["infer"] = "infer",
    blocksize: float | str = "auto",
    dtype_backend: DtypeBackend = None,
    calculate_divisions: bool = False,
    engine: str = "pyarrow",
    storage_options: Mapping[str, Any] | None = None,
    backend: str | None = None,
) -> Any:
    """Read Parquet files; see `pandas.read_parquet`.

    Columns that nobody uses are not read, nor are row groups whose statistics say that a filter
    (``df[df.x > 3]``) keeps none of their rows.

    Parameters
    ----------
    path : str, path or list of them
        Files, globs, folders of files, and URLs of any store that fsspec knows (``s3://...``).
        Folders called ``name=value`` are a categorical column.
    columns : list of labels, optional
        A single label makes a series.
    filters : list of (column, comparison, value), or list of such lists, optional
        Conditions that all rows meet, or one of several such lists; the same as selecting rows by
        a mask. Comparisons are ``== != < <= > >=``, ``"in"`` and ``"not in"``.
    index : label, list of labels or False, optional
        Columns that become the index; False for none. By default what pandas has noted in the
        files, else the number of the row.
    split_row_groups : bool, int or "infer"
        True for a partition of each row group, False of each file, a number for so many row groups.
        By default partitions are filled up to ``blocksize``, also from several files.
    blocksize : int or str
        Projected bytes of a partition in memory, of all columns; by default 128 MiB, and less
        where memory is short.
    dtype_backend : {"numpy_nullable", "pyarrow"}, optional
        As in pandas.
    calculate_divisions : bool
        Say that an index that the files hold is sorted: its bounds, from the statistics, become the
        divisions. Partitions that are not sorted are an error then.
    engine : {"pyarrow", "auto"}
    storage_options : mapping, optional
        Arguments of the file system.
    backend : {"pandas", "cudf"}, optional
        Which library has the partitions; by default what the option ``dataframe.backend`` says.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a file is damaged, or two files have different columns.
    KeyError
        If a column does not exist.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> path = tempfile.mkdtemp() + "/x.parquet"
    >>> pd.DataFrame({"x": [1, 2, 3], "y": [4, 5, 6]}).to_parquet(path)
    >>> df = gd.read_parquet(path)
    >>> len(df), df[df.x > 1].y.sum().compute()
    (3, np.int64(11))
    """
    check_engine(engine)
    files = find_files(path, storage_options, folders=True)
    single = columns is not None and not isinstance(columns, list | tuple)
    wanted = None if columns is None else [columns] if single else list(columns)
    alternatives = _alternatives(filters)
    asked = [column for conditions in alternatives for column, _, _ in conditions]
    needed = None if wanted is None else list(dict.fromkeys([*wanted, *asked]))
    split = None if split_row_groups == "infer" else split_row_groups
    size = block_bytes(blocksize)
    labels = None if needed is None else tuple(needed)
    has_levels = isinstance(index, list)
    index = tuple(index) if has_levels else index
    # Those of stores hold connections, which somebody may want to make anew.
    of = _pieces_of_footers if files.on_disk else _pieces_of_footers.__wrapped__
    options = (split, size, default_workers(), dtype_backend, calculate_divisions)
    pieces = of(files, labels, index, has_levels, *options)
    frame = _frame(pieces, backend)
    if alternatives:
        frame = frame[reduce(operator.or_, (_mask(frame, each) for each in alternatives))]
    if single:
        return frame[columns]
    return frame if needed == wanted else frame[wanted]


@lru_cache(_REMEMBERED, typed=True)
def _pieces_of_footers(
    files: Files, columns: tuple[Any, ...] | None, index: Any, has_levels: bool, *options: Any
) -> ParquetPieces:
    """Read footers, those of the last files once: a program names the same files again and again.

    A file that has changed is another one, by its size and its time.
    """
    labels = None if columns is None else list(columns)
    return ParquetPieces(files, labels, list(index) if has_levels else index, *options)


_COMPARISONS = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _alternatives(filters: Sequence[Any] | None) -> list[list[tuple[Any, str, Any]]]:
    """Return lists of conditions, of which rows meet one."""
    if not filters:
        return []
    conditions: Any = [filters] if isinstance(filters[0], tuple) else filters
    for each in (each for group in conditions for each in group):
        known = [*_COMPARISONS, "in", "not in"]
        if not isinstance(each, tuple) or len(each) != 3 or each[1] not in known:
            raise ValueError(
                f"filters are (column, comparison, value) with one of {', '.join(known)}, "
                f"not {each!r}"
            )
    return [list(group) for group in conditions]


def _mask(frame: Any, conditions: list[tuple[Any, str, Any]]) -> Any:
    masks = []
    for column, comparison, value in conditions:
        if comparison in _COMPARISONS:
            masks.append(_COMPARISONS[comparison](frame[column], value))
        else:
            found = frame[column].isin(list(value))
            masks.append(found if comparison == "in" else ~found)
    return reduce(operator.and_, masks)


def read_json(
    path: Paths,
    orient: str | None = None,
    lines: bool | None = None,
    *,
    blocksize: float | str | None = "auto",
    sample: int | str = 1 << 20,
    compression: str | None = "infer",
    storage_options: Mapping[str, Any] | None = None,
    backend: str | None = None,
    **kwargs: Any,
) -> Any:
    r"""Read JSON files; see `pandas.read_json`.

    Parameters
    ----------
    path : str, path or list of them
        As of `read_csv`.
    orient : str, optional
    lines : bool, optional
        Whether each line is a row; by default that is seen from the first line. What is no lines is
        one partition for each file.
    blocksize, sample, compression, storage_options, backend
        As of `read_csv`.
    **kwargs
        As pandas has them.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import gpuscale.dataframe as gd
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.json"
    >>> _ = path.write_text('{"x": 1, "y": "a"}\n{"x": 2, "y": "b"}\n')
    >>> gd.read_json(path).x.sum().compute()
    np.int64(3)
    """
    files = find_files(path, storage_options)
    method = compression_of(files.paths[0]) if compression == "infer" else compression
    if lines is None:
        lines = orient in (None, "records") and has_lines(files, method)
    size = None if blocksize is None else block_bytes(blocksize, TEXT_BYTES)
    options = {"orient": orient, **kwargs}
    pieces = JsonPieces(
        files, options, lines, size, parse_bytes(sample, 0), default_workers(), method
    )
    return _of_text(pieces, blocksize, backend)


def read_orc(
    path: Paths,
    columns: Sequence[str] | None = None,
    *,
    split_stripes: int | bool = 1,
    dtype_backend: DtypeBackend = None,
    storage_options: Mapping[str, Any] | None = None,
    backend: str | None = None,
) -> Any:
    """Read ORC files; see `pandas.read_orc`. Columns that nobody uses are not read.

    Parameters
    ----------
    path : str, path or list of them
        As of `read_parquet`.
    columns : list of str, optional
    split_stripes : int or False
        So many stripes become a partition; False for whole files.
    dtype_backend : {"numpy_nullable", "pyarrow"}, optional
        As in pandas. Without it, integers and booleans with nulls are an error: where they are is
        not known before all is read.
    storage_options : mapping, optional
        Arguments of the file system.
    backend : {"pandas", "cudf"}, optional
        Which library has the partitions; by default what the option ``dataframe.backend`` says.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> path = tempfile.mkdtemp() + "/x.orc"
    >>> pd.DataFrame({"x": [1, 2, 3]}).to_orc(path)
    >>> gd.read_orc(path).x.sum().compute()
    np.int64(6)
    """
    files = find_files(path, storage_options, folders=True)
    return _frame(OrcPieces(files, columns, int(split_stripes), dtype_backend), backend)


def read_fwf(
    path: Paths,
    blocksize: float | str | None = "auto",
    *,
    sample: int | str = 256_000,
    storage_options: Mapping[str, Any] | None = None,
    backend: str | None = None,
    **kwargs: Any,
) -> Any:
    r"""Read files of fields of fixed width; see `pandas.read_fwf`.

    Parameters
    ----------
    path : str, path or list of them
        As of `read_csv`.
    blocksize, sample, storage_options, backend
        As of `read_csv`; the first lines also decide where columns are, unless ``colspecs`` or
        ``widths`` say it.
    **kwargs
        As pandas has them.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import gpuscale.dataframe as gd
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.txt"
    >>> _ = path.write_text("x   y\n1   a\n20  b\n")
    >>> gd.read_fwf(path).x.sum().compute()
    np.int64(21)
    """
    files = find_files(path, storage_options)
    size = None if blocksize is None else block_bytes(blocksize, TEXT_BYTES)
    pieces = FixedWidthPieces(files, kwargs, size, parse_bytes(sample, 0), default_workers())
    return _of_text(pieces, blocksize, backend)
