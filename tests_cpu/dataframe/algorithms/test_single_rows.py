"""Parts of rows are those of groups of one row each."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.dataframe.algorithms import single_rows
from gpuscale.dataframe.algorithms.aggregates import partials_of
from gpuscale.dataframe.algorithms.single_rows import are_single, parts_of_rows
from gpuscale.testing.frames import assert_eq

KINDS = ("sum", "prod", "min", "max", "first", "last", "any", "all", "count", "total", "mean")


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "float64", "bool"])
def test_parts_of_rows_are_those_of_groups(dtype):
    values = pd.Series([0, 3, 1, 7, 0, 2], dtype=dtype)
    if values.dtype.kind == "f":
        values[2], values[4] = np.nan, np.inf
    columns, keys = {0: values}, {"key0": pd.Series(list("cabfed")), "key1": values * 0}
    parts = [("size", 0), *((kind, 0) for kind in (*KINDS, "var"))]

    def group(table):
        return table.groupby(["key0", "key1"], sort=False, dropna=False)

    expected = partials_of(columns, keys, parts, group)
    pd.testing.assert_frame_equal(parts_of_rows(columns, keys, parts, expected), expected)


def test_keys_that_hardly_repeat_are_found_by_a_sample(monkeypatch):
    monkeypatch.setattr(single_rows, "_LEAST", 20_000)
    rng, numbers = np.random.default_rng(0), {0: pd.Series(np.zeros(20_000))}
    unique, often = pd.Series(rng.permutation(20_000)), pd.Series(rng.integers(0, 9_000, 20_000))
    assert are_single([unique], numbers)
    assert are_single([often % 100, unique], numbers)
    assert not are_single([often], numbers)
    assert not are_single([often % 100], numbers)
    assert not are_single([pd.Series(np.arange(20_000) // 3)], numbers)
    assert not are_single([unique], {0: pd.Series(["a"] * 20_000)})
    assert not are_single([unique[:100]], numbers)


def test_groups_of_keys_that_hardly_repeat(monkeypatch):
    monkeypatch.setattr(single_rows, "_LEAST", 100)
    rng = np.random.default_rng(0)
    values = rng.integers(-9, 9, 2000).astype(float)
    frame = pd.DataFrame({"k": rng.permutation(2000) % 1990, "v": values, "w": values > 0})
    frame.loc[::9, "v"] = np.nan
    for sort in (True, False):
        mine = gd.from_pandas(frame, npartitions=3).groupby("k", sort=sort)
        theirs = frame.groupby("k", sort=sort)
        assert_eq(mine.v.agg(["sum", "std", "min"]), theirs.v.agg(["sum", "std", "min"]), rtol=1e-9)
        assert_eq(mine.w.sum(split_out=2), theirs.w.sum())
