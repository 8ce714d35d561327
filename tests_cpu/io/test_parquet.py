"""Frames of Parquet files are those that pandas reads, whatever is read of them."""

import datetime
import decimal
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from gpuscale.io.files import find_files
from gpuscale.io.parquet import ParquetPieces
from gpuscale.io.parquet_cuts import cut
from gpuscale.io.parquet_footers import RowGroup

ROWS = 12


def every_dtype() -> pd.DataFrame:
    numbers = np.arange(ROWS)
    null = numbers % 5 == 3
    texts = pd.Series([f"t{k % 4}" for k in numbers], dtype="str")
    frame = pd.DataFrame(
        {
            "int8": numbers.astype("int8"),
            "uint64": numbers.astype("uint64") + 2**63,
            "float32": numbers.astype("float32") / 7,
            "float64": np.where(null, np.nan, numbers / 3),
            "bool": numbers % 2 == 0,
            "str": texts.mask(null),
            "Int64": pd.array(np.where(null, None, numbers), "Int64"),
            "boolean": pd.array(np.where(null, None, numbers > 4), "boolean"),
            "string": texts.astype("string").mask(null),
            "arrow": pd.array(texts.mask(null), pd.ArrowDtype(pa.string())),
            "category": pd.Categorical(texts.mask(null), categories=["t3", "t0", "t1", "t2", "t9"]),
            "ordered": pd.Categorical(texts, categories=["t3", "t0", "t1", "t2"], ordered=True),
            "naive": pd.date_range("2024-01-01", periods=ROWS, freq="h", unit="us"),
            "ns": pd.date_range("2024-01-01", periods=ROWS, freq="h", unit="ns"),
            "aware": pd.date_range("2024-01-01", periods=ROWS, freq="h", tz="Europe/Berlin"),
            "delta": pd.to_timedelta(numbers, unit="s"),
            "date": [datetime.date(2024, 1, 1 + k) if k != 2 else None for k in numbers],
            "decimal": [decimal.Decimal(int(k)) / 4 for k in numbers],
            "bytes": [b"x" * k for k in numbers],
        }
    )
    frame["list"] = [list(range(k % 3)) for k in numbers]
    frame["struct"] = [{"a": int(k), "b": "x"} for k in numbers]
    return frame


def opened(path, **options) -> ParquetPieces:
    return ParquetPieces(find_files(path, folders=True), **options)


def read(pieces: ParquetPieces, columns=None, predicate=()) -> pd.DataFrame:
    """Concatenate all pieces, each of which is what the schema promises."""
    pieces = pickle.loads(pickle.dumps(pieces))
    schema = pieces.schema if columns is None else pieces.schema[list(columns)]
    frames = []
    for piece in pieces.pieces:
        frame = pieces.read(piece, columns, predicate)
        assert_frame_equal(frame.iloc[:0], schema, check_column_type=True)
        if not predicate:
            assert piece.rows is None or len(frame) == piece.rows
        frames.append(frame)
    return pd.concat(frames)


@pytest.mark.parametrize("row_group_size", [5, 100])
@pytest.mark.parametrize("dtype_backend", [None, "numpy_nullable", "pyarrow"])
def test_all_dtypes(tmp_path, row_group_size, dtype_backend):
    path = tmp_path / "x.parquet"
    every_dtype().to_parquet(path, row_group_size=row_group_size)
    options = {} if dtype_backend is None else {"dtype_backend": dtype_backend}
    expected = pd.read_parquet(path, **options)
    pieces = opened(path, split_row_groups=True, dtype_backend=dtype_backend)
    assert len(pieces.pieces) == -(-ROWS // row_group_size)
    assert_frame_equal(read(pieces), expected)
    assert_frame_equal(read(pieces, ("str", "int8")), expected[["str", "int8"]])


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(ROWS),
        pd.RangeIndex(10, 10 + 3 * ROWS, 3, name="n"),
        pd.Index(np.arange(ROWS)[::-1], name="k"),
        pd.Index(list("abcdefghijkl")),
        pd.date_range("2024", periods=ROWS, tz="UTC", name="when"),
        pd.MultiIndex.from_product([["a", "b"], range(6)], names=["x", None]),
    ],
)
def test_the_index_is_what_pandas_has_noted(tmp_path, index):
    frame = pd.DataFrame({"a": range(ROWS), "b": np.arange(ROWS) / 2}, index=index)
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=5)
    expected = pd.read_parquet(tmp_path / "x.parquet")
    pieces = opened(tmp_path / "x.parquet", split_row_groups=True)
    assert_frame_equal(read(pieces), expected, check_freq=False)
    assert_frame_equal(read(pieces, ("b",)), expected[["b"]], check_freq=False)
    assert_frame_equal(read(pieces, ()), expected[[]], check_freq=False)
    met = (("a", ">", 3), ("a", "!=", 7))
    kept = expected[(expected.a > 3) & (expected.a != 7)]
    assert_frame_equal(read(pieces, ("b",), met), kept[["b"]], check_freq=False)


def test_the_index_may_be_chosen(tmp_path):
    frame = pd.DataFrame({"a": range(3), "b": range(3)}, index=pd.Index(list("xyz"), name="k"))
    frame.to_parquet(tmp_path / "x.parquet")
    path = tmp_path / "x.parquet"
    assert_frame_equal(read(opened(path, index=False)), frame.reset_index()[["a", "b", "k"]])
    assert_frame_equal(
        read(opened(path, index="a")), frame.reset_index().set_index("a")[["b", "k"]]
    )
    assert_frame_equal(read(opened(path, columns=["b"])), frame[["b"]])


def test_labels_that_are_no_texts(tmp_path):
    frame = pd.DataFrame(np.eye(3), columns=pd.Index([3, 1, 2], name="c"))
    frame.to_parquet(tmp_path / "x.parquet")
    expected = pd.read_parquet(tmp_path / "x.parquet")
    pieces = opened(tmp_path / "x.parquet")
    assert_frame_equal(read(pieces), expected)
    assert_frame_equal(read(pieces, (2, 3)), expected[[2, 3]])


def test_known_rows_and_divisions(tmp_path):
    for k, rows in enumerate([4, 0, 3]):
        pd.DataFrame({"a": range(rows)}).to_parquet(tmp_path / f"{k}.parquet")
    pieces = opened(tmp_path, split_row_groups=False)
    assert [piece.rows for piece in pieces.pieces] == [4, 3]
    assert pieces.divisions == (0, 4, 6)
    assert_frame_equal(read(pieces), pd.read_parquet(tmp_path))
    assert [piece.rows for piece in opened(tmp_path).pieces] == [7]  # small files together


@pytest.mark.parametrize(
    ("index", "divisions"),
    [
        (pd.Index([1, 3, 5, 7, 9], name="k"), (1, 5, 9, 9)),
        (pd.Index([1, 3, 3, 7, 9]), None),  # a label in two pieces
        (pd.Index([9, 3, 5, 7, 9]), None),
        (pd.Index([1.0, 3, 5, 7, None]), None),
        (pd.Index(list("abcde")), None),
        (
            pd.date_range("2024", periods=5, unit="us"),
            tuple(pd.date_range("2024", periods=5)[[0, 2, 4, 4]]),
        ),
    ],
)
def test_divisions_of_a_stored_index(tmp_path, index, divisions):
    pd.DataFrame({"a": range(5)}, index).to_parquet(tmp_path / "x.parquet", row_group_size=2)
    options = {"split_row_groups": True, "is_sorted": True}
    assert opened(tmp_path / "x.parquet", **options).divisions == divisions
    assert opened(tmp_path / "x.parquet", split_row_groups=True).divisions is None


def test_an_index_that_is_not_sorted(tmp_path):
    pd.DataFrame({"a": range(3)}, pd.Index([1, 3, 2])).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"x\.parquet: the index is not sorted; leave out"):
        read(opened(tmp_path / "x.parquet", is_sorted=True))


def test_no_rows_at_all(tmp_path):
    every_dtype().iloc[:0].to_parquet(tmp_path / "x.parquet")
    pieces = opened(tmp_path / "x.parquet")
    assert [piece.rows for piece in pieces.pieces] == [0]
    assert_frame_equal(read(pieces), pd.read_parquet(tmp_path / "x.parquet"))


def test_nulls_in_one_file_decide_for_all(tmp_path):
    pq.write_table(pa.table({"a": [1, 2], "b": [True, False]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"a": [3, None], "b": [None, True]}), tmp_path / "1.parquet")
    options = {"write_statistics": False}
    pq.write_table(pa.table({"a": [3, 4], "b": [False, True]}), tmp_path / "2.parquet", **options)
    expected = pd.read_parquet(tmp_path)
    assert expected.dtypes.tolist() == ["float64", "object"]
    assert_frame_equal(read(opened(tmp_path, split_row_groups=False)), expected)


def test_categories_of_all_files(tmp_path):
    for k, texts in enumerate([["b", "a"], ["c", "a"]]):
        frame = pd.DataFrame({"c": pd.Categorical(texts, categories=texts)})
        frame.to_parquet(tmp_path / f"{k}.parquet")
    pieces = opened(tmp_path, split_row_groups=False)
    assert list(pieces.schema.c.cat.categories) == ["b", "a", "c"]
    assert_frame_equal(read(pieces), pd.read_parquet(tmp_path))


def test_columns_of_folders(tmp_path):
    frame = pd.DataFrame(
        {"a": range(6), "year": [2023, 2024] * 3, "city": ["x", "x", "y/z", "y/z", "x", "x"]}
    )
    frame.to_parquet(tmp_path / "d", partition_cols=["year", "city"])
    pieces = opened(tmp_path / "d")
    expected = pd.read_parquet(tmp_path / "d")
    assert_frame_equal(read(pieces), expected)
    assert_frame_equal(read(pieces, ("city",)), expected[["city"]])
    met = (("year", "==", 2024), ("city", "==", "x"))
    kept = expected[(expected.year == 2024) & (expected.city == "x")]
    assert_frame_equal(read(pieces, ("a",), met), kept[["a"]])
    with_rows = [p for p in pieces.pieces if len(pieces.read(p, ("a",), met))]
    assert 0 < len(with_rows) < len(pieces.pieces)


def test_a_folder_may_stand_for_nulls(tmp_path):
    frame = pd.DataFrame({"a": range(3), "city": ["x", None, "x"]})
    frame.to_parquet(tmp_path / "d", partition_cols=["city"])
    cities = read(opened(tmp_path / "d")).city
    assert sorted(map(str, cities)) == ["nan", "x", "x"]
    assert list(cities.cat.categories) == ["x"]


VALUES = {
    "int8": 4,
    "uint64": 2**63 + 5,
    "float32": 0.5714285969734192,
    "float64": 2.0,
    "bool": True,
    "str": "t1",
    "Int64": 5,
    "string": "t2",
    "arrow": "t2",
    "naive": pd.Timestamp("2024-01-01 05:00"),
    "ns": "2024-01-01 05:00",
    "aware": pd.Timestamp("2024-01-01 05:00", tz="Europe/Berlin"),
    "delta": pd.Timedelta("6s"),
    "date": datetime.date(2024, 1, 7),
    "decimal": decimal.Decimal("1.5"),
}


@pytest.mark.parametrize("column", VALUES)
def test_predicates_are_those_of_pandas(tmp_path, column):
    every_dtype()[[*{"int8": 0, column: 0}]].to_parquet(tmp_path / "x.parquet", row_group_size=6)
    frame = pd.read_parquet(tmp_path / "x.parquet")
    pieces = opened(tmp_path / "x.parquet", split_row_groups=True)
    value = VALUES[column]
    masks = {
        "==": frame[column] == value,
        "!=": frame[column] != value,
        "<": frame[column] < value,
        "<=": frame[column] <= value,
        ">": frame[column] > value,
        ">=": frame[column] >= value,
    }
    for comparison, mask in masks.items():
        met = ((column, comparison, value),)
        assert_frame_equal(read(pieces, ("int8",), met), frame[mask][["int8"]])
    if column != "ns":
        for comparison, mask in {
            "in": frame[column].isin([value, None]),
            "not in": ~frame[column].isin([value, None]),
        }.items():
            met = ((column, comparison, (value, None)),)
            assert_frame_equal(read(pieces, None, met), frame[mask])


@pytest.mark.parametrize("dtype_backend", [None, "numpy_nullable", "pyarrow"])
def test_few_texts_are_compared_once_each(tmp_path, dtype_backend):
    texts = pd.Series([*"abcde"] * 80).mask(np.arange(400) % 7 == 0)
    long = pd.Series([f"text {k}" for k in range(400)])
    (tmp_path / "d").mkdir()
    for number, some in enumerate([texts, texts.map({"a": "x", "b": "b", "c": "c"})]):
        frame = pd.DataFrame({"k": range(400), "s": some, "arrow": some, "long": long})
        frame = frame.astype({"s": "str", "arrow": "string[pyarrow]"})
        frame.to_parquet(tmp_path / "d" / f"{number}.parquet", row_group_size=250)
    pieces = opened(tmp_path / "d", dtype_backend=dtype_backend, blocksize=1 << 20)
    assert pieces._encoded == {"s", "arrow"}
    options = {} if dtype_backend is None else {"dtype_backend": dtype_backend}
    names = sorted((tmp_path / "d").iterdir())
    frame = pd.concat([pd.read_parquet(name, **options) for name in names])
    found = read(pieces)
    assert_frame_equal(found.reset_index(drop=True), frame.reset_index(drop=True))
    for column in ("s", "arrow"):
        each = frame[column]
        masks = {"==": each == "b", "!=": each != "b", ">": each > "b", "in": each.isin(["x", "e"])}
        for comparison, mask in masks.items():
            met = ((column, comparison, ("x", "e") if comparison == "in" else "b"), ("k", ">", 3))
            mask = mask.fillna(False).astype(bool) & (frame.k > 3).astype(bool)
            for columns in (("k", "long"), ("s", "arrow", "k")):
                found = read(pieces, columns, met).reset_index(drop=True)
                assert_frame_equal(found, frame[mask][list(columns)].reset_index(drop=True))


def test_row_groups_without_a_chance_are_not_read(tmp_path, monkeypatch):
    frame = pd.DataFrame({"a": range(20), "b": range(20)})
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=5)
    pieces = opened(tmp_path / "x.parquet", split_row_groups=True)
    opens = []
    monkeypatch.setattr(pieces, "_row_groups", lambda *asked: opens.append(asked))
    for piece in pieces.pieces[1:]:
        assert pieces.read(piece, ("b",), (("a", "<", 5),)).empty
    assert opens == []


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            {"a": ["x"], "b": [1]},
            r"column 'a' is int64 in .*0\.parquet, and string in .*1\.parquet",
        ),
        ({"a": [1]}, r"0\.parquet has a column 'b', and .*1\.parquet has none"),
        ({"a": [1], "b": [1], "c": [1]}, r"1\.parquet has a column 'c', and .*0\.parquet has none"),
    ],
)
def test_files_that_differ(tmp_path, other, message):
    pq.write_table(pa.table({"a": [1], "b": [1]}), tmp_path / "0.parquet")
    pq.write_table(pa.table(other), tmp_path / "1.parquet")
    with pytest.raises(ValueError, match=rf"{message}; read them without it by columns="):
        opened(tmp_path)
    if "b" in other:
        assert read(opened(tmp_path, columns=["b"])).b.tolist() == [1, 1]


def test_a_column_without_values_takes_the_type_of_others(tmp_path):
    pq.write_table(pa.table({"a": pa.nulls(2)}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"a": ["x", None]}), tmp_path / "1.parquet")
    assert read(opened(tmp_path)).a.dtype == "str"


def test_files_that_are_damaged_or_change(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    whole = path.read_bytes()
    pieces = opened(path)
    path.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match=r"x\.parquet is no Parquet file, or is truncated"):
        opened(path)
    with pytest.raises(ValueError, match=r"x\.parquet has changed since it was opened"):
        read(pieces)
    path.write_bytes(whole[:20] + bytes(200) + whole[220:])
    with pytest.raises(ValueError, match=r"x\.parquet cannot be read"):
        read(opened(path))


def test_columns_that_do_not_exist(tmp_path):
    pd.DataFrame({"price": [1]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(KeyError, match="no column 'prize'; did you mean 'price'"):
        opened(tmp_path / "x.parquet", columns=["prize"])
    with pytest.raises(KeyError, match="no column 'k'; it has 'price'"):
        opened(tmp_path / "x.parquet", index="k")


def test_tokens_follow_files_and_options(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": [1], "b": [2]}).to_parquet(path)
    assert opened(path).token == opened(path).token
    others = [opened(path, columns=["a"]), opened(path, index="a"), opened(path, columns=["b"])]
    pd.DataFrame({"a": [1], "b": [3]}).to_parquet(path)
    tokens = {each.token for each in [*others, opened(path)]}
    assert len(tokens) == 4


def test_pieces_by_bytes(tmp_path):
    pd.DataFrame({"a": np.arange(4000)}).to_parquet(tmp_path / "x.parquet", row_group_size=500)
    pieces = opened(tmp_path / "x.parquet", blocksize=8_000)
    assert [piece.rows for piece in pieces.pieces] == [1000] * 4
    assert [piece.nbytes for piece in pieces.pieces] == [8_000] * 4
    assert pieces.row_bytes(("a",)) == 8
    assert len(opened(tmp_path / "x.parquet", split_row_groups=3).pieces) == 3


def test_stores_elsewhere(tmp_path):
    import fsspec

    fs = fsspec.filesystem("memory")
    frame = pd.DataFrame({"a": range(5), "k": ["x", "y"] * 2 + ["x"]})
    frame.to_parquet(tmp_path / "d", partition_cols=["k"])
    fs.put(str(tmp_path / "d"), "/bucket/d", recursive=True)
    pieces = ParquetPieces(find_files("memory://bucket/d", folders=True))
    assert_frame_equal(read(pieces), pd.read_parquet(tmp_path / "d"))
    assert pieces.files.name(0).startswith("memory://")


def test_pieces_are_even_and_no_larger_than_asked_for():
    rng = np.random.default_rng(3)
    for nbytes in ([80] * 9 + [44], rng.integers(1, 300, 40).tolist(), [500, 1, 500]):
        groups = [RowGroup(0, k, 10, {"x": n}, {}) for k, n in enumerate(nbytes)]
        pieces = cut([groups], None, 512, 1, False)
        assert [group for piece in pieces for group in piece] == groups
        sizes = [sum(group.nbytes["x"] for group in piece) for piece in pieces]
        assert max(sizes) <= 512
        assert len(sizes) <= -(-sum(nbytes) // 256)
    alike = [RowGroup(0, k, 1, {"x": 80}, {}) for k in range(10)]
    assert [len(piece) for piece in cut([alike], None, 512, 1, False)] == [5, 5]


@pytest.mark.parametrize(("parts", "expected"), [(1, [4, 3, 3]), (2, [3, 3, 2, 2]), (64, [1] * 10)])
def test_there_are_pieces_for_each_worker_in_each_round(parts, expected):
    groups = [RowGroup(0, k, 1, {"x": 32 << 20}, {}) for k in range(10)]
    pieces = cut([groups], None, 128 << 20, parts, True)
    assert sorted(map(len, pieces), reverse=True) == sorted(expected, reverse=True)
