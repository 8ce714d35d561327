"""Frames of CSV files are those that pandas reads, wherever the files are cut."""

import csv
import gzip
import io
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from gpuscale.io.csv import CsvPieces
from gpuscale.io.csv_whole import WholeCsvPieces
from gpuscale.io.files import find_files

OLD = pd.__version__.startswith("3.0.")
# Years of three figures are no times where pandas 3.0 reads them.
EARLIEST = pd.Timestamp(1000 if OLD else 1, 1, 1).to_pydatetime()


def opened(path, blocksize=64 << 20, sample=256_000, compression=None, **options) -> CsvPieces:
    return CsvPieces(find_files(path), options, blocksize, sample, compression=compression)


def read(pieces: CsvPieces, columns=None) -> pd.DataFrame:
    """Concatenate all pieces, each of which is what the schema promises."""
    pieces = pickle.loads(pickle.dumps(pieces))
    schema = pieces.schema if columns is None else pieces.schema[list(columns)]
    frames = [pieces.read(piece, columns, ()) for piece in pieces.pieces]
    for frame in frames:
        assert_frame_equal(frame.iloc[:0], schema)
    return pd.concat(frames, ignore_index=True)


def check(tmp_path, text, blocksizes=(11, None), **options):
    """Compare with what pandas reads, for files cut at many places."""
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    expected = pd.read_csv(path, **options)
    for blocksize in blocksizes:
        assert_frame_equal(read(opened(path, blocksize, **options)), expected)
    return expected


PLAIN = "a,b,c\n1,x,1.5\n2,,2.5\n-3,zz,\n40,NA,1e30\n5,last,0.1\n"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (PLAIN, {}),
        (PLAIN.rstrip("\n"), {}),
        (PLAIN.replace("\n", "\r\n"), {}),
        (PLAIN.replace("\n", "\n\n  \n"), {}),
        (b"\xef\xbb\xbf" + PLAIN.encode(), {}),
        (PLAIN, {"usecols": ["c", "a"]}),
        (PLAIN, {"usecols": [2, 0]}),
        (PLAIN, {"usecols": lambda name: name != "b"}),
        (PLAIN, {"header": None, "skiprows": 1}),
        (PLAIN, {"header": 0, "names": ["p", "q", "r"]}),
        (PLAIN, {"header": None, "names": ["p", "q", "r"], "skiprows": 1}),
        ("made by\n\n" + PLAIN, {"skiprows": 1}),
        ("x\ny\n" + PLAIN, {"header": 2}),
        (PLAIN.replace(",", ";"), {"sep": ";"}),
        (PLAIN.replace(",", "\t"), {"delimiter": "\t"}),
        ("a  b\n1    x\n2 y\n", {"sep": r"\s+"}),
        (PLAIN.replace(".", "!").replace(",", ";"), {"sep": ";", "decimal": "!"}),
        (PLAIN, {"dtype": {"a": "float64", "c": "float32"}}),
        (PLAIN, {"dtype": {"a": "Int64", "b": "string"}}),
        (PLAIN, {"dtype": "str"}),
        (PLAIN, {"dtype": {"b": pd.CategoricalDtype(["x", "zz", "last"])}}),
        (PLAIN, {"dtype": {"b": object}}),
        (PLAIN, {"dtype_backend": "numpy_nullable"}),
        (PLAIN, {"dtype_backend": "pyarrow"}),
        (PLAIN, {"na_values": ["zz", "last"]}),
        (PLAIN, {"na_values": {"a": [-3], "b": ["x"]}, "dtype": {"a": "float64"}}),
        (PLAIN, {"na_values": [40], "dtype": {"a": "float64"}}),
        (PLAIN, {"na_values": ["40"], "dtype": {"a": "float64"}}),
        (PLAIN, {"keep_default_na": False, "usecols": ["a", "b"]}),
        (PLAIN, {"na_filter": False, "usecols": ["a", "b"]}),
        (PLAIN, {"converters": {"b": str.upper}}),
        (PLAIN, {"converters": {1: len}, "usecols": ["b"]}),
        (PLAIN + "# 6,x,1\n7,y,2#z\n", {"comment": "#"}),
        ("a,b\n1 000,2\n2 000,3\n", {"thousands": " "}),
        ("a, b\n1, x\n2, y\n", {"skipinitialspace": True}),
        ("a,b\n1, x\n2, y \n", {}),
        ("a,b\nx\\,y,1\nz,2\n", {"escapechar": "\\"}),
        ("a,b\n'x,y',1\n'it''s',2\n", {"quotechar": "'"}),
        ('a,b\n5",1\n6",2\n7",3\n', {"quoting": csv.QUOTE_NONE}),
        ('"a","b"\n"x,y",1\n"say ""hi""",2\nplain,3\n', {}),
        ("a,b\nyes,1\nno,2\n", {"true_values": ["yes"], "false_values": ["no"]}),
        ("a,b\nTrue,1\nFALSE,2\ntrue,3\n", {}),
        ("a,b\nTrue,1\n,2\nFalse,3\n", {"dtype": {"a": object}}),
        ("a,b\n1\n2,3\n4,\n", {}),
        ("a,b\n\n1,2\n\n3,4\n", {"skip_blank_lines": False, "dtype": "float64"}),
        ("a\n\n1\n\n3\n", {"skip_blank_lines": False, "dtype": "float64"}),
        ("a,b,a\n1,2,3\n4,5,6\n", {}),
        ("a\n1\n\n2\n", {}),
        ("a\nx\n \ny\n", {}),
        ("a,b\n+1,x\n02,y\n", {}),
        ("a,b\n0x1F,1\n0x2F,2\n", {}),
        ("a,b\n1,9223372036854775808\n2,18446744073709551615\n", {}),
        ("a,b\ninf,1\n-Infinity,2\nnan,3\n", {}),
        ("a,b\nä,é\nö,ü\n".encode("latin-1"), {"encoding": "latin-1"}),
        ("a,b\n1,2\n3,4,5\n6,7\n", {"on_bad_lines": "skip"}),
        ('a,b\n1,x"y\n2,x"y\n3,z\n4,x"\n', {"usecols": ["a"]}),
        ('a,b\nx"y,1\nx"y,1\n', {}),
        ("a,b\n1.5,nan\n2,NAN\n", {}),
        ("a,b\n", {}),
        ("a,b\n", {"dtype": {"a": "int64"}}),
    ],
)
def test_as_pandas(tmp_path, text, options):
    check(tmp_path, text, **options)


@pytest.mark.parametrize(
    ("dates", "options"),
    [
        (["2024-01-01 10:00:00", "2024-01-02 11:30:15", "", "2024-12-31 00:00:00"], {}),
        (["2024-01-01", "2024-01-02", "", "2023-12-31"], {}),
        (["2024-01-01T10:00:00.5", "2024-01-01T10:00:00.25", "NaT", "NaT"], {}),
        (["2024-01-01 10:00:00+01:00"] * 3, {}),
        (["2024-01-01 10:00:00Z"] * 3, {}),
        (["01/02/2024", "02/01/2024", "03/12/2024", "03/11/2024"], {}),
        (["13/02/2024", "02/01/2024", "03/12/2024", "03/11/2024"], {"dayfirst": True}),
        (["02.01.2024", "13.01.2024"], {"date_format": "%d.%m.%Y"}),
        (["2024-01-01 10:00:00.123456789", "2024-01-01 10:00:00.000000001"], {}),
    ],
)
@pytest.mark.parametrize("labels", [["when"], [1]])
def test_dates(tmp_path, dates, options, labels):
    text = "n,when,s\n" + "".join(f"{k},{date},t\n" for k, date in enumerate(dates))
    check(tmp_path, text, (9, None), parse_dates=labels, **options)


@pytest.mark.filterwarnings("ignore:Could not infer format")
def test_dates_that_are_none_stay_texts(tmp_path):
    check(tmp_path, "n,when\n1,no date\n2,at all\n", parse_dates=["when"])


def test_dates_of_which_the_first_lines_have_none(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("n,when\n" + "1,\n" * 10 + "1,2024-01-01 10:00:00.25\n")
    found = read(opened(path, 15, sample=20, parse_dates=["when"]))
    assert_frame_equal(found, pd.read_csv(path, parse_dates=["when"]))


def test_finer_dates_late_in_a_file(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        "n,when\n" + "1,2024-01-01 10:00:00.5\n" * 5 + "1,2024-01-01 10:00:00.000000001\n"
    )
    with pytest.raises(ValueError, match="column 'when' is datetime64"):
        read(opened(path, 40, sample=60, parse_dates=["when"]))


def test_texts_that_became_nulls_in_the_first_lines_are_texts_later(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,nan\n1,nan\n1,NAN\n")
    with pytest.raises(ValueError, match="column 'b' is float64, .*the first 'NAN'"):
        read(opened(path, 8, sample=12))


def test_dates_are_read_by_one_format_for_all_blocks(tmp_path):
    text = "n,when\n" + "1,02/01/2024\n" * 3 + "1,25/01/2024\n" * 3
    path = tmp_path / "x.csv"
    path.write_text(text)
    pieces = opened(path, 10, sample=30, parse_dates=["when"])
    with pytest.raises(ValueError, match=r"x\.csv, line 5: column 'when' is datetime.*25/01/2024"):
        read(pieces)


def test_texts_that_span_lines(tmp_path):
    rows = [f'{k},"line\nof {k}, and ""more""\n"' for k in range(20)]
    check(tmp_path, "a,b\n" + "\n".join(rows) + "\n", (1, 10, 25, 100, None))


def test_quotes_within_fields_beside_texts_that_span_lines(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + 'x"y,1\n' * 7 + '"p\nq",2\nx"y,3\n' * 9)
    for blocksize in (5, 8, 13, 30, None):
        try:
            assert_frame_equal(read(opened(path, blocksize)), pd.read_csv(path))
        except ValueError as error:
            assert "pass blocksize=None" in str(error)


def test_texts_that_span_lines_beyond_the_sample(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "1,x\n" * 30 + '2,"y\nz"\n' + "3,w\n" * 30)
    pieces = opened(path, 126, sample=50)
    with pytest.raises(ValueError, match="spans lines, or its end is missing; pass blocksize=None"):
        read(pieces)
    assert_frame_equal(read(opened(path, None, sample=50)), pd.read_csv(path))


@pytest.mark.parametrize(
    ("late", "options", "message"),
    [
        ("1.5,x,1", {}, r"column 'a' is int64, .*the first '1\.5'; pass dtype=\{'a': 'float64'\}"),
        (
            ",x,1",
            {},
            r"column 'a' is int64, .* the first none at all; pass dtype=\{'a': 'float64'\}",
        ),
        ("what,x,1", {}, r"column 'a' is int64, .*'what'; pass dtype=\{'a': 'str'\}"),
        ("0x1F,x,1", {}, r"column 'a' is int64, .*'0x1F'; pass dtype=\{'a': 'str'\}"),
        ("99999999999999999999,x,1", {}, r"column 'a' is int64, .*'99999999999999999999'"),
        ("1,x,what", {}, r"column 'c' is float64, .*'what'; pass dtype=\{'c': 'str'\}"),
        pytest.param(
            "300,x,1",
            {"dtype": {"a": "int8"}},
            "column 'a' is int8, as dtype= has it, .*'300'",
            marks=pytest.mark.skipif(OLD, reason="pandas 3.0 reads 300 as 44"),
        ),
        ("what,x,1", {"dtype": {"a": "int64"}}, "column 'a' is int64, as dtype= has it, .*'what'"),
        ("1,x,1,1", {}, r"Expected 3 fields, saw 4; mend the line"),
    ],
)
def test_surprises_late_in_a_file(tmp_path, late, options, message):
    path = tmp_path / "x.csv"
    path.write_text("a,b,c\n" + "1,x,1.5\n" * 50 + late + "\n" + "2,y,2.5\n" * 10)
    for blocksize in (100, 1000):
        with pytest.raises(ValueError, match=rf"x\.csv, line 52: {message}"):
            read(opened(path, blocksize, sample=80, **options))


def test_numbers_of_any_size_beside_small_ones(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a\n" + "1\n" * 50 + "9" * 23 + "\n")
    with pytest.raises(ValueError, match="'a' is of objects in the first lines, and int64 here; p"):
        read(opened(path, 50))


def test_a_surprise_whose_line_is_not_sure_names_the_block(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "1,x\n\n" * 50 + "1.5,x\n")
    with pytest.raises(ValueError, match=r"x\.csv, lines \d+ to 102: column 'a'"):
        read(opened(path, 100, sample=40))


def test_many_files(tmp_path):
    for k in range(11):
        header = "a,b\n" if k % 2 else '"a","b"\n'
        (tmp_path / f"{k}.csv").write_text(header + f"{k},x\n{k},y\n")
    frame = read(opened(tmp_path / "*.csv", 6))
    assert frame.a.tolist() == [k for k in range(11) for _ in range(2)]  # 9 comes before 10
    assert frame.b.tolist() == ["x", "y"] * 11
    some = read(opened([tmp_path / "3.csv", tmp_path / "1.csv"]))
    assert some.a.tolist() == [3, 3, 1, 1]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("a,c\n1,2\n", r"1\.csv has a column 'c', and .*0\.csv has none"),
        ("a\n1\n", r"0\.csv has a column 'b', and .*1\.csv has none"),
        ("b,a\n1,2\n", r"the columns of .*1\.csv are \['b', 'a'\]"),
    ],
)
def test_headers_that_differ(tmp_path, other, message):
    (tmp_path / "0.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "1.csv").write_text(other)
    with pytest.raises(ValueError, match=message):
        read(opened(tmp_path / "*.csv"))


@pytest.mark.parametrize("make", [opened, lambda path: WholeCsvPieces(find_files(path), {})])
def test_files_without_rows_say_nothing_of_dtypes(tmp_path, make):
    for k, rows in enumerate(("", "1,x\n2,y\n", "")):
        (tmp_path / f"{k}.csv").write_text("a,b\n" + rows)
    assert_frame_equal(read(make(tmp_path / "*.csv")), pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    (tmp_path / "1.csv").write_text("a,b\n")
    assert list(read(make(tmp_path / "*.csv")).columns) == ["a", "b"]


@pytest.mark.parametrize("before", [0, 50])
def test_bytes_that_are_no_text(tmp_path, before):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n" + b"1,x\n" * before + b"2,\xff\n3,y\n")
    message = rf"x\.csv, line {before + 2}: byte 0xff is no text in utf-8; pass the encoding="
    with pytest.raises(ValueError, match=message):
        read(opened(path, 40, 40))
    with pytest.raises(ValueError, match=message):
        read(WholeCsvPieces(find_files(path), {"index_col": 0}))
    expected = pd.read_csv(path, encoding="latin-1")
    assert_frame_equal(read(opened(path, 40, 40, encoding="latin-1")), expected)


@pytest.mark.parametrize("columns", [("c",), ("b", "a"), ()])
def test_only_some_columns(tmp_path, columns):
    path = tmp_path / "x.csv"
    path.write_text(PLAIN)
    expected = pd.read_csv(path)[list(columns)]
    if columns:
        assert_frame_equal(read(opened(path, 10), columns), expected)
    assert sum(map(len, (opened(path, 10).read(p, columns, ()) for p in opened(path, 10).pieces)))


def test_compressed_files(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode()))
    assert_frame_equal(read(opened(path, compression="gzip")), pd.read_csv(path))
    path.write_bytes(gzip.compress((PLAIN + "x,y,1\n").encode()))
    with pytest.raises(ValueError, match=r"x\.csv\.gz, line 7: column 'a' is int64"):
        read(opened(path, sample=40, compression="gzip"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nrows": 3}, "takes no nrows=: take head"),
        ({"chunksize": 3}, "takes no chunksize=: partitions"),
        ({"index_col": "a"}, "with index_col=; pass blocksize=None.*or call set_index"),
        ({"header": [0, 1]}, "a header of several rows; pass blocksize=None"),
        ({"skiprows": [1]}, "with skiprows= that is no number; pass blocksize=None"),
        ({"skipfooter": 1}, "cannot be read with skipfooter=; pass blocksize=None"),
        ({"encoding": "utf-16"}, "with encoding='utf-16'; pass blocksize=None"),
        ({"dtype": "category"}, "categories of column 'a' depend on all of its values"),
        ({"names": ["a"], "header": 0}, "have 3 fields, and there are 1 names; pass names="),
        ({"usecols": ["z"]}, "do not match columns"),
    ],
)
def test_options_that_cannot_be(tmp_path, options, message):
    path = tmp_path / "x.csv"
    path.write_text(PLAIN)
    with pytest.raises(ValueError, match=message):
        opened(path, 10, **options)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("a,a\nx,y\n1,2\n3,4\n", {"header": [0, 1]}),
        (PLAIN, {"skiprows": [1, 3]}),
        (PLAIN, {"index_col": "b"}),
        (PLAIN, {"skipfooter": 1, "engine": "python"}),
        (PLAIN.replace(",", "||"), {"sep": r"\|\|", "engine": "python"}),
        (PLAIN.encode("utf-16"), {"encoding": "utf-16"}),
    ],
)
def test_whole_files_take_any_option(tmp_path, text, options):
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    pieces = WholeCsvPieces(find_files(path), options)
    (piece,) = pieces.pieces
    assert_frame_equal(pieces.read(piece, None, ()), pd.read_csv(path, **options))


def test_whole_files_that_differ(tmp_path):
    for k, text in enumerate(["a,b\n1,2\n", "a,c\n1,2\n", "a,b\n1,x\n", 'a,b\n1,"2\n']):
        (tmp_path / f"{k}.csv").write_text(text)
    pieces = WholeCsvPieces(find_files(tmp_path / "*.csv"), {"skiprows": []})
    for piece, message in zip(
        pieces.pieces[1:],
        [r"columns of .*1\.csv are \['a', 'c'\]", r"2\.csv: column 'b' is str", r"3\.csv: "],
        strict=True,
    ):
        with pytest.raises(ValueError, match=message):
            pieces.read(piece, None, ())


def test_files_that_change(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(PLAIN)
    pieces = opened(path)
    assert opened(path).token == pieces.token != opened(path, usecols=["a"]).token
    path.write_text(PLAIN + "1,x,1\n")
    with pytest.raises(ValueError, match=r"x\.csv has changed since it was opened"):
        read(pieces)
    assert opened(path).token != pieces.token


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file matches"):
        opened(tmp_path / "*.csv")
    with pytest.raises(FileNotFoundError, match=r"x\.csv"):
        opened(tmp_path / "x.csv")
    with pytest.raises(IsADirectoryError, match="is a folder; name its files"):
        opened(tmp_path)


def test_stores_elsewhere():
    import fsspec

    fs = fsspec.filesystem("memory")
    fs.pipe("/csv/x.csv", PLAIN.encode())
    expected = pd.read_csv(io.StringIO(PLAIN))
    assert_frame_equal(read(opened("memory://csv/*.csv", 9)), expected)


def test_projected_bytes(tmp_path):
    path = tmp_path / "x.csv"
    pd.DataFrame({"a": range(1000), "b": np.arange(1000) / 3}).to_csv(path, index=False)
    pieces = opened(path, 5000)
    assert pieces.row_bytes(("a",)) == 8
    assert 12_000 < sum(piece.nbytes for piece in pieces.pieces) < 20_000


TEXTS = st.text(st.sampled_from('ab0. ,"\n;-é'), max_size=6)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1),
            st.floats(),
            TEXTS,
            st.one_of(st.none(), st.datetimes(min_value=EARLIEST)),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    blocksize=st.integers(20, 200),
)
def test_any_values(tmp_path_factory, rows, blocksize):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    frame = pd.DataFrame(rows, columns=["i", "f", "t", "d", "b"])
    frame["d"] = pd.to_datetime(frame["d"]).dt.floor("s")
    frame.to_csv(path, index=False, date_format="%Y-%m-%d %H:%M:%S")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pd.read_csv(path, parse_dates=["d"]).astype({"d": "datetime64[us]"})
        found = read(opened(path, blocksize, parse_dates=["d"]))
    assert_frame_equal(found, expected, rtol=1e-15)
