"""What is written is what pandas reads, and appears whole or not at all."""

import os
import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "x": np.arange(10),
        "y": np.arange(10) / 4,
        "name": pd.Series(["a", None, "b,c", 'd"', "e\nf"] * 2, dtype="str"),
        "kind": pd.Categorical(["u", "v"] * 5, categories=["v", "u"]),
        "when": pd.date_range("2024", periods=10, tz="UTC"),
    }
)


def made(pdf=PDF, npartitions=3):
    return gd.from_pandas(pdf, npartitions=npartitions)


def test_parquet_comes_back(tmp_path):
    made().to_parquet(tmp_path / "x")
    names = [f"part-0000{k}.parquet" for k in range(3)]
    assert sorted(os.listdir(tmp_path / "x")) == names
    assert os.listdir(tmp_path) == ["x"]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x"), PDF)
    assert_eq(gd.read_parquet(tmp_path / "x", split_row_groups=False), PDF)


@pytest.mark.parametrize("index", [pd.Index(list("abcdefghij"), name="k"), pd.RangeIndex(3, 13)])
def test_parquet_with_an_index(tmp_path, index):
    pdf = PDF.set_axis(index)
    made(pdf).to_parquet(tmp_path / "x", index=True)
    assert_eq(gd.read_parquet(tmp_path / "x"), pdf.set_axis(pd.Index(list(index), name=index.name)))
    made(pdf).to_parquet(tmp_path / "y", index=False)
    assert_eq(gd.read_parquet(tmp_path / "y"), PDF)


def test_parquet_in_folders(tmp_path):
    made().to_parquet(tmp_path / "x", partition_on=["kind", "name"])
    assert sorted(os.listdir(tmp_path / "x")) == ["kind=u", "kind=v"]
    df = gd.read_parquet(tmp_path / "x")
    assert df.npartitions == 10
    found = df.compute()
    assert sorted(found.x) == list(range(10))
    expected = PDF.sort_values("x").reset_index(drop=True)
    assert found.sort_values("x").name.astype("str").tolist() == pytest.approx(
        expected.name.tolist(), nan_ok=True
    )


def test_nothing_is_replaced_silently(tmp_path):
    path = tmp_path / "x"
    made().to_parquet(path)
    with pytest.raises(FileExistsError, match="exists; pass overwrite=True"):
        made().to_parquet(path)
    made(npartitions=2).to_parquet(path, overwrite=True)
    assert len(os.listdir(path)) == 2
    (path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="also holds 'notes.txt'"):
        made().to_parquet(path, overwrite=True)
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(FileExistsError, match="file of another kind"):
        made().to_parquet(file, overwrite=True)


def test_appending(tmp_path):
    path = tmp_path / "x"
    made().to_parquet(path, append=True)
    made().to_parquet(path, append=True)
    assert len(os.listdir(path)) == 6
    assert_eq(gd.read_parquet(path), pd.concat([PDF, PDF], ignore_index=True))
    with pytest.raises(ValueError, match="the frame has a column 'z', and .* has none"):
        made(PDF.assign(z=1)).to_parquet(path, append=True)
    with pytest.raises(ValueError, match="not both"):
        made().to_parquet(path, append=True, overwrite=True)
    assert len(os.listdir(path)) == 6


def test_what_is_appended_has_the_dtypes_that_are_there(tmp_path):
    path, objects = tmp_path / "x", pd.DataFrame({"x": [1, 2]}, dtype=object)
    numbers = pd.DataFrame({"x": [1, 2]})
    made(numbers, 1).to_parquet(path)
    with pytest.raises(ValueError, match="column 'x' is int64 in .*, and double in the frame: ast"):
        made(numbers / 2, 1).to_parquet(path, append=True)
    with pytest.raises(ValueError, match="column 'x' is int64 in .*, and string in"):
        made(objects.astype(str).astype(object), 1).to_parquet(path, append=True)
    made(objects, 1).to_parquet(path, append=True)
    assert_eq(gd.read_parquet(path), pd.concat([numbers, numbers], ignore_index=True))
    with pytest.raises(
        ValueError, match=r"name the columns \[\]: say partition_on=\[\], and not \['k'"
    ):
        made(numbers.assign(k=1), 1).to_parquet(path, append=True, partition_on="k")


def test_decimals_are_as_wide_as_they_have_to_be(tmp_path):
    prices = [Decimal("1.5"), Decimal("10.25"), None, Decimal("3"), None, Decimal("1234.5")]
    pdf = pd.DataFrame({"price": prices})
    made(pdf, 3).to_parquet(tmp_path / "x")
    assert pd.read_parquet(tmp_path / "x").price.dropna().tolist() == pdf.price.dropna().tolist()
    made(pdf[1:2].reset_index(drop=True) * 1000, 1).to_parquet(tmp_path / "x", append=True)
    found = gd.read_parquet(tmp_path / "x", blocksize="1 MiB").price.compute(engine="sync")
    assert found.dropna().tolist() == [*pdf.price.dropna(), Decimal(10250)]
    assert found.dropna().map(type).eq(Decimal).all()


NESTED = {
    "lists": [[1], [2], [], None],
    "without values": [{"a": 1, "b": None}, None, {"a": None, "b": []}, {"a": 2, "b": ["s"]}],
    "other fields": [{"a": 1}, {"a": None}, {"b": [2]}, {"b": []}],
    "decimals": [{"a": Decimal("1.5")}, {"a": Decimal("10.25")}, {"a": None}, {"a": Decimal(3)}],
}


@pytest.mark.parametrize("name", NESTED)
def test_what_is_nested_has_one_type_in_all_files(tmp_path, name):
    pdf = pd.DataFrame({"x": NESTED[name]})
    expected = pa.Table.from_pandas(pdf).column("x").to_pylist()
    for order in (slice(None), slice(None, None, -1)):
        made(pdf[order].reset_index(drop=True), 4).to_parquet(tmp_path / "x", overwrite=True)
        files = [pq.read_table(each) for each in sorted((tmp_path / "x").glob("*.parquet"))]
        assert all(each.schema.equals(files[0].schema) for each in files)
        assert pa.concat_tables(files).column("x").to_pylist() == expected[order]
        assert len(pd.read_parquet(tmp_path / "x")) == len(gd.read_parquet(tmp_path / "x"))


def test_files_of_more_than_two_types_are_told(tmp_path):
    for number, value in enumerate(([], [1], ["s"])):
        pd.DataFrame({"x": [value]}).to_parquet(tmp_path / f"{number}.parquet")
    with pytest.raises(ValueError, match=r"is list.*int64.* in .*1.parquet, and list.*2.parquet"):
        gd.read_parquet(tmp_path)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "string", "int64[pyarrow]"])
def test_folders_of_nulls(tmp_path, dtype):
    keys = pd.array([1, None, 0, None], dtype="Int64")
    pdf = pd.DataFrame({"k": pd.Series(keys).astype(dtype), "x": range(4)})
    for part in (pdf[:3], pdf[3:]):
        made(part, 1).to_parquet(tmp_path / "x", partition_on="k", append=True, index=False)
    found = gd.read_parquet(tmp_path / "x").compute(engine="sync").sort_values("x")
    assert found.x.tolist() == [0, 1, 2, 3]
    assert found.k.isna().tolist() == [False, True, False, True]
    lazy = gd.read_parquet(tmp_path / "x")
    first = found.k.iloc[0]
    assert lazy.x[lazy.k == first].compute(engine="sync").tolist() == [0]
    assert sorted(lazy.x[lazy.k != first].compute(engine="sync")) == [1, 2, 3]
    assert sorted(lazy.x[lazy.k.isna()].compute(engine="sync")) == [1, 3]


def failing(part):
    if 5 in part.x.tolist():
        raise RuntimeError("no")
    return part


@pytest.mark.parametrize("name", ["x", "x.csv", "x-*.csv"])
def test_a_run_that_fails_leaves_nothing(tmp_path, name):
    df = made().map_partitions(failing, meta=PDF.iloc[:0])
    write = df.to_csv if "csv" in name else df.to_parquet
    with pytest.raises(RuntimeError, match="no"):
        write(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_columns_that_cannot_be(tmp_path):
    pdf = pd.DataFrame({"a": [1, "x"]}, dtype=object)
    said = f"column 'a' is int64 in {re.escape(str(tmp_path))}/x/part-00000.parquet, and string in"
    with pytest.raises(ValueError, match=f"{said} .*: give all its rows values of one kind"):
        made(pdf, 2).to_parquet(tmp_path / "x")
    with pytest.raises(KeyError, match="no column 'kinds'; did you mean 'kind'"):
        made().to_parquet(tmp_path / "x", partition_on="kinds")
    with pytest.raises(ValueError, match="leaves no column"):
        made(PDF[["x"]]).to_parquet(tmp_path / "x", partition_on="x")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("options", [{}, {"index": False}, {"sep": ";", "na_rep": "?"}])
def test_csv_is_that_of_pandas(tmp_path, options):
    made().to_csv(tmp_path / "x.csv", **options)
    assert (tmp_path / "x.csv").read_text() == PDF.to_csv(**options)
    made().x.to_csv(tmp_path / "x.csv", overwrite=True, **options)
    assert (tmp_path / "x.csv").read_text() == PDF.x.to_csv(**options)


def test_csv_in_several_files(tmp_path):
    made().to_csv(tmp_path / "x-*.csv", index=False)
    assert sorted(os.listdir(tmp_path)) == ["x-0.csv", "x-1.csv", "x-2.csv"]
    again = pd.concat([pd.read_csv(tmp_path / f"x-{k}.csv") for k in range(3)])
    assert again.x.tolist() == PDF.x.tolist()
    with pytest.raises(FileExistsError, match=r"x-0\.csv exists; pass overwrite=True"):
        made().to_csv(tmp_path / "x-*.csv")
    made(npartitions=2).to_csv(tmp_path / "x-*.csv", overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["x-0.csv", "x-1.csv"]
    made().to_csv(tmp_path / "y-*.csv", name_function="abc".__getitem__)
    assert (tmp_path / "y-c.csv").exists()


def test_compressed_text(tmp_path):
    made().to_csv(tmp_path / "x.csv.gz", index=False)
    assert pd.read_csv(tmp_path / "x.csv.gz").x.tolist() == PDF.x.tolist()
    made().to_csv(tmp_path / "x-*.csv.gz", index=False)
    assert pd.read_csv(tmp_path / "x-1.csv.gz").x.tolist() == PDF.x[4:8].tolist()


def test_json(tmp_path):
    pdf = PDF.drop(columns="when")
    made(pdf).to_json(tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text() == pdf.to_json(orient="records", lines=True)
    with pytest.raises(ValueError, match="write a \\* into path"):
        made(pdf).to_json(tmp_path / "y.json", orient="split")
    made(pdf).to_json(tmp_path / "y-*.json", orient="split")
    assert pd.read_json(tmp_path / "y-0.json", orient="split").x.tolist() == [0, 1, 2, 3]


def test_orc(tmp_path):
    pdf = PDF[["x", "y", "name"]]
    made(pdf).to_orc(tmp_path / "x")
    df = gd.read_orc(tmp_path / "x")
    assert df.npartitions == 3
    pd.testing.assert_frame_equal(df.compute().reset_index(drop=True), pdf)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        made(pdf).to_orc(tmp_path / "x")
    (tmp_path / "x" / "notes").write_text("mine")
    with pytest.raises(FileExistsError, match="also holds 'notes'"):
        made(pdf).to_orc(tmp_path / "x", overwrite=True)


def test_words_of_dask_and_of_pandas(tmp_path):
    made().to_parquet(tmp_path / "x", write_index=False, partition_cols=["kind"], engine="auto")
    assert sorted(os.listdir(tmp_path / "x")) == ["kind=u", "kind=v"]
    made().to_parquet(tmp_path / "y", name_function=lambda k: f"{k}.parquet")
    assert sorted(os.listdir(tmp_path / "y")) == ["0.parquet", "1.parquet", "2.parquet"]
    with pytest.raises(ValueError, match="index= and write_index= are one thing"):
        made().to_parquet(tmp_path / "z", index=True, write_index=True)
    with pytest.raises(ValueError, match="by pyarrow, not by 'fastparquet'"):
        gd.read_parquet(tmp_path / "x", engine="fastparquet")


def test_a_dataset_may_be_replaced_by_what_is_made_of_it(tmp_path):
    made().to_parquet(tmp_path / "x")
    df = gd.read_parquet(tmp_path / "x")
    df[df.x > 4].to_parquet(tmp_path / "x", overwrite=True)
    assert gd.read_parquet(tmp_path / "x").x.compute().tolist() == [5, 6, 7, 8, 9]


def test_options_without_meaning(tmp_path):
    with pytest.raises(ValueError, match="mode= means nothing"):
        made().to_csv(tmp_path / "x.csv", mode="a")
    with pytest.raises(ValueError, match="several partitions one name"):
        made().to_csv(tmp_path / "x-*.csv", name_function=lambda k: "same")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        made().to_csv(tmp_path / "no" / "x.csv")


def test_stores_elsewhere():
    import fsspec

    fs = fsspec.filesystem("memory")
    made().to_parquet("memory://out/x")
    assert_eq(gd.read_parquet("memory://out/x"), PDF)
    with pytest.raises(FileExistsError):
        made().to_parquet("memory://out/x")
    made(npartitions=2).to_parquet("memory://out/x", overwrite=True)
    assert len(fs.find("/out/x")) == 2
    made(npartitions=2).to_parquet("memory://out/x", append=True)
    assert len(fs.find("/out/x")) == 4
    made().to_csv("memory://out/x.csv", index=False)
    assert fs.cat("/out/x.csv").decode() == PDF.to_csv(index=False)
    made().to_csv("memory://out/y-*.csv")
    assert len(fs.find("/out")) == 4 + 1 + 3
    fs.rm("/out", recursive=True)


def test_options_that_are_not_of_parquet_are_said_before_anything_is_computed(tmp_path):
    def never(part):
        raise AssertionError("computed")

    df = gd.from_pandas(pd.DataFrame({"x": np.arange(9)}), npartitions=3)
    df = df.map_partitions(never, meta={"x": "int64"})
    with pytest.raises(TypeError, match="row_groups.*of pyarrow.parquet.write_table"):
        df.to_parquet(tmp_path / "x", row_groups=3)
    with pytest.raises(ValueError, match="writes at once"):
        df.to_parquet(tmp_path / "x", compute=False)
    assert not os.listdir(tmp_path)


def test_one_file_as_dask_says_it(tmp_path):
    pdf = pd.DataFrame({"x": [1, 2, 3]})
    df = gd.from_pandas(pdf, npartitions=2)
    df.to_csv(tmp_path / "x.csv", single_file=True, index=False)
    assert_eq(gd.read_csv(tmp_path / "x.csv"), pdf)
    with pytest.raises(ValueError, match="leave the"):
        df.to_csv(tmp_path / "x-*.csv", single_file=True)


def other_partitions(d):
    return d if isinstance(d, pd.DataFrame) else d.repartition(npartitions=1)


KEPT = {
    "filter": lambda d: d[d.x > 1],
    "filter, then more": lambda d: d[d.x > 1].assign(n=1)[["x", "n"]],
    "sort": lambda d: d.sort_values("x", ascending=False),
    "nulls dropped": lambda d: d.where(d.x > 1).dropna(),
    "different rows": lambda d: d.drop_duplicates("z"),
    "those of a kind": lambda d: d.groupby("z").head(1),
    "the largest": lambda d: d.nlargest(2, "x"),
    "by their places": lambda d: d.iloc[2:],
    "in other partitions": lambda d: other_partitions(d[d.x > 1]),
    "set index": lambda d: d.set_index("x").sort_index(),
}


@pytest.mark.parametrize("case", KEPT)
def test_labels_of_rows_that_are_left_are_written(case, tmp_path):
    pdf = pd.DataFrame({"x": [3, 1, 2, 5], "y": list("abcd"), "z": [0, 0, 1, 1]})
    KEPT[case](gd.from_pandas(pdf, npartitions=2)).to_parquet(tmp_path / "x")
    expected = KEPT[case](pdf)
    pd.testing.assert_frame_equal(gd.read_parquet(tmp_path / "x").compute(), expected)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "x"), expected)


def test_rows_that_are_appended_bring_no_labels_that_count(tmp_path):
    pdf = pd.DataFrame({"x": [3, 1, 2, 5]})
    df = gd.from_pandas(pdf, npartitions=2)
    df.to_parquet(tmp_path / "x")
    df[df.x > 2].to_parquet(tmp_path / "x", append=True)
    assert pd.read_parquet(tmp_path / "x").x.tolist() == [3, 1, 2, 5, 3, 5]
    df[df.x > 2].to_parquet(tmp_path / "y", index=False)
    assert pd.read_parquet(tmp_path / "y").index.tolist() == [0, 1]
