"""Lists that become rows: dtypes and nulls are those of pandas, whatever partitions have."""

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

TEXTS = pd.DataFrame({"t": pd.Series(["a,b", "c", None, None], dtype="str"), "i": range(4)})


def rows_of(x):
    return x.assign(t=x.t.str.split(",")).explode("t")


@pytest.mark.parametrize("npartitions", [2, 4])
def test_texts_that_are_split_are_texts_again(npartitions):
    df = gd.from_pandas(TEXTS, npartitions=npartitions)
    assert rows_of(df).t.dtype == rows_of(TEXTS).t.dtype == "str"
    for ask in (
        rows_of,
        lambda x: x[x.i > 0].t.str.rsplit(",").explode(),
        lambda x: rows_of(x).t.str.contains("a"),
        lambda x: rows_of(x).t.cumsum(),
        lambda x: rows_of(x).merge(x, on="t", how="left")["i_x"].sum(),
    ):
        assert_eq(ask(df), ask(TEXTS))


@pytest.mark.parametrize("npartitions", [2, 6])
def test_none_and_nan_are_counted_apart(npartitions):
    pdf = pd.DataFrame({"l": [[1, 2], [3], [], None, None, None]})
    df = gd.from_pandas(pdf, npartitions=npartitions)
    found = df.l.explode().value_counts(dropna=False).compute()
    assert_eq(found, pdf.l.explode().value_counts(dropna=False))
    assert found.index.tolist()[0] is None


LISTS = {
    "texts": [["a", "b"], ["c"], None, None, ["e"], []],
    "nulls": [None, [], [None], None, [], None],
    "numbers": [[1, 2], [3], None, None, [4], []],
    "both": [["a"], [1], None, None, ["b", None], []],
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("npartitions", [1, 3])
def test_lists_in_memory_beside_partitions_of_nulls(name, npartitions):
    pdf = pd.DataFrame({"l": LISTS[name], "n": range(6)})
    df = gd.from_pandas(pdf, npartitions=npartitions)
    for ask in (
        lambda x: x.explode("l"),
        lambda x: x.l.explode(),
        lambda x: x.l.explode(ignore_index=True),
        lambda x: x.explode(["l"], ignore_index=True),
        lambda x: x.explode("l").l.isna().sum(),
    ):
        assert_eq(ask(df), ask(pdf))
    if name == "texts":
        assert_eq(df.l.explode().str.upper(), pdf.l.explode().str.upper())


def test_rows_that_are_left_are_numbered_across_partitions():
    pdf = pd.DataFrame({"x": [1.0, None, 2.0, None, 3.0, 4.0], "y": range(6)})
    df = gd.from_pandas(pdf, npartitions=3)
    assert_eq(df.dropna(ignore_index=True), pdf.dropna(ignore_index=True))
    assert_eq(df.x.dropna(ignore_index=True), pdf.x.dropna(ignore_index=True))
