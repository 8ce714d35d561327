"""Frames into files: each partition is written by the task that makes it."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from gpuscale.base import config
from gpuscale.base.nearest import meant
from gpuscale.base.types import PathLike
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.moving import to_backend
from gpuscale.dataframe.counted_labels import count_rows
from gpuscale.dataframe.settling import settled
from gpuscale.io.frames import FrameWriter
from gpuscale.io.orc_writer import OrcWriter
from gpuscale.io.parquet_writer import ParquetWriter, part_name
from gpuscale.io.text_writer import CsvWriter, JsonWriter

__all__ = ["to_csv", "to_json", "to_orc", "to_parquet"]


def write(df: Any, writer: FrameWriter, options: dict[str, Any]) -> None:
    """Write all partitions, and then let the dataset appear."""
    from gpuscale.run import run_sinks

    writer.open(df._meta, df.npartitions)
    run_sinks([settled(to_backend(df, "pandas").expr)], [writer], **options)


def to_parquet(
    df: Any,
    path: PathLike,
    *,
    overwrite: bool = False,
    append: bool = False,
    partition_on: Any = None,
    partition_cols: Any = None,
    index: bool | None = None,
    write_index: bool | None = None,
    engine: str = "pyarrow",
    compression: str = "snappy",
    name_function: Callable[[int], str] = part_name,
    storage_options: Mapping[str, Any] | None = None,
    compute_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Write a folder of Parquet files, one for each partition.

    The folder appears when all of it is there: a run that fails or is killed leaves nothing that
    looks like a dataset.

    Parameters
    ----------
    df : DataFrame
    path : str or path
        The folder; with the protocol of a store (``s3://...``) where it is not of this machine.
    overwrite : bool
        Replace a folder of Parquet files. Anything else is never replaced.
    append : bool
        Put the files beside those that are there, if these have the same columns.
    partition_on, partition_cols : label or list of labels, optional
        Columns that become folders, ``name=value``, of which filters read only what they need; in
        dask's words or in those of pandas.
    index, write_index : bool, optional
        Whether the index is written; by default one that does more than count rows, as that of
        rows which a filter or a sort has left does, unless they are appended.
    engine : {"pyarrow", "auto"}
    compression : str
    name_function : callable
        Name of the file of a partition, from its number.
    storage_options : mapping, optional
        Arguments of the file system.
    compute_kwargs : mapping, optional
        Arguments of `gpuscale.compute`.
    **kwargs
        Arguments of ``pyarrow.parquet.write_table``, as ``row_group_size``.

    Raises
    ------
    FileExistsError
        If something is there that may not be replaced.
    ValueError
        If the columns cannot be written, or not be appended.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> path = tempfile.mkdtemp() + "/x"
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
    >>> gd.to_parquet(df, path)
    >>> gd.read_parquet(path).x.sum().compute()
    np.int64(6)
    """
    check_engine(engine)
    _check_options(kwargs, "to_parquet")
    if not kwargs.pop("compute", True):
        raise ValueError("to_parquet writes at once; a function of gpuscale.delayed may call it")
    keys = _one_of("partition_on", partition_on, "partition_cols", partition_cols)
    keys = [] if keys is None else keys
    index = _one_of("index", index, "write_index", write_index)
    if index is None:
        index = not count_rows(df.expr, were_all=append)
    keys = list(keys) if isinstance(keys, Sequence) and not isinstance(keys, str) else [keys]
    chosen = {"compression": compression, **kwargs}
    writer = ParquetWriter(
        path, overwrite, append, keys, index, name_function, storage_options, **chosen
    )
    write(df, writer, dict(compute_kwargs or {}))


def to_csv(
    df: Any,
    path: PathLike,
    *,
    overwrite: bool = False,
    name_function: Callable[[int], str] | None = None,
    compression: str | None = "infer",
    storage_options: Mapping[str, Any] | None = None,
    compute_kwargs: Mapping[str, Any] | None = None,
    single_file: bool = False,
    **kwargs: Any,
) -> None:
    """Write a CSV file, or one for each partition; see `pandas.DataFrame.to_csv`.

    Parameters
    ----------
    df : DataFrame or Series
    path : str or path
        With a ``*`` (``out-*.csv``) for a file of each partition; the number takes its place.
    overwrite : bool
        Replace files of that name.
    name_function : callable, optional
        What takes the place of the ``*``, from the number of a partition.
    compression : str or None
        By default what the name says.
    storage_options : mapping, optional
        Arguments of the file system.
    compute_kwargs : mapping, optional
        Arguments of `gpuscale.compute`.
    single_file : bool
        As dask has it; a name without a ``*`` is one file in any case.
    **kwargs
        As pandas has them: ``sep``, ``index``, ``header``, ``na_rep`` and so on.

    Raises
    ------
    FileExistsError
        If a file is there and ``overwrite`` is not said.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.csv"
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
    >>> gd.to_csv(df, path, index=False)
    >>> path.read_text().split()
    ['x', '1', '2', '3']
    """
    _refuse(kwargs, "mode", "chunksize", "path_or_buf")
    _check_options(kwargs, "to_csv", pd.DataFrame.to_csv)
    if kwargs.get("columns") is not None and df.ndim == 2:
        check_labels(df, list(kwargs["columns"]))
    if single_file and "*" in os.fspath(path):
        raise ValueError(f"single_file=True: leave the * out of {os.fspath(path)!r}")
    writer = CsvWriter(path, overwrite, name_function, compression, storage_options, **kwargs)
    write(df, writer, dict(compute_kwargs or {}))


def to_json(
    df: Any,
    path: PathLike,
    *,
    overwrite: bool = False,
    orient: str = "records",
    lines: bool | None = None,
    name_function: Callable[[int], str] | None = None,
    compression: str | None = "infer",
    storage_options: Mapping[str, Any] | None = None,
    compute_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Write JSON, a line for each row; see `pandas.DataFrame.to_json`.

    Parameters
    ----------
    df : DataFrame or Series
    path : str or path
        With a ``*`` (``out-*.json``) for a file of each partition; the number takes its place.
    overwrite : bool
        Replace files of that name.
    orient : str
    lines : bool, optional
        A line for each row, which needs ``orient="records"`` and is so by default with that. What
        is no lines needs a file for each partition.
    name_function, compression, storage_options, compute_kwargs
        As of `to_csv`.
    **kwargs
        As pandas has them.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "x.json"
    >>> gd.to_json(gd.from_pandas(pd.DataFrame({"x": [1, 2]}), npartitions=2), path)
    >>> path.read_text().split()
    ['{"x":1}', '{"x":2}']
    """
    _check_options(kwargs, "to_json", pd.DataFrame.to_json)
    lines = orient == "records" if lines is None else lines
    if not lines and "*" not in str(path):
        raise ValueError("what is no lines needs a file for each partition: write a * into path")
    options = {"orient": orient, "lines": lines, **kwargs}
    writer = JsonWriter(path, overwrite, name_function, compression, storage_options, **options)
    write(df, writer, dict(compute_kwargs or {}))


def _one_of(name: str, value: Any, other: str, same: Any) -> Any:
    """Return what was said in one of two words."""
    if value is not None and same is not None:
        raise ValueError(f"{name}= and {other}= are one thing; say it once")
    return same if value is None else value


def check_engine(engine: str) -> None:
    """Refuse readers and writers of Parquet that are not there."""
    if engine not in ("auto", "pyarrow"):
        raise ValueError(f"Parquet is read and written by pyarrow, not by {engine!r}")


def _refuse(options: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if name in options:
            raise ValueError(f"{name}= means nothing where partitions are written side by side")


def _check_options(
    options: Mapping[str, Any], writer: str, theirs: Callable[..., Any] | None = None
) -> None:
    """Refuse, before anything is computed, what a writer does not take.

    Parameters
    ----------
    options : mapping
    writer : str
        What messages call the function of the user.
    theirs : callable, optional
        What takes them, of pandas or pyarrow; None where that does not say what it takes.

    Raises
    ------
    TypeError
        If there is no such option, or it is one of computing, which have a place of their own.
    """
    for name in options:
        if config.is_option(name):
            raise TypeError(
                f"{name}= is an option of computing: pass compute_kwargs={{{name!r}: ...}}"
            )
        known = [name] if theirs is None else list(inspect.signature(theirs).parameters)
        if name not in known:
            raise TypeError(f"{writer} takes no {name}={meant(name, known)}")


def to_orc(
    df: Any,
    path: PathLike,
    *,
    overwrite: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    compute_kwargs: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Write a folder of ORC files, one for each partition, without the index.

    Parameters
    ----------
    df : DataFrame
    path, overwrite, storage_options, compute_kwargs
        As of `to_parquet`.
    **kwargs
        Arguments of ``pyarrow.orc.write_table``.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> path = tempfile.mkdtemp() + "/x"
    >>> gd.to_orc(gd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2), path)
    >>> gd.read_orc(path).x.sum().compute()
    np.int64(6)
    """
    from pyarrow import orc

    _check_options(kwargs, "to_orc", orc.write_table)
    write(df, OrcWriter(path, overwrite, storage_options, **kwargs), dict(compute_kwargs or {}))
