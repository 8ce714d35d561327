"""Sorts are left out where nobody sees the order of rows; results are those of pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "k": (np.arange(24) * 5) % 7,
        "v": (np.arange(24) * 11) % 24,
        "x": np.arange(24) * 0.25,
        "name": list("abcd" * 6),
    }
)
OTHER = pd.DataFrame({"k": [1, 2, 3, 3], "w": [1, 2, 3, 4]})


def lazy(npartitions):
    return gd.from_pandas(PDF, npartitions=npartitions)


IN_VAIN = {
    "sum": lambda d: d.sort_values("v").x.sum(),
    "of columns": lambda d: d.sort_values("v")[["k", "x"]].max(),
    "length": lambda d: len(d.sort_values("v")[lambda s: s.k > 2]) + d.sort_values("v").k.nunique(),
    "mean": lambda d: d.sort_values("v").assign(y=lambda s: s.x * 2).y.mean(),
    "groups": lambda d: d.sort_values(["v", "x"]).groupby("name").x.sum(),
    "agg": lambda d: d.sort_values("v").groupby("k").agg(n=("v", "count"), m=("x", "max")),
    "labels": lambda d: d.sort_index(ascending=False).groupby("k").v.sum(),
    "merge": lambda d: d.sort_values("v").merge(OTHER, on="k").groupby("name").w.sum(),
}
SEEN = {
    "rows": lambda d: d.sort_values("v"),
    "first of groups": lambda d: d.sort_values("v").groupby("name").x.first(),
    "order of groups": lambda d: d.sort_values("v").groupby("k", sort=False).x.sum(),
    "texts": lambda d: d.sort_values("v").groupby("k").name.sum(),
    "running": lambda d: d.sort_values("v").x.cumsum().max(),
    "shifted": lambda d: d.sort_values("v").x.shift(1).sum(),
    "distinct": lambda d: d.sort_values("v").drop_duplicates("name").x.sum(),
    "ties": lambda d: d.sort_values("v").sort_values("name", kind="stable"),
    "read twice": lambda d: (lambda s: s.assign(n=s.x.sum()))(d.sort_values("v")),
}


def sorts(result):
    text = str(result.explain("simplify")) if hasattr(result, "explain") else ""
    return text.count("sort_values") + text.count("sort_index")


@pytest.mark.parametrize("npartitions", [1, 2, 5])
@pytest.mark.parametrize("case", IN_VAIN)
def test_sorts_in_vain(case, npartitions):
    result = IN_VAIN[case](lazy(npartitions))
    assert not sorts(result)
    assert_eq(result, IN_VAIN[case](PDF))


@pytest.mark.parametrize("npartitions", [1, 2, 5])
@pytest.mark.parametrize("case", SEEN)
def test_orders_that_are_seen(case, npartitions):
    result = SEEN[case](lazy(npartitions))
    assert sorts(result)
    assert_eq(result, SEEN[case](PDF))


@settings(max_examples=20, deadline=None)
@given(
    by=st.sampled_from([["v"], ["name", "v"], ["k", "v"]]),
    ascending=st.booleans(),
    name=st.sampled_from(["sum", "min", "max", "count", "mean", "first", "last", "median", "var"]),
    npartitions=st.sampled_from([1, 2, 5]),
)
def test_groups_of_sorted_rows(by, ascending, name, npartitions):
    def run(d):
        d = d.sort_values(by, ascending=ascending)
        return getattr(d[d.v > 2].groupby("k")[["v", "x"]], name)()

    assert_eq(run(lazy(npartitions)), run(PDF), rtol=1e-12)
