"""Frames of fixed-width files are those that pandas reads."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from gpuscale.io.files import find_files
from gpuscale.io.fixed_width import FixedWidthPieces

TEXT = "n   name   x\n" + "".join(f"{k:<4}{'t' * (k % 5):<7}{k / 4}\n" for k in range(1, 30))


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (TEXT, {}),
        ("made by\n" + TEXT, {"skiprows": 1}),
        (TEXT, {"colspecs": [(0, 3), (4, 10), (11, 20)]}),
        (TEXT, {"widths": [4, 7, 9]}),
        (TEXT[13:], {"header": None}),
        (TEXT[13:], {"names": ["p", "q", "r"], "dtype": {"p": "float64"}}),
        (TEXT, {"infer_nrows": 12}),
    ],
)
@pytest.mark.parametrize("blocksize", [30, None])
def test_as_pandas(tmp_path, text, options, blocksize):
    path = tmp_path / "x.txt"
    path.write_text(text)
    pieces = FixedWidthPieces(find_files(path), options, blocksize)
    frames = [pieces.read(piece, None, ()) for piece in pieces.pieces]
    for frame in frames:
        assert_frame_equal(frame.iloc[:0], pieces.schema)
    assert_frame_equal(pd.concat(frames, ignore_index=True), pd.read_fwf(path, **options))
    last = tuple(pieces.schema.columns[-1:])
    assert pieces.read(pieces.pieces[0], last, ()).shape[1] == 1


def test_a_surprise(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("a  b\n" + "1  2\n" * 20 + "x  2\n")
    pieces = FixedWidthPieces(find_files(path), {}, 20, 30)
    with pytest.raises(ValueError, match=r"x\.txt, lines \d+ to \d+: column 'a' is str here"):
        for piece in pieces.pieces:
            pieces.read(piece, None, ())
