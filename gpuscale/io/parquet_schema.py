"""What pandas makes of the schema of Parquet files: labels, dtypes that hold for all rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.io.arrow_frames import DtypeBackend, types_mapper
from gpuscale.io.files import Files
from gpuscale.io.parquet_footers import RowGroup

__all__ = ["Labels", "comparable", "flat_frame", "flat_schema", "labels_of"]


@dataclass(frozen=True)
class Labels:
    """What the columns of an Arrow schema are called in pandas.

    Parameters
    ----------
    columns : dict of label to str
        All columns that are not the index, with their names in the files.
    empty : pandas.DataFrame
        Without rows, with these columns: what carries the type and the name of their labels.
    index : tuple of (str, label)
        Columns that are the index: their names in the files, and what pandas calls them.
    range : pandas.RangeIndex or None
        The index of the first file, where it is one and has been noted.
    """

    columns: dict[Any, str]
    empty: Any
    index: tuple[tuple[str, Any], ...]
    range: Any


def labels_of(schema: Any) -> Labels:
    """Read what pandas has noted in an Arrow schema, as far as it has."""
    import pandas as pd

    noted = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    entries = noted.get("index_columns", [])
    named = {each.get("field_name"): each.get("name") for each in noted.get("columns", ())}
    index = tuple((e, named.get(e)) for e in entries if isinstance(e, str) and e in schema.names)
    ranges = [e for e in entries if isinstance(e, dict) and e.get("kind") == "range"]
    span = None
    if ranges:
        start, stop, step, name = (ranges[0][key] for key in ("start", "stop", "step", "name"))
        span = pd.RangeIndex(start, stop, step, name=name)
    empty = schema.empty_table().to_pandas(types_mapper=types_mapper(None))
    stored = {name for name, _ in index}
    names = [name for name in schema.names if name not in stored]
    return Labels(dict(zip(empty.columns, names, strict=True)), empty, index, span)


def flat_frame(table: Any, backend: DtypeBackend) -> Any:
    """Return a table as a frame: columns as the files name them, those of an index among them."""
    metadata = dict(table.schema.metadata or {})
    if b"pandas" in metadata:
        noted = json.loads(metadata[b"pandas"])
        noted |= {"index_columns": [], "column_indexes": []}
        metadata[b"pandas"] = json.dumps(noted).encode()
    plain = table.replace_schema_metadata(metadata)
    # Blocks of a column each are made without copying columns together.
    frame = plain.to_pandas(
        types_mapper=types_mapper(backend), use_threads=False, split_blocks=True
    )
    frame.columns = table.schema.names
    return frame


def flat_schema(
    files: Files, schema: Any, groups: Iterable[RowGroup], backend: DtypeBackend
) -> Any:
    """Return a frame without rows, with dtypes that hold for all rows of all files.

    Integers with a null anywhere are floats everywhere, and booleans objects; categories are those
    of all row groups. Where statistics do not tell, the column is read.
    """
    groups = tuple(groups)
    frame = flat_frame(schema.empty_table(), backend)
    for name in schema.names:
        dtype = frame[name].dtype
        if isinstance(dtype, np.dtype) and dtype.kind in "iub":
            if _has_nulls(files, name, groups):
                frame[name] = frame[name].astype(object if dtype.kind == "b" else "float64")
        elif dtype == "category":
            frame[name] = frame[name].astype(_all_categories(files, name, dtype.ordered))
    return frame


def _has_nulls(files: Files, name: str, groups: Sequence[RowGroup]) -> bool:
    counts = [group.statistics.get(name, (None, None, None))[2] for group in groups]
    if any(counts):
        return True
    if None not in counts:
        return False
    return any(column.null_count for column in _columns(files, name))


def _all_categories(files: Files, name: str, ordered: bool) -> Any:
    """Return the dtype with the categories of all files, in the order in which they come."""
    import pandas as pd

    found: dict[Any, None] = {}
    values: Any = None
    for column in _columns(files, name):
        for chunk in column.chunks:
            values = chunk.dictionary.slice(0, 0).to_pandas() if values is None else values
            found |= dict.fromkeys(chunk.dictionary.to_pylist())
    dtype = None if values is None or not found else values.dtype
    return pd.CategoricalDtype(pd.Index(list(found), dtype=dtype), ordered)


def _columns(files: Files, name: str) -> Iterable[Any]:
    import pyarrow.parquet as pq

    for number in range(len(files)):
        with files.open(number) as file, pq.ParquetFile(file) as opened:
            yield opened.read([name], use_threads=False).column(name)


def comparable(
    bounds: tuple[Any, Any, int | None], dtype: Any
) -> tuple[Any, Any, int | None] | None:
    """Return bounds as values of a column compare, None where they compare otherwise.

    A float32 is compared in its own precision, and categories in an order of their own.

    Examples
    --------
    >>> low, high, nulls = comparable((0.10000000149011612, 1.0, 0), np.dtype("float32"))
    >>> bool(low == 0.1), nulls
    (True, 0)
    """
    numeric = getattr(dtype, "numpy_dtype", dtype)
    low, high, nulls = bounds
    if dtype == "category":
        return None
    if isinstance(numeric, np.dtype) and numeric.kind in "iuf" and not _is_arrow(dtype):
        kind = numeric.type
        return (None if low is None else kind(low)), (None if high is None else kind(high)), nulls
    return bounds


def _is_arrow(dtype: Any) -> bool:
    return hasattr(dtype, "pyarrow_dtype")
