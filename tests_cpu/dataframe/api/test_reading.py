"""What users read from files is what pandas reads."""

import datetime

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.io import parquet as reader
from gpuscale.testing.frames import assert_eq


@pytest.fixture
def pdf():
    numbers = np.arange(60)
    return pd.DataFrame(
        {
            "x": numbers,
            "y": numbers / 8,
            "name": pd.Series([f"n{k % 7}" for k in numbers], dtype="str").mask(numbers % 5 == 0),
        }
    )


@pytest.fixture
def parquet(tmp_path, pdf):
    pdf.to_parquet(tmp_path / "x.parquet", row_group_size=20)
    return tmp_path / "x.parquet"


@pytest.fixture
def csv(tmp_path, pdf):
    for k in range(3):
        pdf[20 * k : 20 * (k + 1)].to_csv(tmp_path / f"{k}.csv", index=False)
    return tmp_path / "*.csv"


def test_parquet(parquet, pdf):
    df = gd.read_parquet(parquet, split_row_groups=True)
    assert (df.npartitions, df.divisions, len(df)) == (3, (0, 20, 40, 59), 60)
    assert_eq(df, pdf)
    assert_eq(df[(df.x > 30) & (df.name == "n3")].y, pdf[(pdf.x > 30) & (pdf.name == "n3")].y)
    assert_eq(df.y.sum(), pdf.y.sum())
    assert_eq(gd.read_parquet(parquet, columns="y"), pdf.y)
    assert_eq(gd.read_parquet(str(parquet), ["name", "x"]), pdf[["name", "x"]])
    assert_eq(gd.read_parquet([parquet, parquet]).x.count(), 120)


@pytest.mark.parametrize(
    ("filters", "mask"),
    [
        ([("x", ">", 30), ("name", "==", "n3")], lambda f: (f.x > 30) & (f.name == "n3")),
        ([[("x", "<", 5)], [("y", ">=", 7)]], lambda f: (f.x < 5) | (f.y >= 7)),
        ([("name", "in", ["n1", "n2"])], lambda f: f.name.isin(["n1", "n2"])),
        ([("name", "not in", {"n1"}), ("x", "!=", 6)], lambda f: ~f.name.isin(["n1"]) & (f.x != 6)),
    ],
)
def test_filters_are_masks(parquet, pdf, filters, mask):
    assert_eq(gd.read_parquet(parquet, filters=filters), pdf[mask(pdf)])
    assert_eq(gd.read_parquet(parquet, ["y"], filters), pdf[mask(pdf)][["y"]])


def test_filters_that_are_none(parquet):
    with pytest.raises(ValueError, match=r"filters are \(column, comparison, value\)"):
        gd.read_parquet(parquet, filters=[("x", "~", 3)])


def test_footers_are_read_again_where_a_file_has_changed(tmp_path, monkeypatch):
    path, calls, read = tmp_path / "x.parquet", [], reader.read_footers
    monkeypatch.setattr(reader, "read_footers", lambda files: calls.append(files) or read(files))
    for rows in (3, 5):
        frame = pd.DataFrame({"x": range(rows), "y": range(rows)})
        frame.to_parquet(path)
        for _ in range(2):
            assert_eq(gd.read_parquet(path), frame)
            assert_eq(gd.read_parquet(path, columns=["y"]), frame[["y"]])
            assert_eq(gd.read_parquet(path, index=["x"]), frame.set_index("x"))
    assert len(calls) == 6


def test_csv(csv, pdf):
    df = gd.read_csv(csv, blocksize=200)
    assert df.npartitions > 3
    assert_eq(df.x.sum(), pdf.x.sum())
    assert df.compute().reset_index(drop=True).equals(pdf)
    assert_eq(df[df.name == "n3"].y.mean(), pdf[pdf.name == "n3"].y.mean())
    assert gd.read_csv(csv, blocksize=None).npartitions == 3
    assert_eq(gd.read_csv(csv, blocksize=None, skipfooter=1, engine="python").x.count(), 57)


def test_a_surprise_names_column_file_and_line(csv, tmp_path):
    with open(tmp_path / "1.csv", "a") as file:
        file.write("1.5,2,z\n")
    with pytest.raises(ValueError, match=r"1\.csv, line 22: column 'x' is int64.*dtype=\{'x'") as e:
        gd.read_csv(csv).x.sum().compute()
    assert "written at" in e.value.__notes__[0]


def test_table(tmp_path, pdf):
    pdf.to_csv(tmp_path / "x.tsv", sep="\t", index=False)
    assert_eq(gd.read_table(tmp_path / "x.tsv"), pdf)


def test_dates_of_arrow_equal_no_text(tmp_path):
    pdf = pd.DataFrame({"when": pd.date_range("2024", periods=4, unit="us"), "x": range(4)})
    pdf.to_parquet(tmp_path / "x.parquet")
    for options in ({}, {"dtype_backend": "pyarrow"}):
        df = gd.read_parquet(tmp_path / "x.parquet", **options)
        expected = pd.read_parquet(tmp_path / "x.parquet", **options)
        assert_eq(df[df.when == "2024-01-02"], expected[expected.when == "2024-01-02"])


def test_dates_are_compared_in_the_file(tmp_path):
    pdf = pd.DataFrame({"day": [datetime.date(2024, 1, k) for k in range(1, 31)], "x": range(30)})
    pdf.loc[5, "day"] = None
    pdf.to_parquet(tmp_path / "x.parquet", row_group_size=10)
    for options in ({}, {"dtype_backend": "pyarrow"}):
        df = gd.read_parquet(tmp_path / "x.parquet", split_row_groups=True, **options)
        expected = pd.read_parquet(tmp_path / "x.parquet", **options)
        late = datetime.date(2024, 1, 22)
        chosen = df[df.day > late].x
        assert "filter" not in str(chosen.explain())
        assert_eq(chosen, expected[expected.day > late].x)
        for kept, rows in (
            (df.day <= late, expected.day <= late),
            (df.day != late, expected.day != late),
        ):
            assert_eq(df[kept & (df.x > 2)].day, expected[rows & (expected.x > 2)].day)


def test_options_that_name_columns(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n7,x\n8,y\n")
    with pytest.raises(ValueError, match="index_col"):
        gd.read_csv(path, index_col=0)
    assert_eq(gd.read_csv(path, index_col=0, blocksize=None), pd.read_csv(path, index_col=0))
    options = {"dtype": {"a": "float64", "nowhere": "int8", 1: "object"}}
    assert_eq(gd.read_csv(path, **options), pd.read_csv(path, **options))


def test_lines_that_end_as_on_old_computers(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\r1,x\r2,y\r")
    with pytest.raises(ValueError, match="lineterminator"):
        gd.read_csv(path)
    options = {"lineterminator": "\r"}
    assert_eq(gd.read_csv(path, blocksize=None, **options), pd.read_csv(path, **options))
