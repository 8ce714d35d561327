"""Tables of groups against pandas."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "day": [1, 1, 2, 2, 3, 1, 2, None],
        "city": ["Rome", "Oslo", "Rome", "Bern", None, "Rome", "Rome", "Oslo"],
        "kind": pd.Categorical(list("abababab"), categories=list("abz")),
        "sold": [3, 1, 4, 1, 5, 9, 2, 6],
        "paid": [1.0, np.nan, 2.0, np.nan, 1.0, 0.5, 2.0, 7.0],
    }
)

CASES = {
    "mean": {"values": "sold", "index": "day", "columns": "city"},
    "sum": {"values": ["sold", "paid"], "index": "day", "columns": "city", "aggfunc": "sum"},
    "filled": {"values": "sold", "index": "day", "columns": "city", "fill_value": 0},
    "all nulls": {"values": "paid", "index": "day", "columns": "city"},
    "nulls kept": {"values": "paid", "index": "day", "columns": "city", "dropna": False},
    "two keys": {"values": "sold", "index": ["day", "kind"], "columns": "city", "aggfunc": "max"},
    "columns alone": {"values": "sold", "columns": "kind", "aggfunc": "count"},
    "rows alone": {"values": "sold", "index": "kind", "aggfunc": "sum", "observed": False},
    "every column": {"index": "day", "columns": ["city", "kind"], "aggfunc": "count"},
    "unsorted": {"values": "sold", "index": "city", "columns": "day", "sort": False},
    "several": {"values": "sold", "index": "day", "columns": "kind", "aggfunc": ["min", "sum"]},
    "by column": {"index": "day", "columns": "kind", "aggfunc": {"sold": "sum", "paid": "max"}},
    "margins": {"values": "sold", "index": "day", "columns": "kind", "margins": True},
    "function": {"values": "sold", "index": "day", "columns": "kind", "aggfunc": np.ptp},
    "median": {"values": "sold", "index": "kind", "columns": "day", "aggfunc": "median"},
    "size": {"values": "paid", "index": "day", "columns": "kind", "aggfunc": "size"},
    "size of two": {"values": ["sold"], "index": "day", "columns": "kind", "aggfunc": ["size"]},
    "size of rows": {"values": ["sold"], "index": ["day"], "aggfunc": "size"},
    "size and sum": {"values": ["sold"], "index": "day", "aggfunc": ["size", "sum"]},
    "size of all": {"index": "day", "columns": "city", "aggfunc": "size", "fill_value": 0},
}


@pytest.mark.parametrize("case", CASES)
def test_pivots(case):
    lazy = gd.from_pandas(PDF, npartitions=2)
    lazy = gd.concat([lazy[lazy.sold < 0], lazy])  # two of the partitions are empty
    options = CASES[case]
    assert_eq(lazy.pivot_table(**options), PDF.pivot_table(**options), promised=False)


@pytest.mark.parametrize("aggfunc", ["sum", "size", ["mean", "max"], np.ptp])
def test_bins_of_times_are_keys(aggfunc):
    hours = pd.to_timedelta([0, 5, 30, 31, 100, 100, 120, None], unit="h")
    timed = PDF.assign(time=pd.Timestamp("2024-01-01") + hours)
    lazy = gd.from_pandas(timed, npartitions=3)
    for axes in (("index", "columns"), ("columns", "index")):
        keys = pd.Grouper(key="time", freq="D"), "kind"
        options = {"values": ["sold"], "aggfunc": aggfunc, **dict(zip(axes, keys, strict=True))}
        expected = timed.pivot_table(**options)
        assert_eq(lazy.pivot_table(**options), expected, promised=False, check_freq=False)


def test_rows_alone_are_lazy_and_functions_take_both_kinds():
    lazy = gd.from_pandas(PDF, npartitions=2)
    table = gd.pivot_table(lazy, values="sold", index="day", aggfunc="sum")
    assert not table.expr.meta.known
    assert_eq(gd.pivot_table(PDF, values="sold", index="day"), PDF.pivot_table("sold", "day"))


def test_what_is_wrong_is_said_at_once():
    lazy = gd.from_pandas(PDF, npartitions=2)
    with pytest.raises(KeyError, match="did you mean 'city'"):
        lazy.pivot_table(values="sold", index="day", columns="ctiy")
    with pytest.raises(TypeError, match="labels of columns"):
        lazy.pivot_table(values="sold", index=lazy.day)


@pytest.mark.parametrize("aggfunc", ["sum", "mean", "count", "size"])
def test_columns_of_all_categories_are_lazy(aggfunc):
    lazy = gd.from_pandas(PDF, npartitions=2)
    options = {"values": "sold", "index": "day", "columns": "kind", "aggfunc": aggfunc}
    options |= {"observed": False, "dropna": False}
    table = lazy.pivot_table(**options)
    assert not table.expr.meta.known
    assert list(table.columns) == list("abz")
    assert_eq(table, PDF.pivot_table(**options), promised=False)


def test_levels_become_columns():
    lazy = gd.from_pandas(PDF, npartitions=2)
    mine, theirs = lazy.groupby(["day", "city"]), PDF.groupby(["day", "city"])
    assert_eq(mine.sold.sum().unstack(), theirs.sold.sum().unstack())
    filled = mine[["sold", "paid"]].max().unstack("day", fill_value=0)
    assert_eq(filled, theirs[["sold", "paid"]].max().unstack("day", fill_value=0))
    with pytest.raises(KeyError):
        mine.sold.sum().unstack("kind")
    with pytest.raises(ValueError, match="pivot_table"):
        lazy.sold.unstack()
