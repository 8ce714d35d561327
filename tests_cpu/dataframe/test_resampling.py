"""Bins of time against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms import windows
from gpuscale.testing.frames import assert_eq

INDEX = pd.Timestamp("2020-01-29 07:00") + pd.to_timedelta([0, 1, 1, 9, 30, 31, 200, 900], unit="h")
PDF = pd.DataFrame({"x": np.arange(8) ** 2, "y": [1.0, np.nan, 2, 3, np.nan, 5, 6, 7]}, INDEX)
DF = gd.from_pandas(PDF, npartitions=2)
OF_SPANS = PDF.set_axis(INDEX - INDEX[0])


@settings(max_examples=6, deadline=None)
@given(
    hours=st.lists(st.integers(0, 90), min_size=1, max_size=12).map(sorted),
    parts=st.integers(1, 4),
    rule=st.sampled_from(["7h", "1D", "2D", "W", "ME", "MS"]),
    closed=st.sampled_from([None, "left", "right"]),
    label=st.sampled_from([None, "left", "right"]),
    origin=st.sampled_from(["start_day", "epoch", "start", "end", "end_day"]),
)
def test_bins_are_those_of_pandas(hours, parts, rule, closed, label, origin):
    index = pd.Timestamp("2020-01-29 03:00") + pd.to_timedelta(hours, unit="h")
    frame = pd.DataFrame({"x": np.arange(len(hours))}, index=index.rename("t"))
    lazy = gd.from_pandas(frame, npartitions=parts)
    options = {"closed": closed, "label": label}
    if rule[-1] == "h" or rule[-1] == "D" and not pd.__version__.startswith("3.0."):
        # others have no origin, nor had days in pandas 3.0
        options["origin"] = origin
    assert_eq(lazy.resample(rule, **options).sum(), frame.resample(rule, **options).sum())


@pytest.mark.parametrize(
    "name", ["sum", "prod", "min", "mean", "std", "count", "size", "first", "nunique", "median"]
)
def test_methods(name):
    result = getattr(DF.resample("1D"), name)()
    assert_eq(result, getattr(PDF.resample("1D"), name)(), rtol=1e-9)


@pytest.mark.parametrize("name", ["first", "max"])
def test_truths_beside_empty_bins(name):
    truths = PDF[["x"]] > 4
    for rule in ("1D", "365D"):
        result = getattr(gd.from_pandas(truths, npartitions=2).resample(rule), name)()
        assert_eq(result, getattr(truths.resample(rule), name)())


@pytest.mark.parametrize("origin", ["end", "end_day"])
@pytest.mark.parametrize("sides", [{}, {"closed": "left"}, {"label": "left"}])
def test_bins_that_are_counted_from_the_end(origin, sides):
    options = {"origin": origin, **sides}
    for lazy, frame in ((DF, PDF), (gd.from_pandas(OF_SPANS, npartitions=2), OF_SPANS)):
        assert_eq(lazy.resample("7h", **options).sum(), frame.resample("7h", **options).sum())
    by = [pd.Grouper(key="t", freq="7h", **options), "x"]
    rows = PDF.rename_axis("t").reset_index()
    mine = gd.from_pandas(rows, npartitions=4)
    assert_eq(mine.groupby(by).y.sum(), rows.groupby(by).y.sum())


def test_labels_of_spans_that_an_offset_moves():
    mine = gd.from_pandas(OF_SPANS, npartitions=2).resample("7h", offset="2h").sum()
    assert_eq(mine, OF_SPANS.resample("7h", offset="2h").sum())


def test_a_last_bin_that_pandas_leaves_empty():
    series = pd.Series([1, 2], pd.DatetimeIndex(["2020-01-09", "2020-02-01"]))
    bins = gd.from_pandas(series, npartitions=2).resample("MS", closed="right")
    assert_eq(bins.sum(), series.resample("MS", closed="right").sum())


def test_methods_with_arguments():
    bins, expected = DF.resample("2D"), PDF.resample("2D")
    assert_eq(bins.quantile(0.3), expected.quantile(0.3))
    assert_eq(bins.agg(["sum", "max"]), expected.agg(["sum", "max"]))
    assert_eq(bins.agg({"y": "mean"}), expected.agg({"y": "mean"}), rtol=1e-9)
    assert_eq(bins["x"].ohlc(), expected["x"].ohlc())
    assert_eq(DF[DF.x < 0].resample("2D").sum(), PDF[PDF.x < 0].resample("2D").sum())


ASKED_OF_BINS = {
    "ffill": lambda bins: bins.ffill(),
    "ffill of two": lambda bins: bins.ffill(limit=2),
    "bfill": lambda bins: bins.bfill(),
    "nearest": lambda bins: bins.nearest(),
    "asfreq": lambda bins: bins.asfreq(fill_value=-1),
    "interpolate": lambda bins: bins.interpolate(),
    "apply": lambda bins: bins.apply(lambda rows: rows.max() - rows.min()),
    "apply names": lambda bins: bins.apply(["sum", "max"]),
    "aggregate": lambda bins: bins.aggregate("sum"),
    "transform": lambda bins: bins.transform("max"),
    "pipe": lambda bins: bins.pipe(lambda each: each.max() - each.min()),
}


@pytest.mark.parametrize("case", ASKED_OF_BINS)
def test_what_else_is_asked_of_bins(case):
    unique = PDF[~PDF.index.duplicated()]
    for pdf, rule in ((unique, "7h"), (unique, "3D")):
        expected = ASKED_OF_BINS[case](pdf.resample(rule))
        for npartitions in (1, 3):
            bins = gd.from_pandas(pdf, npartitions=npartitions).resample(rule)
            assert_eq(ASKED_OF_BINS[case](bins), expected, promised=False, check_freq=False)


def test_what_is_refused_says_what_to_do():
    with pytest.raises(NotSupportedError, match="set_index"):
        DF.resample("1D", level=0)
    with pytest.raises(TypeError, match="DatetimeIndex"):
        DF.resample("1D", on="x")
    with pytest.raises(KeyError, match="did you mean 'x'"):
        DF.resample("1D", on="xx")
    with pytest.raises(TypeError, match="DatetimeIndex"):
        gd.from_pandas(PDF.reset_index(drop=True), npartitions=2).resample("1D")


def test_columns_are_attributes():
    assert_eq(DF.resample("2D").x.sum(), PDF.resample("2D").x.sum())
    assert_eq(DF.resample("2D").y.agg(["max"]), PDF.resample("2D").y.agg(["max"]))
    found, expected = (d.groupby("x").resample("2D").y.sum() for d in (DF, PDF))
    assert_eq(found, expected)
    with pytest.raises(AttributeError, match="no attribute or column 'z'"):
        DF.resample("2D").z  # noqa: B018


@pytest.mark.parametrize("seed", [0, 1])
def test_bins_of_a_column(seed):
    rng = np.random.default_rng(seed)
    times = pd.Timestamp("2024-02-27") + pd.to_timedelta(rng.integers(0, 99, 30), unit="h")
    pdf = pd.DataFrame({"t": times, "x": np.arange(30), "y": rng.random(30)})
    pdf.loc[[3, 17], "t"] = pd.NaT
    df = gd.from_pandas(pdf, npartitions=3)
    for asked in (
        lambda d: d.resample("1D", on="t").sum(),
        lambda d: d.resample("7h", on="t").x.max(),
        lambda d: d.resample("W", on="t").agg({"x": "sum", "y": "mean"}),
        lambda d: d.groupby(pd.Grouper(key="t", freq="1D")).x.sum(),
        lambda d: d.groupby(pd.Grouper(key="t", freq="7h", closed="right")).y.mean(),
        lambda d: d.groupby(pd.Grouper(key="t", freq="1D")).size(),
        lambda d: d.dropna().set_index("t").sort_index().groupby(pd.Grouper(freq="ME")).x.count(),
    ):
        # Empty bins make floats of integers; pandas has no frequency where times are missing.
        assert_eq(asked(df), asked(pdf), rtol=1e-12, check_freq=False)


@pytest.fixture
def stored(tmp_path):
    """Write rows by their times, a few in each row group; return where, and what is computed."""
    looked = []

    def write(times):
        rows = pd.DataFrame({"x": np.arange(len(times))}, pd.DatetimeIndex(times, name="t"))
        rows.to_parquet(tmp_path / "x.parquet", row_group_size=3)
        return rows, gd.read_parquet(tmp_path / "x.parquet", split_row_groups=True), looked

    return write


def test_files_that_say_their_first_and_last_time_are_read_once(stored, monkeypatch):
    rows, lazy, looked = stored(INDEX)
    chunk = windows.Ends.chunk
    monkeypatch.setattr(windows.Ends, "chunk", lambda *args: looked.append(1) or chunk(*args))
    assert_eq(
        lazy.assign(y=lazy.x + 1).resample("1D").sum(),
        rows.assign(y=rows.x + 1).resample("1D").sum(),
    )
    assert_eq(lazy.rolling("8h").sum(), rows.rolling("8h").sum())
    assert not looked
    late = lazy[lazy.x > 2]
    assert_eq(late.resample("1D").sum(), rows[rows.x > 2].resample("1D").sum())
    assert looked


def test_one_time_at_the_end_of_a_file_and_at_the_start_of_another(stored):
    rows, lazy, _ = stored(INDEX[[0, 1, 2, 2, 2, 2, 2, 3]])
    assert_eq(lazy.resample("1D").sum(), rows.resample("1D").sum())


@pytest.mark.parametrize("order", [[0, 1, 3, 2, 4, 5, 6, 7], [0, 1, 2, 3, 5, 4, 6, 7]])
def test_rows_of_files_that_are_not_in_order(stored, order):
    _, lazy, _ = stored(INDEX[order])
    with pytest.raises(ValueError, match="must be monotonic"):
        lazy.resample("1D").sum().compute(engine="sync")
