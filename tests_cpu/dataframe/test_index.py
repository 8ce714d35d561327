"""The index of frames against pandas."""

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame({"x": range(6)}, index=pd.Index([3, 1, 1, 4, 5, 9], name="k"))
TIMES = PDF.set_axis(pd.date_range("2020-01-31 22:00", periods=6, freq="7h", name="t"), axis=0)
TEXTS = PDF.set_axis(pd.Index(["b", "A", None, "c", "b", "a"]), axis=0)
LEVELS = PDF.set_index("x", append=True)


def lazy(frame):
    return gd.from_pandas(frame, npartitions=3)


CASES = {
    "arithmetic": lambda x: x.index * 2 + 1,
    "negative": lambda x: -x.index,
    "map": lambda x: x.index.map({3: 1, 1: 2, 4: 0, 5: 7, 9: 9}),
    "astype": lambda x: x.index.astype("float64"),
    "unique": lambda x: x.index.unique(),
    "drop_duplicates": lambda x: x.index.drop_duplicates(keep="last"),
    "sort_values": lambda x: x.index.sort_values(ascending=False),
    "append": lambda x: x.index.append(x.index),
    "repeat": lambda x: x.index.repeat(2),
    "value_counts": lambda x: x.index.value_counts(),
    "nunique": lambda x: x.index.nunique(),
    "min": lambda x: x.index.min(),
    "max": lambda x: (x.index + 3).max(),
    "any": lambda x: x.index.any(),
    "argmax": lambda x: x.index.argmax(),
    "size": lambda x: x.index.size,
    "is_unique": lambda x: x.index.is_unique,
    "hasnans": lambda x: x.index.hasnans,
    "monotonic": lambda x: x.index.is_monotonic_increasing,
    "nbytes": lambda x: x.index.nbytes,
    "to_frame": lambda x: x.index.to_frame(),
    "to_series": lambda x: x.index.to_series(),
    "rename": lambda x: x.index.rename("z"),
    "as a column": lambda x: x.assign(z=x.index + 1),
    "rows of a remainder": lambda x: x[x.index % 2 == 1],
    "rows of both": lambda x: x[(x.index % 2 == 1) & (x.x > 1)],
    "rows of some": lambda x: x[(x.index + 1).isin([2, 5])],
    "rows of a map": lambda x: x[~(x.index.map(lambda k: k - 1) == 0)],
}


@pytest.mark.parametrize("case", CASES)
def test_labels(case):
    assert_eq(CASES[case](lazy(PDF)), CASES[case](PDF))
    kept, expected = lazy(PDF)[lazy(PDF).x > 1], PDF[PDF.x > 1]
    assert_eq(CASES[case](kept), CASES[case](expected))


OF_TIMES = {
    "year": lambda x: x.index.year,
    "date": lambda x: x.index.date,
    "floor": lambda x: x.index.floor("D"),
    "shift": lambda x: x.index.shift(2, freq="D"),
    "zone": lambda x: x.index.tz_localize("UTC"),
    "rows of an hour": lambda x: x[x.index.hour > 9],
    "rows of both": lambda x: x[(x.index.month == 2) & (x.x < 4)],
    "as a column": lambda x: x.assign(d=x.index.day_name()),
    "as groups": lambda x: x.groupby(x.index.day).x.sum(),
}


@pytest.mark.parametrize("case", OF_TIMES)
def test_times(case):
    result, expected = OF_TIMES[case](lazy(TIMES)), OF_TIMES[case](TIMES)
    if case == "date":
        assert list(result.compute()) == list(expected)
    else:
        assert_eq(result, expected)


def test_texts_and_levels():
    x = lazy(TEXTS)
    assert_eq(x.index.str.upper(), TEXTS.index.str.upper())
    assert_eq(x[x.index.str.lower() == "a"], TEXTS[TEXTS.index.str.lower() == "a"])
    assert_eq(x.index.dropna(), TEXTS.index.dropna())
    assert_eq(x.index.fillna("z"), TEXTS.index.fillna("z"))
    levels = lazy(LEVELS)
    assert_eq(levels.index.get_level_values("x"), LEVELS.index.get_level_values("x"))
    assert_eq(levels.index.droplevel(0), LEVELS.index.droplevel(0))


def test_what_is_not_in_order_any_more_has_no_bounds():
    x = gd.from_pandas(PDF.sort_index(), npartitions=3)
    assert x.index.known_divisions and x.index.rename("z").known_divisions
    assert not (x.index + 1).known_divisions
    assert not x.index.map(lambda k: -k).known_divisions


def test_attributes_that_labels_have_not():
    index = lazy(PDF).index
    with pytest.raises(AttributeError, match="year"):
        index.year  # noqa: B018
    with pytest.raises(AttributeError, match="str"):
        index.str  # noqa: B018
    assert "year" not in dir(index)
    assert "year" in dir(lazy(TIMES).index)
    assert index.to_list() == PDF.index.to_list()
    assert not index.empty
    assert index.shape[0].compute() == 6
