"""Methods of pandas, partition by partition: all rows together where it makes a difference."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {"f": [1.0, None, 3.0, 4.0, None], "k": [2, 1, 2, 3, 1], "l": [[1, 2], [], [3], [4, 5], [6]]},
    index=list("abcde"),
)
NUMBERED = {
    "dropna": lambda x: x.dropna(ignore_index=True),
    "dropna of some": lambda x: x.dropna(subset=["f"], ignore_index=True),
    "dropna of a series": lambda x: x.f.dropna(ignore_index=True),
    "explode": lambda x: x.explode("l", ignore_index=True),
    "explode by place": lambda x: x.explode("l", True),
    "explode a series": lambda x: x.l.explode(ignore_index=True),
    "explode a series by place": lambda x: x.l.explode(True),
    "left as it is": lambda x: x.dropna(ignore_index=False),
    "sort_values": lambda x: x.sort_values("k", ignore_index=True, kind="stable"),
    "sort_index": lambda x: x.f.sort_index(ascending=False, ignore_index=True),
    "drop_duplicates": lambda x: x[["k"]].drop_duplicates(ignore_index=True),
    "drop_duplicates of a series": lambda x: x.k.drop_duplicates(ignore_index=True),
    "melt": lambda x: x[["f", "k"]].melt(),
}


@pytest.mark.parametrize("case", NUMBERED)
def test_rows_are_numbered_across_partitions(case):
    assert_eq(NUMBERED[case](gd.from_pandas(PDF, npartitions=3)), NUMBERED[case](PDF))


def test_rows_are_numbered_in_place():
    x = gd.from_pandas(PDF, npartitions=2)
    assert x.dropna(inplace=True, ignore_index=True) is None
    assert_eq(x, PDF.dropna(ignore_index=True))


@pytest.mark.parametrize("share", [{"n": 3}, {"frac": 0.6}])
def test_samples_are_numbered(share):
    x = gd.from_pandas(PDF, npartitions=2)
    found = x.sample(**share, random_state=1, ignore_index=True).compute()
    assert found.index.equals(pd.RangeIndex(3))
    assert np.array_equal(found.k, x.sample(**share, random_state=1).compute().k)


@pytest.mark.parametrize("value", [0, {"c": "z", "f": 1.0}])
def test_categories_are_not_filled_in_place_with_what_is_none_of_them(value):
    full = pd.DataFrame({"c": pd.Categorical(["a", "b", "a", "a"]), "f": [1.0, None, 2.0, 3.0]})
    some = full.assign(c=full.c.where(full.f > 1))
    x = gd.from_pandas(some, npartitions=2)
    with pytest.raises(TypeError, match="new category"):
        x.fillna(value, inplace=True)
    column = x.c
    with pytest.raises(TypeError, match="new category"):
        column.fillna("z", inplace=True)
    assert_eq(x, some)
    assert_eq(column, some.c)
    x.fillna({"c": "b"}, inplace=True)
    assert_eq(x, some.fillna({"c": "b"}))
    y = gd.from_pandas(full, npartitions=2)
    y.fillna(value, inplace=True)
    assert_eq(y.f, full.f.fillna(0 if value == 0 else 1))
