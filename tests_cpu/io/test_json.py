"""Frames of JSON files are those that pandas reads."""

import gzip

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from gpuscale.io.files import find_files
from gpuscale.io.json import JsonPieces, has_lines

PDF = pd.DataFrame({"x": range(9), "y": [k / 4 for k in range(9)], "s": list("abcdefghi")})


def opened(path, blocksize=40, sample=100, compression=None, **options):
    files = find_files(path)
    lines = options.get("orient") in (None, "records") and has_lines(files, compression)
    return JsonPieces(files, options, lines, blocksize, sample, 1, compression)


def read(pieces, columns=None):
    frames = [pieces.read(piece, columns, ()) for piece in pieces.pieces]
    for frame in frames:
        schema = pieces.schema if columns is None else pieces.schema[list(columns)]
        assert_frame_equal(frame.iloc[:0], schema)
    return pd.concat(frames, ignore_index=True)


def test_lines(tmp_path):
    PDF.to_json(tmp_path / "x.json", orient="records", lines=True)
    pieces = opened(tmp_path / "x.json")
    assert len(pieces.pieces) > 3
    assert_frame_equal(read(pieces), PDF)
    assert_frame_equal(read(pieces, ("s", "x")), PDF[["s", "x"]])


@pytest.mark.parametrize("orient", ["records", "columns", "split", None])
def test_whole_files(tmp_path, orient):
    for k in range(2):
        PDF.to_json(tmp_path / f"{k}.json", orient=orient)
    pieces = opened(tmp_path / "*.json", **({"orient": orient} if orient else {}))
    assert len(pieces.pieces) == 2
    assert_frame_equal(read(pieces), pd.concat([PDF, PDF], ignore_index=True))


def test_compressed(tmp_path):
    text = PDF.to_json(orient="records", lines=True)
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(text.encode()))
    assert_frame_equal(read(opened(tmp_path / "x.json.gz", compression="gzip")), PDF)


@pytest.mark.parametrize(
    ("first", "late", "dtype"),
    [
        ("true", "null", "boolean"),
        ("true", "3", "float64"),
        ("1", "null", "float64"),
        ("1", '"x"', "str"),
        ("1", '{"y": 1}', "object"),
        ('"x"', "3", "str"),
    ],
)
def test_surprises_name_a_dtype_that_helps(tmp_path, first, late, dtype):
    (tmp_path / "x.json").write_text(f'{{"x": {first}}}\n' * 20 + f'{{"x": {late}}}\n')
    with pytest.raises(ValueError, match=rf"pass dtype={{'x': '{dtype}'}}"):
        read(opened(tmp_path / "x.json", 9, sample=20))
    assert len(read(opened(tmp_path / "x.json", 9, sample=20, dtype={"x": dtype}))) == 21


@pytest.mark.parametrize(
    ("late", "message"),
    [
        ('{"x": 1.5}', "lines 21 to 21: column 'x' is float64 here, and int64 in the first rows"),
        ('{"y": 1}', "lines 21 to 21: there is a column 'y'"),
        ("{}", "lines 21 to 21: column 'x' is null in .*; pass dtype={'x': 'float64'}"),
        ('{"x": 1, "z": 2}', "lines 21 to 21: there is a column 'z'"),
        ('{"x": 1', "lines 21 to 21: "),
    ],
)
def test_surprises(tmp_path, late, message):
    (tmp_path / "x.json").write_text('{"x": 1}\n' * 20 + late + "\n")
    with pytest.raises(ValueError, match=rf"x\.json, {message}"):
        read(opened(tmp_path / "x.json", 9, sample=20))


def test_rows_may_lack_what_can_be_null(tmp_path):
    (tmp_path / "x.json").write_text('{"x": 1.5, "s": "a"}\n{"s": "b"}\n{"x": 2.5}\n')
    expected = pd.read_json(tmp_path / "x.json", lines=True)
    assert_frame_equal(read(opened(tmp_path / "x.json", 12, sample=5)), expected)
