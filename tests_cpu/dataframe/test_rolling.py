"""Windows of rows against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms import windows as algorithms
from gpuscale.testing.frames import assert_eq, frames

NUMBERS = ("int64", "int8", "float64", "float32", "bool")
CLOSED = (None, "left", "right", "both", "neither")
PDF = pd.DataFrame({"x": np.arange(20.0) ** 2 % 17, "y": np.arange(20) * 7 % 5})
DF = gd.from_pandas(PDF, npartitions=5)


@settings(max_examples=10, deadline=None)
@given(
    frame=frames(NUMBERS),
    parts=st.integers(1, 5),
    window=st.integers(1, 7),
    least=st.integers(0, 1),
    center=st.booleans(),
    closed=st.sampled_from(CLOSED),
)
def test_windows_of_rows(frame, parts, window, least, center, closed):
    options = {"min_periods": least, "center": center, "closed": closed}
    lazy, expected = gd.from_pandas(frame, npartitions=parts), frame.rolling(window, **options)
    assert_eq(lazy.rolling(window, **options).sum(), expected.sum(), rtol=1e-9)
    assert_eq(lazy.c0.rolling(window, **options).max(), frame.c0.rolling(window, **options).max())


@settings(max_examples=15, deadline=None)
@given(
    days=st.lists(st.integers(0, 12), min_size=1, max_size=14).map(sorted),
    parts=st.integers(1, 5),
    window=st.sampled_from(["1D", "3D", "30h", pd.Timedelta(9, "D")]),
    center=st.booleans(),
    closed=st.sampled_from(CLOSED),
)
def test_windows_of_times(days, parts, window, center, closed):
    index = pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D")
    frame = pd.DataFrame({"x": np.arange(len(days)) ** 2 % 7}, index=index)
    options = {"center": center, "closed": closed}
    lazy = gd.from_pandas(frame, npartitions=parts).map_partitions(lambda part: part)
    expected = frame.rolling(window, **options).sum()
    assert_eq(lazy.rolling(window, **options).sum(), expected, check_freq=False)


@pytest.mark.parametrize("name", ["mean", "std", "median", "kurt", "count"])
def test_methods(name):
    result = getattr(DF.rolling(4, min_periods=2), name)()
    assert_eq(result, getattr(PDF.rolling(4, min_periods=2), name)(), rtol=1e-9)


def test_methods_with_arguments():
    windows, expected = DF.rolling(4), PDF.rolling(4)
    assert_eq(windows.quantile(0.3), expected.quantile(0.3))
    assert_eq(windows.apply(np.ptp, raw=True), expected.apply(np.ptp, raw=True))
    assert_eq(windows.agg(["sum", "max"]), expected.agg(["sum", "max"]))
    assert_eq(windows.agg({"x": "mean"}), expected.agg({"x": "mean"}), rtol=1e-9)
    assert_eq(windows["x"].var(ddof=0), expected["x"].var(ddof=0), rtol=1e-9)
    assert_eq(DF.x.rolling(4).corr(DF.y), PDF.x.rolling(4).corr(PDF.y), rtol=1e-9)


def test_rows_of_filtered_frames_are_counted():
    kept, expected = DF[DF.y > 0], PDF[PDF.y > 0]
    assert_eq(
        kept.assign(z=kept.x.rolling(3).sum()), expected.assign(z=expected.x.rolling(3).sum())
    )


@settings(max_examples=5, deadline=None)
@given(frame=frames(NUMBERS[:4]), parts=st.integers(1, 4), least=st.integers(0, 3))
def test_windows_that_grow(frame, parts, least):
    lazy = gd.from_pandas(frame, npartitions=parts)
    for name in ("count", "sum", "mean", "min", "max", "var", "sem"):
        expected = getattr(frame.expanding(least), name)()
        result = getattr(lazy.expanding(least), name)()
        assert_eq(result, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    frame=frames(NUMBERS[:4]),
    parts=st.integers(1, 5),
    alpha=st.sampled_from([0.1, 0.5, 0.9]),
    least=st.integers(0, 3),
    adjust=st.booleans(),
    ignore_na=st.booleans(),
)
def test_weights_that_fall_off(frame, parts, alpha, least, adjust, ignore_na):
    options = {"alpha": alpha, "min_periods": least, "adjust": adjust, "ignore_na": ignore_na}
    lazy = gd.from_pandas(frame, npartitions=parts)
    lazy, windows = lazy.ewm(**options), frame.ewm(**options)
    for name, given_ in METHODS[: 4 if adjust else 1]:
        expected = getattr(windows, name)(**given_)
        if (
            name == "var"
        ):  # of one element, pandas has 0 instead of a null where weights are rounded
            expected = expected.where(frame.notna().cumsum() > 1)
        assert_eq(getattr(lazy, name)(**given_), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("alpha", [0.3, 0.5])
def test_means_after_nulls(alpha):
    series = pd.Series([0.0, None, 1, None, None, 3, None, 5, None])
    expected = series.ewm(alpha=alpha, adjust=False).mean()
    for parts in (2, 4, 9):
        lazy = gd.from_pandas(series, npartitions=parts)
        assert_eq(lazy.ewm(alpha=alpha, adjust=False).mean(), expected, rtol=1e-9)


METHODS = [("mean", {}), ("sum", {}), ("var", {}), ("std", {"bias": True})]

WINDOWS_OF_ALL = {
    "median": lambda x: x.expanding().median(),
    "quantile": lambda x: x.x.expanding(2).quantile(0.3),
    "skew": lambda x: x.expanding().skew(),
    "rank": lambda x: x.expanding().rank(),
    "apply": lambda x: x.x.expanding().apply(np.ptp, raw=True),
    "agg": lambda x: x.expanding().agg(["sum", "max"]),
    "std": lambda x: x.x.expanding().std(ddof=0),
    "cov": lambda x: x.x.expanding().cov(x.y),
    "column": lambda x: x.expanding()["y"].var(),
    "ewm corr": lambda x: x.x.ewm(span=3).corr(x.y),
    "ewm unadjusted": lambda x: x.ewm(com=1, adjust=False).std(),
    "ewm halflife": lambda x: x[["y"]].ewm(halflife=2).mean(),
    "ewm agg": lambda x: x.ewm(span=2).agg("mean"),
    "infinities": lambda x: (1 / x).ewm(span=4).mean(),
}


@pytest.mark.parametrize("case", WINDOWS_OF_ALL)
def test_windows_of_all_rows(case):
    assert_eq(WINDOWS_OF_ALL[case](DF), WINDOWS_OF_ALL[case](PDF), rtol=1e-9)


def test_pairs_of_other_labels_are_aligned():
    few, expected = DF.y.loc[5:], PDF.y.loc[5:]
    assert_eq(few.rolling(3).cov(DF.x.loc[:12]), expected.rolling(3).cov(PDF.x.loc[:12]), rtol=1e-9)
    assert_eq(DF.x.expanding().corr(few), PDF.x.expanding().corr(expected), rtol=1e-9)


def test_means_of_large_numbers_stay_exact():
    series = pd.Series(1e9 + np.arange(20.0) ** 2 % 7)
    lazy = gd.from_pandas(series, npartitions=7)
    assert_eq(lazy.ewm(span=5).var(), series.ewm(span=5).var(), rtol=1e-6, atol=1e-6)
    assert_eq(lazy.expanding().var(), series.expanding().var(), rtol=1e-6)


def test_what_is_refused_says_what_to_do():
    with pytest.raises(NotSupportedError, match="resample"):
        DF.ewm(halflife="1D", times=pd.date_range("2020", periods=20))
    with pytest.raises(ValueError, match="alpha"):
        DF.ewm(alpha=2)
    with pytest.raises(NotSupportedError, match="each pair"):
        DF.expanding().corr()
    with pytest.raises(NotSupportedError, match="set_index"):
        DF.rolling(3, on="y")
    with pytest.raises(NotSupportedError, match="each pair"):
        DF.rolling(3).cov()
    with pytest.raises(ValueError, match="window"):
        DF.rolling("3D")
    times = pd.date_range("2020-01-01", periods=20)[::-1]
    backwards = gd.from_pandas(PDF.set_index(times), npartitions=3, sort=False)
    with pytest.raises(ValueError, match="sort_index"):
        backwards.rolling("3D").sum()


@pytest.mark.parametrize(
    "asked",
    [
        lambda d: d.rolling(3).x.sum(),
        lambda d: d.expanding().x.max(),
        lambda d: d.ewm(1).x.mean(),
        lambda d: d.groupby("y").rolling(2).x.sum(),
        lambda d: d.groupby("y").expanding().x.sum(),
    ],
)
def test_columns_are_attributes(asked):
    assert_eq(asked(DF), asked(PDF), rtol=1e-12)


def test_attributes_that_are_no_columns():
    for windows in (DF.rolling(2), DF.expanding()):
        with pytest.raises(AttributeError, match="no attribute or column 'z'"):
            windows.z  # noqa: B018


@pytest.mark.parametrize("name", ["mean", "std", "max", "count"])
@pytest.mark.parametrize(
    "options",
    [{}, {"center": True}, {"min_periods": 1, "closed": "both"}, {"min_periods": 2}],
    ids=["behind", "centered", "closed", "few"],
)
def test_windows_of_many_rows_in_blocks(monkeypatch, name, options):
    monkeypatch.setattr(algorithms, "_BLOCK", 48)
    rng = np.random.default_rng(4)
    numbers = rng.normal(size=(1000, 2))
    numbers[rng.integers(0, 1000, 90), 1] = np.nan
    pdf = pd.DataFrame(numbers, pd.RangeIndex(5, 1005), ["x", "y"])
    for each in (pdf, pdf.y, pdf[["x"]].astype("Float64")):
        lazy = gd.from_pandas(each, npartitions=3).rolling(3, **options)
        assert_eq(getattr(lazy, name)(), getattr(each.rolling(3, **options), name)(), rtol=1e-9)
    lists = gd.from_pandas(pdf, npartitions=3).rolling(3, **options).agg([name, "sum"])
    assert_eq(lists, pdf.rolling(3, **options).agg([name, "sum"]), rtol=1e-9)
