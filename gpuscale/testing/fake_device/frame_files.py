"""Files that ``fake_frames`` reads: readers with the parameters of cuDF's, and dtypes of pandas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import orc
from pyarrow import parquet as pq

from gpuscale.testing.fake_device.frames import given

__all__ = ["READERS"]


def read_parquet(
    filepath_or_buffer: Sequence[str],
    *,
    columns: Sequence[str] | None = None,
    row_groups: Sequence[Sequence[int]],
    use_pandas_metadata: bool = True,
) -> Any:
    """Read row groups of files, a list of them for each."""
    tables = [
        pq.ParquetFile(path).read_row_groups(list(groups), columns)
        for path, groups in zip(filepath_or_buffer, row_groups, strict=True)
    ]
    frame = pa.concat_tables(tables).to_pandas(ignore_metadata=not use_pandas_metadata)
    return given(frame if columns is None else frame[list(columns)])


def read_orc(
    filepath_or_buffer: Sequence[str],
    *,
    columns: Sequence[str] | None = None,
    stripes: Sequence[Sequence[int]],
) -> Any:
    """Read stripes of a file."""
    ((path,), (numbers,)) = filepath_or_buffer, stripes
    batches = [orc.ORCFile(path).read_stripe(number, columns) for number in numbers]
    frame = pa.Table.from_batches(batches).to_pandas(ignore_metadata=True)
    return given(frame if columns is None else frame[list(columns)])


def read_json(path_or_buf: Any, *, lines: bool = False) -> Any:
    """Read lines."""
    if not lines:
        raise NotImplementedError("only lines are read by the device")
    return given(pd.read_json(path_or_buf, lines=True))


READERS = {each.__name__: each for each in (read_json, read_orc, read_parquet)}
"""By their names in cuDF."""
