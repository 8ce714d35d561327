"""The tables as Parquet files: made by tpchgen-cli, with dtypes that pandas has."""

from __future__ import annotations

import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.tpch.queries import TABLES, Tables

__all__ = ["generate", "read"]

ROW_GROUP = 1 << 20


def generator() -> str:
    """Where the package has put its command."""
    try:
        files = metadata.files("tpchgen-cli") or []
    except metadata.PackageNotFoundError:
        raise FileNotFoundError("tpchgen-cli makes the tables: pip install tpchgen-cli") from None
    return next(str(each.locate()) for each in files if each.stem == "tpchgen-cli")


def generate(scale: float, folder: Path, row_group: int = ROW_GROUP) -> None:
    """Write the eight tables, one file each: prices as floats, days as times."""
    raw = folder / "decimals"
    command = [generator(), "parquet", "--quiet", "-s", str(scale), f"--output-dir={raw}"]
    subprocess.run(command, check=True)
    for table in TABLES:
        with_floats(raw / f"{table}.parquet", folder / f"{table}.parquet", row_group)
    shutil.rmtree(raw)


def with_floats(source: Path, target: Path, row_group: int) -> None:
    """Rewrite a file with types that pandas computes with, which has no decimals and no days."""
    import pyarrow as pa
    from pyarrow import parquet

    def plain(kind: Any) -> Any:
        if pa.types.is_decimal(kind):
            return pa.float64()
        if pa.types.is_date(kind):
            return pa.timestamp("us")
        return pa.string() if pa.types.is_string_view(kind) else kind

    with parquet.ParquetFile(source) as file:
        schema = pa.schema([(each.name, plain(each.type)) for each in file.schema_arrow])
        with parquet.ParquetWriter(target, schema) as out:
            for batch in file.iter_batches(row_group):
                out.write_table(pa.Table.from_batches([batch]).cast(schema), row_group)


def read(library: Any, folder: Path, **options: Any) -> Tables:
    """Read the tables by the ``read_parquet`` of a library."""
    paths = (str(folder / f"{table}.parquet") for table in TABLES)
    return Tables(*(library.read_parquet(path, **options) for path in paths))
