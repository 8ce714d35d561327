"""Every name of dask.dataframe is here, or it is said what to do instead."""

from io import StringIO
from pathlib import Path
from pkgutil import resolve_name

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.dataframe.elsewhere import FUNCTIONS, METHODS

dd = pytest.importorskip("dask.dataframe")

PAGE = (Path(__file__).parents[2] / "docs" / "pages" / "dataframes.md").read_text()
DF = gd.from_pandas(pd.DataFrame({"x": [1, 2], "count_": [1, 2]}), npartitions=2)

OF_TABLES = {"columns", "from_dict", "to_records"}  # which dask's series has, and pandas' has not
KINDS = {
    "DataFrame": (dd.DataFrame, gd.DataFrame, METHODS),
    "Series": (dd.Series, gd.Series, {*METHODS, *OF_TABLES}),
    "DataFrameGroupBy": ("_groupby:GroupBy", gd.DataFrameGroupBy, ()),
    "SeriesGroupBy": ("_groupby:SeriesGroupBy", gd.SeriesGroupBy, ()),
    "Rolling": ("_rolling:Rolling", gd.Rolling, ()),
    "str": ("_str_accessor:StringAccessor", gd.StringAccessor, ()),
    "dt": ("_datetime:DatetimeAccessor", gd.DatetimeAccessor, ("week", "weekofyear")),
    "cat": ("_categorical:CategoricalAccessor", gd.CategoricalAccessor, ()),
}


def public(owner):
    return {name for name in dir(owner) if not name.startswith("_")}


@pytest.mark.parametrize("kind", KINDS)
def test_methods_of_dask(kind):
    theirs, ours, elsewhere = KINDS[kind]
    if isinstance(theirs, str):
        theirs = resolve_name(f"dask.dataframe.dask_expr.{theirs}")
    missing = {name for name in public(theirs) if not hasattr(ours, name)}
    assert missing <= set(elsewhere), "neither here nor in elsewhere.METHODS"


def test_functions_of_dask():
    theirs = {name for name in public(dd) if callable(getattr(dd, name))}
    missing = {name for name in theirs if not hasattr(gd, name)}
    assert missing <= set(FUNCTIONS)


@pytest.mark.parametrize("name", [*FUNCTIONS, *METHODS])
def test_what_is_elsewhere_is_told(name):
    assert f"`{name}`" in PAGE
    if name in FUNCTIONS:
        with pytest.raises(AttributeError, match=name) as told:
            getattr(gd, name)
        assert FUNCTIONS[name] in str(told.value)
    if name in METHODS:
        assert not hasattr(gd.DataFrame, name)
        with pytest.raises(AttributeError, match=name) as told:
            getattr(DF, name)
        assert METHODS[name] in str(told.value)


def test_other_names_of_pandas():
    with pytest.raises(AttributeError, match=r"compute\(\)\.to_excel"):
        DF.to_excel()
    with pytest.raises(AttributeError, match=r"compute\(\)\.to_dict"):
        DF.x.to_dict()
    with pytest.raises(AttributeError, match="to_series"):
        DF.index.rolling(2)
    with pytest.raises(AttributeError, match="to_frame"):
        DF.x.merge(DF)
    with pytest.raises(AttributeError, match="did you mean 'count_'"):
        DF.coutn_  # noqa: B018
    with pytest.raises(AttributeError, match="str accessor"):
        DF.x.str  # noqa: B018


def test_what_is_made_elsewhere():
    with pytest.raises(AttributeError, match=r"what pandas\.read_excel gives"):
        gd.read_excel  # noqa: B018
    with pytest.raises(AttributeError, match=r"say pandas\.MultiIndex$"):
        gd.MultiIndex  # noqa: B018
    with pytest.raises(AttributeError, match=r"x\.unique\(\)"):
        gd.unique  # noqa: B018
    with pytest.raises(AttributeError, match="pivot_table computes"):
        gd.pivot  # noqa: B018
    with pytest.raises(AttributeError, match="'nowhere'$"):
        gd.nowhere  # noqa: B018
    with pytest.raises(TypeError, match=r"from_pandas\(pandas\.DataFrame"):
        gd.DataFrame({"x": [1, 2]})
    with pytest.raises(TypeError, match=r"from_pandas\(pandas\.Series"):
        gd.Series([1, 2])
    with pytest.raises(TypeError, match="give the path, and not a StringIO"):
        gd.read_csv(StringIO("a,b"))


def test_what_frames_are_given_is_pandas_own():
    found = DF.groupby("x").agg(n=gd.NamedAgg("count_", "sum")).compute()
    assert found.n.tolist() == [1, 2] and gd.NA is pd.NA and gd.NaT is pd.NaT
    days = TIMES.groupby(gd.Grouper(freq="D")).day.sum().compute()
    assert days[gd.Timestamp("2024-01-02")] == 2
    assert gd.isnull(DF.x).compute().sum() == 0 and gd.notnull(DF.x).compute().all()
    assert gd.notna(None) is False


TIMES = gd.from_pandas(pd.DataFrame({"day": [1, 2]}, pd.date_range("2024", periods=2)), 2)
TEXTS = gd.from_pandas(pd.Series(["a", "b"]), npartitions=2)


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda: DF.gropby, "groupby"),
        (lambda: DF.X, "x"),
        (lambda: DF.x.value_count, "value_counts"),
        (lambda: DF.index.get_level_value, "get_level_values"),
        (lambda: DF.groupby("x").summ, "sum"),
        (lambda: DF.groupby("x").Count_, "count_"),
        (lambda: DF.groupby("x").rolling(2).men, "mean"),
        (lambda: TIMES.resample("1D").fill, "ffill"),
        (lambda: DF.x.rolling(2).mx, "max"),
        (lambda: TEXTS.str.contans, "contains"),
        (lambda: TEXTS.astype("category").cat.categorys, "categories"),
        (lambda: gd.raed_csv, "read_csv"),
    ],
)
def test_misspelled_names(ask, name):
    with pytest.raises(AttributeError, match=f"did you mean '{name}'"):
        ask()
