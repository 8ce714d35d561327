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
    ],
)
def test_missing_columns_name_the_nearest(df, asked):
    with pytest.raises(KeyError, match="did you mean 'price'"):
        asked(df)


@pytest.mark.parametrize(
    ("asked", "gave"),
    [
        (lambda d: d.map_partitions(lambda p: p.price.map(str), meta=("price", "f8")), "str"),
        (lambda d: d.price.apply(str, meta=("price", "float64")), "apply of the function str"),
        (lambda d: d.map_partitions(lambda p: p.assign(w=1), meta=ORDERS), "w: int64"),
    ],
)
def test_results_that_contradict_what_was_said(df, asked, gave):
    with pytest.raises(TypeError, match=r"expected to give .* gave .* meta=") as error:
        asked(df).compute()
    assert gave in str(error.value)
    assert "test_bad_input.py" in where(error) and "chunk: (0,)" in where(error)


def test_what_groups_give_may_be_said_by_a_pair(df):
    found = df.groupby("customer").apply(lambda rows: rows.price.sum(), meta=("price", "float64"))
    assert found.compute().tolist() == [2.0, 3.0, 1.0]


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
