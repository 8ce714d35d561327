"""Bins of values against pandas."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

RNG = np.random.default_rng(0)
PDF = pd.DataFrame(
    {
        "x": np.where(RNG.random(40) < 0.1, np.nan, RNG.normal(size=40)),
        "n": RNG.integers(0, 9, 40),
        "t": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 999, 40), unit="h"),
    }
)
DF = gd.from_pandas(PDF, npartitions=3)
CUTS = [
    ("x", [-1, 0, 1], {}),
    ("x", [-1, 0, 1], {"labels": ["low", "high"], "right": False}),
    ("x", 4, {}),
    ("x", 3, {"precision": 1, "labels": list("abc"), "ordered": False}),
    ("n", [0, 3, 8], {"include_lowest": True}),
    ("n", 5, {"right": False}),
    ("n", pd.IntervalIndex.from_breaks([0, 2, 4]), {}),
    ("t", 3, {}),
    ("t", pd.to_datetime(["2024-01-01", "2024-01-20", "2024-03-01"]), {}),
]


@pytest.mark.parametrize(("label", "bins", "options"), CUTS)
def test_cut(label, bins, options):
    assert_eq(gd.cut(DF[label], bins, **options), pd.cut(PDF[label], bins, **options))


@pytest.mark.parametrize(("label", "q"), [("x", 4), ("x", [0, 0.3, 1]), ("n", 3), ("t", 2)])
def test_qcut(label, q):
    assert_eq(gd.qcut(DF[label], q), pd.qcut(PDF[label], q))
    options = {"labels": False, "retbins": True}
    found, bounds = gd.qcut(DF[label], q, **options)
    expected, theirs = pd.qcut(PDF[label], q, **options)
    assert_eq(found, expected, promised=False)
    np.testing.assert_array_equal(bounds, theirs)


def test_bins_are_columns_and_keys():
    df, pdf = DF.copy(), PDF.copy()
    df["bin"], pdf["bin"] = gd.cut(df.n, [-1, 4, 8]), pd.cut(pdf.n, [-1, 4, 8])
    for d in (df, pdf):
        d["quarter"] = (gd if d is df else pd).qcut(d.n, 4, duplicates="drop")
    assert_eq(df, pdf)
    found, expected = (d.groupby("bin", observed=False).x.sum() for d in (df, pdf))
    assert_eq(found, expected)


def test_what_cannot_be_cut():
    with pytest.raises(ValueError, match="unique"):
        gd.cut(DF.n, [1, 1, 2])
    with pytest.raises(ValueError, match="monotonically"):
        gd.cut(DF.n, [2, 1])
    with pytest.raises(TypeError, match="takes a series"):
        gd.cut(DF, 3)
    assert gd.cut(PDF.n, 2).equals(pd.cut(PDF.n, 2))
