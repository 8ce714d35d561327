"""What is wrong with data and functions is said with the file, the partition and the line."""

import numpy as np
import pandas as pd
import pytest

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.base.errors import MemoryBudgetError

ORDERS = pd.DataFrame({"customer": [3, 1, 2], "price": [1.0, 2.0, 3.0]}, index=[5, 1, 3])


@pytest.fixture
def df():
    return gd.from_pandas(ORDERS, npartitions=2)


def where(error):
    return " ".join(getattr(error.value, "__notes__", ()))


def test_damaged_pages_of_a_file(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"x": np.arange(20_000)}).to_parquet(path, row_group_size=5_000)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : third + 500] = b"\xff" * 500
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"x\.parquet cannot be read") as error:
        gd.read_parquet(path, split_row_groups=True).x.sum().compute()
    assert "test_bad_input.py" in where(error) and "chunk: (1,)" in where(error)


@pytest.mark.parametrize("rows", [10, 40_000])
def test_rows_with_too_many_fields(tmp_path, rows):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n" + "1,2\n" * rows + "7,8,9\n")
    with pytest.raises(ValueError, match=r"saw 3") as error:
        gd.read_csv(path, 50_000, sample=20_000).a.sum().compute()
    assert "x.csv" in str(error.value) + where(error)


@pytest.mark.parametrize(
    "asked",
    [
        lambda d: d["prise"],
        lambda d: d[["customer", "prise"]],
        lambda d: d.sort_values("prise"),
        lambda d: d.drop(columns="prise"),
        lambda d: d.groupby("customer")["prise"],
        lambda d: d.groupby("customer").agg({"prise": "sum"}),
        lambda d: d.drop_duplicates("prise"),
        lambda d: d.dropna(subset="prise"),
        lambda d: d.dropna(subset=["customer", "prise"]),
        lambda d: d.astype({"customer": float, "prise": int}),
        lambda d: d.merge(d, left_on="prise", right_on="price"),
        lambda d: d.merge(d, left_on="price", right_on="prise"),
        lambda d: d.merge(d.rename(columns={"price": "paid"}), on="prise"),
        lambda d: gd.merge_asof(d, d, on="prise"),
        lambda d: gd.merge_asof(d, d, on="customer", by="prise"),
        lambda d: d.join(d.set_index("customer"), on="prise", rsuffix="_"),
        lambda d: d.groupby("prise"),
        lambda d: d.groupby(["customer", "prise"]),
        lambda d: d.groupby(pd.Grouper(key="prise")),
        lambda d: d.groupby("customer")[["prise"]],
        lambda d: d.groupby("customer").agg(total=("prise", "sum")),
        lambda d: d.agg({"prise": "sum"}),
        lambda d: d.set_index("prise"),
        lambda d: d.set_index(["customer", "prise"]),
        lambda d: d.sort_values(["customer", "prise"]),
        lambda d: d.nlargest(2, "prise"),
        lambda d: d.pivot_table(values="prise", index="customer"),
        lambda d: d.pivot_table(values="price", index="customer", columns="prise"),
        lambda d: d.melt(id_vars="prise"),
        lambda d: d.explode("prise"),
        lambda d: gd.get_dummies(d, columns=["prise"]),
        lambda d: d.value_counts(subset=["prise"]),
        lambda d: d.duplicated("prise"),
        lambda d: d.rename(columns={"prise": "x"}, errors="raise"),
        lambda d: d.pop("prise"),
        lambda d: d.loc[:, "prise"],
        lambda d: d.shuffle("prise"),
        lambda d: d.rolling(2, on="prise"),
        lambda d: d.rolling(2)["prise"],
        lambda d: d.resample("1D", on="prise"),
        lambda d: d.to_parquet("x.parquet", partition_on="prise"),
        lambda d: d.to_csv("x.csv", columns=["prise"]),
        lambda d: d.query("prise > 3"),
        lambda d: d.eval("twice = prise * 2"),
    ],
)
def test_missing_columns_name_the_nearest(df, asked):
    with pytest.raises((KeyError, NameError), match="did you mean 'price'"):
        asked(df)


@pytest.mark.parametrize(
    ("write", "read"),
    [
        ("to_parquet", lambda path: gd.read_parquet(path, columns=["prise"])),
        ("to_parquet", lambda path: gd.read_parquet(path, columns="prise")),
        ("to_parquet", lambda path: gd.read_parquet(path, index="prise")),
        ("to_parquet", lambda path: gd.read_parquet(path, filters=[("prise", ">", 3)])),
        ("to_orc", lambda path: gd.read_orc(path, columns=["prise"])),
        ("to_csv", lambda path: gd.read_csv(path, usecols=["customer", "prise"])),
        ("to_csv", lambda path: gd.read_csv(path, parse_dates=["prise"])),
    ],
)
def test_missing_columns_of_files_name_the_nearest(tmp_path, write, read):
    getattr(ORDERS.reset_index(drop=True), write)(tmp_path / "x")
    with pytest.raises((KeyError, ValueError), match="did you mean 'price'"):
        read(tmp_path / "x")


def test_misspelled_options_of_writers(df, tmp_path):
    for write in (df.to_csv, df.to_json):
        with pytest.raises(TypeError, match=r"to_\w+ takes no indx=; did you mean 'index'"):
            write(tmp_path / "x", indx=False)
    assert not any(tmp_path.iterdir())


def test_misspelled_aggregations_name_the_nearest(df):
    with pytest.raises(AttributeError, match="did you mean 'median'"):
        df.groupby("customer").agg({"price": "mediann"})
    with pytest.raises(ValueError, match="did you mean 'median'"):
        df.groupby("customer").price.transform("mediann")
    with pytest.raises(AttributeError, match="did you mean 'median'"):
        df.groupby("customer").price.mediann()


def _prices(rows):
    return rows[["price"]]


@pytest.mark.parametrize(
    ("asked", "gave"),
    [
        (lambda d: d.map_partitions(lambda p: p.price.map(str), meta=("price", "f8")), "str"),
        (lambda d: d.price.apply(str, meta=("price", "float64")), "apply of the function str"),
        (lambda d: d.map_partitions(lambda p: p.assign(w=1), meta=ORDERS), "w: int64"),
        (lambda d: d.groupby("customer").apply(str, meta=("text", "f8")), "'text' of str"),
        (lambda d: d.groupby("customer").apply(_prices, meta=("price", "f8")), "a DataFrame"),
        (lambda d: d.groupby("customer").apply(_prices, meta={"p": "f8"}), "price: float64"),
    ],
)
def test_results_that_contradict_what_was_said(df, asked, gave):
    with pytest.raises(TypeError, match=r"expected to give .* gave .* meta=") as error:
        asked(df).compute()
    assert gave in str(error.value)
    assert "test_bad_input.py" in where(error) and "chunk: (0,)" in where(error)


def test_frames_of_groups_are_no_values_where_these_were_said(df):
    found = df.groupby("customer").apply(_prices, meta="f8", split_out=2)
    with pytest.raises(TypeError, match="a Series None of float64 and gave a DataFrame of price"):
        found.compute()


def test_what_groups_give_may_be_said_by_a_pair(df):
    found = df.groupby("customer").apply(lambda rows: rows.price.sum(), meta=("price", "float64"))
    found = found.compute()
    assert (found.name, found.tolist()) == ("price", [2.0, 3.0, 1.0])
    found = df.groupby("customer").apply(len, meta=("rows", "float64")).compute()
    assert (found.name, found.dtype, found.tolist()) == ("rows", "float64", [1.0, 1.0, 1.0])


@pytest.mark.parametrize("how", ["inner", "left", "outer", "cross"])
def test_a_merge_that_explodes_says_how_many_rows(how):
    rows = 20_000
    big = gd.from_pandas(pd.DataFrame({"k": np.arange(rows) // 10_000, "v": 1.0}), npartitions=2)
    on = None if how == "cross" else "k"
    small, refused = gpuscale.config.set({"memory-limit": "64 MiB"}), MemoryBudgetError
    with small, pytest.raises(refused, match=r"gives [\d,]+0,000 rows") as error:
        big.merge(big, how, on=on, broadcast=True).v_x.sum().compute()
    assert how == "cross" or "is there 10,000" in str(error.value)
    assert "test_bad_input.py" in where(error)


def test_merges_of_many_rows_that_do_not_explode():
    rows = 50_000
    left = pd.DataFrame({"k": np.arange(rows), "v": 1.0})
    right = pd.DataFrame({"k": np.repeat([0, 7], [2_000, 1]), "w": 2.0})
    with gpuscale.config.set({"memory-limit": "64 MiB"}):
        found = gd.from_pandas(left, npartitions=1).merge(right, on="k")
        assert len(found) == 2_001


def test_labels_that_no_row_has(df):
    indexed = df.set_index("customer")
    for rows in (9, [1, 9]):
        with pytest.raises(KeyError, match="no row has the label 9") as error:
            indexed.loc[rows].compute()
    assert "test_bad_input.py" in where(error)
    with pytest.raises(TypeError, match="labels of the index are int64, .* from 'a' to 'b'"):
        indexed.loc["a":"b"]


def test_functions_that_ask_for_missing_columns(df):
    for ask in (lambda part: part["prise"] + 1, lambda part: part.apply(row, axis=1)):
        with pytest.raises(KeyError, match="did you mean 'price'"):
            df.map_partitions(ask)
    with pytest.raises(KeyError, match="did you mean 'price'"):
        df.apply(row, axis=1)
    with pytest.raises(KeyError, match="did you mean 'price'"):
        df.groupby("customer").apply(lambda part: part["prise"].sum())
    with pytest.raises(AttributeError, match="did you mean 'nlargest'"):
        df.groupby("customer").price.agg(lambda part: part.nolrgest(2))


@pytest.mark.parametrize(
    "ask",
    [
        lambda d: d.mean(),
        lambda d: d.std(),
        lambda d: d.median(),
        lambda d: d.quantile(0.3),
        lambda d: d.corr(),
        lambda d: d.cov(),
    ],
)
def test_columns_that_have_no_numbers_are_named(df, ask):
    texts = df.assign(name="a", other=df.price)
    with pytest.raises((TypeError, ValueError, NotImplementedError)) as error:
        ask(texts)
    assert "column 'name' is str: choose columns, or say numeric_only=True" in where(error)


def test_positions_that_are_none(df):
    for key in ("a", 1.5):
        with pytest.raises(TypeError, match=f"iloc takes positions, .* not {key!r}; loc"):
            df.iloc[key]


def test_files_that_are_no_json_are_named(tmp_path):
    (tmp_path / "x.json").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="Expected") as error:
        gd.read_json(tmp_path / "x.json")
    assert "in the first lines of" in where(error) and "x.json" in where(error)


def row(row):
    return row["prise"]


@pytest.mark.parametrize("name", ["to_parquet", "to_csv", "to_json", "to_orc"])
def test_options_of_writers_that_there_are_not(name, df, tmp_path):
    write = getattr(df, name)
    with pytest.raises(TypeError, match="pass compute_kwargs={'memory_limit': ...}"):
        write(tmp_path / "x", memory_limit="1 GiB")
    with pytest.raises(TypeError, match=f"{name} takes no compresion="):
        write(tmp_path / "x", compresion="gzip")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("empty", ["", "\n"])
def test_files_without_a_line_are_named(empty, tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text(empty)
    for names in ("ab", "ba"):
        with pytest.raises(pd.errors.EmptyDataError, match=r"b.csv: No columns .*; leave out"):
            gd.read_csv([tmp_path / f"{name}.csv" for name in names]).compute(engine="sync")


def test_files_with_rows_that_are_too_long_are_named(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n" + "1,2\n" * 9 + "1,2,3\n")
    with pytest.raises(pd.errors.ParserError, match=r"a.csv: .*Expected 2 fields in line 11"):
        gd.read_csv(tmp_path / "a.csv")


@pytest.mark.parametrize("ask", [lambda d: d.sort_values("x"), lambda d: d.shuffle("x")])
def test_what_is_too_large_is_a_partition(ask):
    rows = gd.from_pandas(pd.DataFrame({"x": range(10_000, 0, -1)}), npartitions=2)
    with pytest.raises(MemoryBudgetError, match="repartition into more partitions, or raise"):
        ask(rows).compute(memory_limit="40 KiB")


@pytest.mark.parametrize(
    "ask",
    [
        lambda d: d.groupby("x").y.sum(),
        lambda d: d.repartition(partition_size="20 KiB").groupby("x").y.sum(),
        lambda d: d[["x"]].drop_duplicates(),
        lambda d: d.y.sum(),
    ],
)
def test_row_groups_that_are_too_large_are_named(ask, tmp_path):
    rows = pd.DataFrame({"x": np.arange(20_000) % 7, "y": np.arange(20_000.0)})
    rows.to_parquet(tmp_path / "a.parquet")
    df = gd.read_parquet(tmp_path / "a.parquet", blocksize="20 KiB")
    with pytest.raises(MemoryBudgetError, match=r"row group 0 of .*a\.parquet.* take .* of it"):
        ask(df).compute(memory_limit="100 KiB")


def test_row_groups_that_are_smaller_fit(tmp_path):
    rows = pd.DataFrame({"x": np.arange(20_000) % 7, "y": np.arange(20_000.0)})
    rows.to_parquet(tmp_path / "a.parquet", row_group_size=1_000)
    df = gd.read_parquet(tmp_path / "a.parquet", blocksize="20 KiB")
    assert df.y.sum().compute(memory_limit="100 KiB") == rows.y.sum()
