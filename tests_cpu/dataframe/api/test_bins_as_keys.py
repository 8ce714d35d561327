"""Groupers of pandas among other keys, against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing.frames import assert_eq, splits

RNG = np.random.default_rng(0)
PDF = pd.DataFrame(
    {
        "t": pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 99, 24), unit="h"),
        "k": RNG.choice(list("abc"), 24),
        "v": RNG.integers(0, 9, 24),
        "w": RNG.random(24),
    }
)
PDF.loc[::7, "t"] = pd.NaT
DAYS, MONTHS = pd.Grouper(key="t", freq="D"), pd.Grouper(key="t", freq="ME")

CASES = {
    "sums": lambda d: d.groupby([DAYS, "k"]).sum(),
    "sums of one": lambda d: d.groupby(["k", DAYS]).v.sum(),
    "means": lambda d: d.groupby([MONTHS, "k"])[["v", "w"]].mean(),
    "sizes": lambda d: d.groupby([DAYS, "k"]).size(),
    "medians": lambda d: d.groupby([DAYS, "k"])[["v"]].median(),
    "several": lambda d: d.groupby([DAYS, "k"]).agg({"v": ["sum", "median"], "w": "max"}),
    "named": lambda d: d.groupby([DAYS, "k"]).agg(last=("t", "max"), total=("v", "sum")),
    "named, of rows": lambda d: d.groupby([DAYS, "k"]).agg(m=("t", "median"), n=("v", "sum")),
    "of itself": lambda d: d.groupby([DAYS, "k"]).t.max(),
    "unsorted": lambda d: d.groupby([DAYS, "k"], sort=False).v.sum(),
    "columns": lambda d: d.groupby([DAYS, "k"], as_index=False).agg({"v": "sum"}),
    "two bins": lambda d: d.groupby([DAYS, pd.Grouper(key="t", freq="6h", label="right")]).v.sum(),
    "a series": lambda d: d.groupby([DAYS, d.v % 2]).w.max(),
    "running": lambda d: d.groupby([DAYS, "k"]).v.cumsum(),
    "for each row": lambda d: d.groupby([DAYS, "k"]).v.transform("sum"),
    "applied": lambda d: d.groupby([DAYS, "k"]).apply(lambda g: g.v.max() - g.v.min()),
    "alone in a list": lambda d: d.groupby([DAYS]).v.sum(),
    "a column": lambda d: d.groupby([pd.Grouper(key="k"), "v"]).w.sum(),
    "a column alone": lambda d: d.groupby(pd.Grouper(key="k")).w.sum(),
    "a level": lambda d: d.set_index("k", sort=False).groupby([pd.Grouper(level="k"), "v"]).w.sum(),
}


@pytest.mark.parametrize("case", CASES)
def test_keys(case):
    pdf = PDF
    if case == "a level":
        expected = pdf.set_index("k").groupby([pd.Grouper(level="k"), "v"]).w.sum()
    else:
        expected = CASES[case](pdf)
    lazy = gd.from_pandas(pdf, npartitions=4)
    assert_eq(CASES[case](lazy), expected, rtol=1e-12, check_freq=False)


def test_bins_of_the_index():
    pdf = PDF.dropna().set_index("t").sort_index()
    lazy = gd.from_pandas(pdf, npartitions=3)
    for grouper in (pd.Grouper(freq="2D"), pd.Grouper(level="t", freq="W")):
        expected = pdf.groupby([grouper, "k"]).v.sum()
        assert_eq(lazy.groupby([grouper, "k"]).v.sum(), expected)


@settings(max_examples=12)
@given(data=st.data())
def test_any_times(data):
    dtype = data.draw(st.sampled_from(["datetime64[ns]", "datetime64[us, UTC]", "timedelta64[ns]"]))
    hours = st.integers(0, 200).map(lambda n: n * 3_600_000_000_000)
    if dtype.startswith("datetime"):  # pandas has spans of time that are null in the first bin
        hours = st.one_of(st.none(), hours)
    rows = data.draw(st.integers(0, 8))
    times = pd.Series(data.draw(st.lists(hours, min_size=rows, max_size=rows)), dtype="Int64")
    times = times.astype("timedelta64[ns]")
    if dtype.startswith("datetime"):
        times = (pd.Timestamp("2020-02-27") + times).astype("datetime64[ns]")
        times = times.dt.tz_localize("UTC").dt.as_unit("us") if "UTC" in dtype else times
    keys = data.draw(st.lists(st.sampled_from("ab"), min_size=rows, max_size=rows))
    pdf = pd.DataFrame({"t": times, "k": pd.Series(keys, dtype="str"), "v": range(rows)})
    options = {"freq": data.draw(st.sampled_from(["5h", "D", "2D", "36h"]))}
    options |= {"closed": data.draw(st.sampled_from(["left", "right"]))}
    options |= {"label": data.draw(st.sampled_from(["left", "right"]))}
    by = [pd.Grouper(key="t", **options), "k"]
    parts = data.draw(splits(pdf))
    lazy = gd.concat([gd.from_pandas(each, npartitions=1) for each in parts])
    sort = data.draw(st.booleans())
    if pdf.t.isna().all():
        assert not len(lazy.groupby(by, sort=sort).v.sum().compute(engine="sync"))
        return
    expected = pdf.groupby(by, sort=sort).v.sum()
    assert_eq(lazy.groupby(by, sort=sort).v.sum(), expected, check_freq=False)


def test_what_is_wrong_is_said_at_once():
    lazy = gd.from_pandas(PDF, npartitions=2)
    for wrong, kind, match in (
        (lambda: lazy.groupby([pd.Grouper(key="T", freq="D"), "k"]), KeyError, "did you mean 't'"),
        (lambda: lazy.groupby([pd.Grouper(key="k", freq="D"), "v"]), TypeError, "DatetimeIndex"),
        (lambda: lazy.v.groupby([DAYS]), KeyError, "t"),
        (lambda: lazy.groupby([DAYS, "k"], dropna=False), NotSupportedError, "drop those rows"),
    ):
        with pytest.raises(kind, match=match):
            wrong()
