"""Frames of ORC files are those that pandas reads."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal
from pyarrow import orc

from gpuscale.io.files import find_files
from gpuscale.io.orc import OrcPieces

PDF = pd.DataFrame(
    {
        "x": np.arange(5000),
        "y": np.arange(5000) / 4,
        "s": pd.Series([f"text {k % 7}" for k in range(5000)], dtype="str"),
        "when": pd.date_range("2024", periods=5000, freq="h", unit="ns"),
    }
)


def read(pieces, columns=None):
    frames = [pieces.read(piece, columns, ()) for piece in pieces.pieces]
    for frame in frames:
        schema = pieces.schema if columns is None else pieces.schema[list(columns)]
        assert_frame_equal(frame.iloc[:0], schema)
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def path(tmp_path):
    orc.write_table(pa.Table.from_pandas(PDF), tmp_path / "x.orc", stripe_size=4096)
    return tmp_path / "x.orc"


@pytest.mark.parametrize("split", [1, 2, 0])
def test_as_pandas(path, split):
    pieces = OrcPieces(find_files(path), split_stripes=split)
    assert (len(pieces.pieces) == 1) == (split == 0)
    assert_frame_equal(read(pieces), pd.read_orc(path))
    assert_frame_equal(read(pieces, ("s", "x")), PDF[["s", "x"]])
    assert len(read(pieces, ())) == len(PDF)


def test_only_some_columns(path):
    assert_frame_equal(read(OrcPieces(find_files(path), ["y"])), PDF[["y"]])
    with pytest.raises(KeyError, match="no column 'z'"):
        OrcPieces(find_files(path), ["z"])


def test_nulls(tmp_path):
    path = tmp_path / "x.orc"
    orc.write_table(pa.table({"a": [1, None], "b": [1.5, None]}), path)
    with pytest.raises(ValueError, match=r"x\.orc: column 'a' has nulls.*dtype_backend="):
        read(OrcPieces(find_files(path)))
    expected = pd.read_orc(path, dtype_backend="numpy_nullable")
    found = read(OrcPieces(find_files(path), dtype_backend="numpy_nullable"))
    assert_frame_equal(found, expected)


def test_damaged(tmp_path):
    (tmp_path / "x.orc").write_text("no such file")
    with pytest.raises(ValueError, match=r"x\.orc is no ORC file, or is truncated"):
        OrcPieces(find_files(tmp_path / "x.orc"))


def test_no_rows(tmp_path):
    orc.write_table(pa.Table.from_pandas(PDF[:0]), tmp_path / "x.orc")
    assert_frame_equal(read(OrcPieces(find_files(tmp_path / "x.orc"))), PDF[:0])
