"""Elements of series by their labels, and labels of an index by their positions, against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq, splits

LABELS = {
    "int64": st.integers(0, 9),
    "str": st.sampled_from("abcdefgh"),
    "float64": st.integers(0, 9).map(float),
    "datetime64[us]": st.integers(1, 9).map(lambda n: pd.Timestamp(2020, 1, n)),
}


@settings(max_examples=15)
@given(data=st.data())
def test_elements(data):
    dtype = data.draw(st.sampled_from(list(LABELS)))
    labels = data.draw(st.lists(LABELS[dtype], min_size=1, max_size=8, unique=True))
    index = pd.Index(sorted(labels) if data.draw(st.booleans()) else labels, dtype=dtype)
    series = pd.Series(range(len(index)), index=index)
    whole = gd.from_pandas(series, npartitions=data.draw(st.integers(1, 3)))
    parts = data.draw(splits(series))
    for lazy in (whole, gd.concat([gd.from_pandas(each, npartitions=1) for each in parts])):
        label = data.draw(LABELS[dtype])
        if label in index:
            assert_eq(lazy[label], series[label])
        else:
            with pytest.raises(KeyError):
                lazy[label].compute(engine="sync")
        chosen = data.draw(st.lists(st.sampled_from(list(index)), max_size=3))
        assert_eq(lazy[chosen], series[chosen], check_freq=False)
        truths = data.draw(st.lists(st.booleans(), min_size=len(index), max_size=len(index)))
        assert_eq(lazy[np.array(truths)], series[np.array(truths)], check_freq=False)
        _check_positions(data, lazy.index, series.index)


def _check_positions(data, lazy, index):
    place = data.draw(st.integers(-len(index), len(index) - 1))
    assert_eq(lazy[place], index[place])
    cut = data.draw(st.slices(len(index)))
    assert_eq(lazy[cut], index[cut])
    places = data.draw(st.lists(st.integers(-len(index), len(index) - 1), max_size=3))
    assert_eq(lazy[places], index[places])
    assert list(lazy) == list(index)


LEVELS = pd.Series(
    range(4), index=pd.MultiIndex.from_tuples([("b", 1), ("a", 2), ("a", 1), ("b", 2)])
)
DAYS = pd.Series(range(5), index=pd.date_range("2020-01-30", periods=5))
REPEATED = pd.Series([1, 2, 3], index=list("aab"))


@pytest.mark.parametrize("npartitions", [1, 3])
def test_labels_that_stand_for_several_rows(npartitions):
    for case, series in (
        (lambda s: s["a"], LEVELS),
        (lambda s: s["a", 2], LEVELS),
        (lambda s: s["2020-02"], DAYS),
        (lambda s: s[[pd.Timestamp("2020-02-01")]], DAYS),
        (lambda s: s["a"], REPEATED),
        (lambda s: s[lambda s: s > 1], REPEATED),
        (lambda s: s.index[s.index > "a"], REPEATED),
        (lambda s: s.index[1], LEVELS),
        (lambda s: s.index[::-2], LEVELS),
    ):
        expected = case(series)
        assert_eq(case(gd.from_pandas(series, npartitions)), expected)


def test_what_is_no_label():
    lazy = gd.from_pandas(REPEATED, npartitions=2)
    for wrong, kind, match in (
        (lambda: lazy[1], KeyError, "index of str"),
        (lambda: lazy[{"a"}], TypeError, "set"),
        (lambda: lazy[pd.Series([True, False, True])], TypeError, "series of truth values"),
        (lambda: lazy.index[3], IndexError, "out-of-bounds"),
        (lambda: lazy.index[0, 1], IndexError, "one axis"),
    ):
        with pytest.raises(kind, match=match):
            wrong()


@pytest.mark.parametrize("npartitions", [1, 3])
def test_rows_by_parts_of_labels(npartitions):
    table = pd.DataFrame({"x": range(5)}, index=["ab", "b", "ca", "d", "da"])
    lazy = gd.from_pandas(table.iloc[::-1], npartitions)
    for case in (
        lambda d: d.filter(items=["d", "none", "ab"], axis=0),
        lambda d: d.filter(like="a", axis=0),
        lambda d: d.x.filter(items=["ca", "da", "b"]),
        lambda d: d.x.filter(regex="^d"),
    ):
        assert_eq(case(lazy), case(table.iloc[::-1]))
    with pytest.raises(TypeError, match="mutually exclusive"):
        lazy.x.filter(items=["d"], like="a")
    quotients, rest = lazy.x.divmod(2)
    assert_eq(quotients, lazy.x.compute() // 2)
    assert_eq(rest, lazy.x.compute() % 2)
    for one, other in zip((lazy.x + 1).rdivmod(7), (table.x[::-1] + 1).rdivmod(7), strict=True):
        assert_eq(one, other)
    assert_eq(lazy.x.T, lazy.x.transpose().compute())
    made = gd.DataFrame.from_records([(1, "a"), (2, "b")], npartitions=2, columns=["n", "s"])
    assert_eq(made, pd.DataFrame({"n": [1, 2], "s": ["a", "b"]}))


def test_times_beyond_the_labels_are_no_rows():
    days = pd.date_range("2024-03-01", periods=40, freq="2D", tz="UTC")
    pdf = pd.DataFrame({"x": range(40)}, index=days)
    for npartitions in (1, 3):
        lazy = gd.from_pandas(pdf, npartitions=npartitions)
        for x, expected in ((lazy, pdf), (lazy.x, pdf.x)):
            assert_eq(x.loc["2024-04"], expected.loc["2024-04"], check_freq=False)
            assert x.loc["2024-03-02"].compute(engine="sync").empty
            for text in ("2024-02", "2025"):
                with pytest.raises(KeyError, match=text):
                    expected.loc[text]
                with pytest.raises(KeyError, match=text):
                    x.loc[text].compute(engine="sync")
        assert lazy.loc["2025":].compute(engine="sync").empty
    one = gd.from_pandas(pdf, npartitions=1).clear_divisions()
    with pytest.raises(KeyError, match="2025"):
        one.loc["2025"].compute(engine="sync")
