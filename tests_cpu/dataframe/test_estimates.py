"""What filters are likely to leave decides who goes where; the rows are the same."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.dataframe.api import merging, spread
from gpuscale.dataframe.estimates import likely_nbytes, likely_shares
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "x": np.arange(101),
        "t": pd.date_range("2020-01-01", periods=101),
        "name": list("abcd" * 25 + "a"),
        "k": np.arange(101) % 10,
    }
)


@pytest.fixture(scope="module")
def df(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "x.parquet"
    PDF.to_parquet(path, row_group_size=51)
    return gd.read_parquet(path, split_row_groups=True)


CASES = {
    "nothing": (lambda d: d, 1),
    "below": (lambda d: d[d.x < 25], 0.25),
    "both ends": (lambda d: d[(d.x >= 25) & (d.x < 50)], 0.25),
    "two columns": (lambda d: d[(d.x >= 50) & (d.k < 4.5)], 0.25),
    "in turn": (lambda d: (lambda e: e[e.k < 4.5])(d[d.x >= 50]), 0.25),
    "times": (lambda d: d[d.t >= pd.Timestamp("2020-03-16")], 0.25),
    "between": (lambda d: d[d.x.between(25, 75)], 0.5),
    "equal": (lambda d: d[d.name == "a"], 0.25),
    "some": (lambda d: d[d.name.isin(["a", "b"])], 0.5),
    "unknown": (lambda d: d[d.name.str.contains("a") & (d.x > d.k)], 1),
    "nothing left": (lambda d: d[d.x > 1000], 0.001),
    "new column": (lambda d: d.assign(y=d.x)[lambda e: e.x < 25], 0.25),
    "inner": (lambda d: d[d.x < 50].merge(d[d.k < 4.5], on="x"), 0.25),
    "left": (lambda d: d[d.x < 25].merge(d, on="x", how="left"), 0.25),
    "outer": (lambda d: d[d.x < 25].merge(d, on="x", how="outer"), 1),
    "further": (lambda d: d[d.x < 25].sort_values("k")[["x"]].abs(), 0.25),
}


@pytest.mark.parametrize("case", CASES)
def test_shares(case, df):
    function, expected = CASES[case]
    node = function(df).expr
    assert likely_shares([node])[node.token] == pytest.approx(expected, abs=0.01)
    assert likely_nbytes([node]) == pytest.approx(node.meta.nbytes * expected, rel=0.05, abs=2)


def test_what_is_likely_to_be_small_goes_to_all_partitions(df, monkeypatch):
    monkeypatch.setattr(merging, "SMALL", df.expr.meta.nbytes // 2)
    for frame, is_shuffled in ((df, True), (df[df.x < 25], False)):
        found = df.merge(frame, on="x")
        assert ("shuffle" in found.explain("expression")) == is_shuffled
        expected = PDF.merge(PDF if is_shuffled else PDF[PDF.x < 25], on="x")
        rows = found.compute(engine="sync").sort_values("x").reset_index(drop=True)
        assert_eq(rows, expected)


def test_groups_that_are_likely_to_be_few_are_made_in_one_place(df, monkeypatch):
    monkeypatch.setattr(spread, "OF_PARTS", df[["x", "k"]].expr.meta.nbytes // 2)
    for frame, count in ((df, 2), (df[df.x < 25], 1)):
        found = frame.groupby("k").x.sum()
        assert found.npartitions == count
        expected = PDF if count > 1 else PDF[PDF.x < 25]
        assert_eq(found, expected.groupby("k").x.sum())
