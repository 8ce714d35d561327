"""Series that are looked up, and functions of whole columns: partitions alone would not do."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame({"x": [1, 2, 3, 4, 5, 6], "y": [6, 5, 9, 9, 9, 1]})
KEYS = pd.Series([10, 20, 30, 40, 50, 60, 70], name="k")

CASES = {
    "isin": lambda x, keys: x.x.isin(x.y),
    "isin others": lambda x, keys: x[x.x.isin(keys // 10 - 3)],
    "labels": lambda x, keys: x[x.index.isin(x.y)],
    "not in": lambda x, keys: x[~(x.index + 1).isin(values=x.y)],
    "map": lambda x, keys: x.x.map(keys),
    "map itself": lambda x, keys: x.y.map(x.x),
    "map labels": lambda x, keys: (x.index + 1).map(keys),
    "replace": lambda x, keys: x.x.replace(keys),
    "rename": lambda x, keys: x.x.rename(keys),
    "groups": lambda x, keys: x.groupby(x.y.map(keys)).x.sum(),
    "reindex": lambda x, keys: x.reindex(x.y),
    "where": lambda x, keys: x.where(lambda x: x > x.mean()),
    "mask": lambda x, keys: x.x.mask(lambda x: x > x.mean(), lambda x: x.max()),
    "case_when": lambda x, keys: x.x.case_when([(lambda x: x > x.mean(), 0)]),
    "combine": lambda x, keys: x.combine(
        x[["x"]].assign(y=x.x), lambda a, b: a if a.sum() < b.sum() else b
    ),
    "apply a name": lambda x, keys: x.x.apply("sum"),
    "apply names": lambda x, keys: x.x.apply(["sum", "max"]),
    "apply to columns": lambda x, keys: x.apply("max"),
    "quantile of rows": lambda x, keys: x.quantile(0.25, axis=1),
    "query": lambda x, keys: x.query("y.isin([5, 9]) and (x - y).abs() > 3"),
    "eval": lambda x, keys: x.eval("z = x.clip(2, 4) + y"),
}


@pytest.mark.parametrize("case", CASES)
def test_whole_columns(case):
    keys = gd.from_pandas(KEYS, npartitions=2)
    expected = CASES[case](PDF, KEYS)
    assert_eq(CASES[case](gd.from_pandas(PDF, npartitions=3), keys), expected)
    if case not in ("map itself", "reindex"):
        unsorted = gd.from_pandas(PDF, npartitions=3).clear_divisions()
        assert_eq(CASES[case](unsorted, keys), expected)


def test_rows_that_are_in_a_filtered_frame():
    x, other = gd.from_pandas(PDF, npartitions=3), gd.from_pandas(PDF, npartitions=2)
    few, expected = other[other.y > 8], PDF[PDF.y > 8]
    assert_eq(x[x.x.isin(few.x)], PDF[PDF.x.isin(expected.x)])
    assert_eq(x.x.map(few.set_index("x").y), PDF.x.map(expected.set_index("x").y))


@pytest.mark.parametrize(
    "expression",
    ["x in @other.x", "x > @other.x.min()", "s == 'a@home'", "x > @least and x < @other.y.max( )"],
)
def test_variables_of_expressions(expression):
    pdf = PDF.assign(s=["a@home", *"bcdef"])
    few, least = PDF[PDF.y > 8], 2
    x, lazy = gd.from_pandas(pdf, npartitions=3), gd.from_pandas(few, npartitions=2)
    expected = pdf.query(expression, local_dict={"other": few, "least": least})
    assert_eq(x.query(expression, local_dict={"other": lazy, "least": least}), expected)
    other = lazy  # noqa: F841
    assert_eq(x.query(expression), expected)
    with pytest.raises(NameError, match="nothing"):
        x.query("x > @nothing.max()")


def test_functions_that_would_see_one_partition_are_refused():
    x = gd.from_pandas(PDF, npartitions=3)
    least = np.array([2, 3])  # noqa: F841
    assert_eq(x.query("x > @least.max()"), PDF[PDF.x > 3])
    for expression in ("x > x.mean()", "x == (x * 2).max()", "y.shift(1) > 2", "x > y.count()"):
        with pytest.raises(NotSupportedError, match="by @"):
            x.query(expression)
    with pytest.raises(NotSupportedError, match="by @"):
        x.eval("z = x / x.sum()")
    with pytest.raises(NotSupportedError, match="one partition"):
        x.x.apply(lambda x: x - x.mean(), by_row=False)
    with pytest.raises(NotSupportedError, match="depends on the data"):
        x.mode(axis=1)
    with pytest.raises(NotSupportedError, match="merge_asof"):
        x.x.asof(x.y)
    named = x.assign(s="a.mean(")
    assert len(named.query("s.str.contains('a.mean(', regex=False)")) == 6


def test_truncating_at_a_day_ends_with_its_first_moment():
    days = pd.date_range("2024-01-01", periods=20, freq="9h")
    pdf = pd.DataFrame({"x": range(20)}, index=days)
    expected = pdf.truncate("2024-01-02", "2024-01-04")
    assert_eq(gd.from_pandas(pdf, npartitions=3).truncate("2024-01-02", "2024-01-04"), expected)
