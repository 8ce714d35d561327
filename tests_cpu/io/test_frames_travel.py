"""Readers and writers of frames go to other processes with the tasks that call them."""

import pickle

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from gpuscale.expr.detached import dumps
from gpuscale.io.csv import CsvPieces
from gpuscale.io.csv_whole import WholeCsvPieces
from gpuscale.io.files import find_files
from gpuscale.io.fixed_width import FixedWidthPieces
from gpuscale.io.frame_readers import PiecesReader
from gpuscale.io.json import JsonPieces
from gpuscale.io.orc import OrcPieces
from gpuscale.io.parquet import ParquetPieces
from gpuscale.io.parquet_writer import ParquetWriter
from gpuscale.io.text_writer import CsvWriter, JsonWriter

PDF = pd.DataFrame({"x": range(5), "s": list("abcde")})


@pytest.mark.parametrize("kind", ["parquet", "orc", "csv", "whole csv", "json", "fwf"])
def test_readers(tmp_path, kind):
    path = tmp_path / "x"
    if kind in ("parquet", "orc"):
        getattr(PDF, f"to_{kind}")(path)
    elif kind == "json":
        PDF.to_json(path, orient="records", lines=True)
    else:
        path.write_text(PDF.to_string(index=False) if kind == "fwf" else PDF.to_csv(index=False))
    files = find_files(path)
    pieces = {
        "parquet": lambda: ParquetPieces(files),
        "orc": lambda: OrcPieces(files),
        "csv": lambda: CsvPieces(files, {}),
        "whole csv": lambda: WholeCsvPieces(files, {}),
        "json": lambda: JsonPieces(files, {}, True),
        "fwf": lambda: FixedWidthPieces(files, {}),
    }[kind]()
    read = pickle.loads(dumps(PiecesReader(pieces, ("s",), ()).read))
    assert_frame_equal(read((0,)), PDF[["s"]])


@pytest.mark.parametrize("kind", [ParquetWriter, CsvWriter, JsonWriter])
def test_writers(tmp_path, kind):
    writer = kind(tmp_path / "x")
    writer.open(PDF[:0], 1)
    pickle.loads(dumps(writer.write))((0,), PDF)
    writer.commit()
    assert (tmp_path / "x").exists()
