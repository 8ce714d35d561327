"""Partitions against pandas: cutting, joining, aligning, rows by position and by label."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.dataframe.api import positions
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame({"x": np.arange(20), "y": np.arange(20) * 0.5, "n": list("abcde" * 4)})
DATED = PDF.set_index(pd.date_range("2020-01-01", periods=20, freq="12h"))


@pytest.fixture
def df():
    return gd.from_pandas(PDF, npartitions=4)


@pytest.fixture
def filtered(df):
    return df[df.x % 3 > 0]


FILTERED = PDF[PDF.x % 3 > 0]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 19])
def test_repartition_by_number(df, filtered, n):
    for frame, expected in [(df, PDF), (filtered, FILTERED), (df.clear_divisions(), PDF)]:
        result = frame.repartition(npartitions=n)
        assert result.npartitions == n
        assert_eq(result, expected)
        assert_eq(result.x.sum(), expected.x.sum())


def test_repartition_by_divisions(df):
    result = df.repartition(divisions=(0, 3, 11, 19))
    assert_eq(result, PDF)
    assert_eq(result.partitions[1], PDF[3:11])
    assert_eq(df.repartition(divisions=(-5, 3, 40), force=True), PDF)
    with pytest.raises(ValueError, match="force=True"):
        df.repartition(divisions=(-5, 3, 40))
    with pytest.raises(ValueError, match="leave out rows"):
        df.repartition(divisions=(3, 19), force=True)
    assert_eq(gd.from_pandas(DATED, 3).repartition(freq="3D"), DATED, check_freq=False)


def test_alignment_by_divisions(df):
    other = gd.from_pandas(PDF[5:].assign(x=1), npartitions=3)
    assert_eq(df.x + other.x, PDF.x + PDF[5:].assign(x=1).x)
    assert_eq(df.assign(z=other.y), PDF.assign(z=PDF[5:].y))


def test_bounds_of_two_single_partitions():
    one, other = gd.from_pandas(PDF[:4], 1), gd.from_pandas(PDF[2:9], 1)
    both = one.x + other.x
    assert_eq(both, PDF[:4].x + PDF[2:9].x)
    assert not both.known_divisions
    assert not one.map_partitions(lambda part: part.reset_index()).known_divisions


def test_rows_of_unknown_divisions_must_have_the_same_labels(df, filtered):
    plain = df.clear_divisions()
    assert_eq(plain.x + plain.y.map_partitions(lambda y: y + 1), PDF.x + (PDF.y + 1))
    wrong = plain.x + plain.y.map_partitions(lambda y: y[y > 3])
    with pytest.raises(ValueError, match="other labels"):
        wrong.compute(engine="sync")


def test_concat(df, filtered):
    other = PDF[["y", "x"]].assign(z=1)
    assert_eq(gd.concat([df, filtered]), pd.concat([PDF, FILTERED]))
    assert_eq(gd.concat([df, other]), pd.concat([PDF, other]))
    assert_eq(gd.concat([df, other], join="inner"), pd.concat([PDF, other], join="inner"))
    assert_eq(gd.concat([df.x, df.y]), pd.concat([PDF.x, PDF.y]))
    assert_eq(gd.concat([df, df], keys=["a", "b"]), pd.concat([PDF, PDF], keys=["a", "b"]))
    assert_eq(gd.concat([df, df], ignore_index=True), pd.concat([PDF, PDF], ignore_index=True))
    assert_eq(gd.concat([df.x, df.y * 2], axis=1), pd.concat([PDF.x, PDF.y * 2], axis=1))
    ordered = gd.concat([gd.from_pandas(PDF[:10], 2), gd.from_pandas(PDF[10:], 2)])
    assert ordered.divisions == (0, 5, 10, 15, 19)


def test_categories_are_joined_as_pandas_does(df):
    one = pd.DataFrame({"c": pd.Categorical(["a", "b"])})
    two = pd.DataFrame({"c": pd.Categorical(["b", "c"])})
    assert_eq(gd.concat([gd.from_pandas(one), two]), pd.concat([one, two]))


SLICES = [slice(3), slice(3, 12), slice(-4, None), slice(None, None, 3), slice(None, None, -1)]


@pytest.mark.parametrize(
    "rows", [*SLICES, slice(15, 2, -4), slice(12, 3), [3, 0, -1, 3], [], 7, -2]
)
def test_rows_by_position(df, filtered, rows):
    for frame, expected in [(df, PDF), (filtered[["x", "y"]], FILTERED[["x", "y"]])]:
        if rows != 7 or frame is not df:
            assert_eq(frame.iloc[rows], expected.iloc[rows], promised=False)
        assert_eq(frame.y.iloc[rows], expected.y.iloc[rows])
    assert_eq(df.iloc[2:4, [1, 0]], PDF.iloc[2:4, [1, 0]])
    assert_eq(df[3:8], PDF[3:8])


def test_positions_that_are_not_there(df):
    with pytest.raises(IndexError):
        df.iloc[20]
    with pytest.raises(IndexError):
        df.iloc[[3, 20]]


def test_rows_by_label(df):
    assert_eq(df.loc[3:11], PDF.loc[3:11])
    assert_eq(df.loc[12:], PDF.loc[12:])
    assert_eq(df.loc[[11, 3]], PDF.loc[[11, 3]])
    assert_eq(df.loc[df.x > 4, "y"], PDF.loc[PDF.x > 4, "y"])
    assert_eq(df.loc[:, ["y"]], PDF.loc[:, ["y"]])
    assert_eq(df.loc[3:5, "x":"y"], PDF.loc[3:5, "x":"y"])
    with pytest.raises(KeyError):
        df.loc[[3, 99]].compute(engine="sync")
    with pytest.raises(ValueError, match="set_index"):
        df.clear_divisions().loc[3:]
    dated = gd.from_pandas(DATED, npartitions=4)
    for start, stop in [
        ("2020-01-02", "2020-01-05"),
        ("2020-01", "2020-01-03 12:00"),
        (None, "2020-01-04"),
    ]:
        assert_eq(dated.loc[start:stop], DATED.loc[start:stop], check_freq=False)


def test_setting_rows(df):
    expected = PDF.copy()
    expected.loc[expected.x > 4, "y"] = 0.0
    df.loc[df.x > 4, "y"] = 0.0
    assert_eq(df, expected)


def test_reset_index(df, filtered):
    assert_eq(filtered.reset_index(), FILTERED.reset_index())
    assert_eq(filtered.reset_index(drop=True), FILTERED.reset_index(drop=True))
    assert_eq(filtered.y.reset_index(drop=True), FILTERED.y.reset_index(drop=True))
    assert_eq(filtered.y.reset_index(), FILTERED.y.reset_index())


def test_reset_index_of_one_partition_counts_no_rows(filtered, monkeypatch):
    alone = filtered.repartition(npartitions=1)
    monkeypatch.setattr(positions, "counted", None)
    assert_eq(alone.reset_index(), FILTERED.reset_index())
    assert_eq(alone.groupby("n").x.sum().reset_index(), FILTERED.groupby("n").x.sum().reset_index())


@pytest.fixture(scope="module")
def hours():
    return pd.DataFrame(
        {"v": range(60)}, index=pd.date_range("2020-01-30", periods=60, freq="h", tz="UTC")
    )


def test_a_text_stands_for_all_times_that_lie_in_it(hours):
    lazy = gd.from_pandas(hours, npartitions=4)
    for label in ("2020-01-31", "2020-02", "2020-01-31 05:00"):
        assert_eq(lazy.loc[label:label], hours.loc[label:label])
        assert_eq(lazy.loc[label], hours.loc[label:label])
    assert_eq(lazy.loc["2020-01-31":], hours.loc["2020-01-31":])
    assert_eq(lazy.loc[:"2020-01"], hours.loc[:"2020-01"])
    some = hours.iloc[[48, 24]]
    assert_eq(lazy.loc[["2020-02-01", "2020-01-31"]], some, check_freq=False)
    with pytest.raises(ValueError, match="sorted index"):
        lazy.clear_divisions().loc["2020-02"]


@pytest.mark.parametrize("freq", ["ME", "MS", "1D", "7D", pd.offsets.MonthEnd()])
def test_partitions_of_periods(hours, freq):
    lazy = gd.from_pandas(hours, npartitions=4).repartition(freq=freq)
    assert lazy.known_divisions
    assert_eq(lazy, hours)


def test_side_by_side_in_the_order_of_labels():
    one = pd.DataFrame({"a": [1, 2, 3]}, index=[0, 2, 4])
    two = pd.DataFrame({"b": [1, 2, 3]}, index=[1, 3, 5])
    lazy = gd.concat([gd.from_pandas(one, npartitions=2), two], axis=1)
    expected = pd.concat([one, two], axis=1).sort_index()
    assert_eq(lazy, expected)
    assert_eq(lazy.loc[2:4], expected.loc[2:4])


@pytest.mark.parametrize(
    "value", ["big", 1, 2.5, True, pd.Timestamp("2026-01-01"), None, "of rows", "of all"]
)
def test_rows_of_a_new_column(value):
    pdf = pd.DataFrame({"x": np.arange(9)})
    df = gd.from_pandas(pdf, npartitions=3)
    for frame in (df, pdf):
        given = {"of rows": frame.x * 2, "of all": frame.x.sum()}.get(value, value)
        frame.loc[frame.x > 4, "new"] = given
    assert_eq(df, pdf)


def test_periods():
    pdf = pd.DataFrame({"t": pd.date_range("2026-01-01", periods=90), "x": np.arange(90)})
    df = gd.from_pandas(pdf, npartitions=4)
    months = df.t.dt.to_period("M")
    assert_eq(months, pdf.t.dt.to_period("M"))
    assert_eq(df.groupby(months).x.sum(), pdf.groupby(pdf.t.dt.to_period("M")).x.sum())


def test_slices_of_labels_of_one_partition():
    times = (
        pd.date_range("2026-01-01", periods=60)
        .to_series(index=range(60))
        .sample(frac=1, random_state=0)
    )
    pdf = pd.DataFrame({"t": times, "x": np.arange(60)}).reset_index(drop=True)
    df = gd.from_pandas(pdf, npartitions=1)
    ordered = pdf.set_index("t").sort_index()
    assert_eq(df.set_index("t").loc["2026-02"], ordered.loc["2026-02"])
    assert_eq(df.sort_values("t").set_index("t").loc["2026-02-03":], ordered.loc["2026-02-03":])
    with pytest.raises(KeyError):  # as pandas: where a label that is not there would be
        df.set_index("x").iloc[::-1].set_index("t", sort=False).loc["2026-01-01 05:00":].compute()
