"""Accessors against pandas: a row for each kind of method."""

import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {
        "n": ["a b", "c d", None, "e f g"],
        "t": pd.date_range("2020-01-01 05:00", periods=4),
        "d": pd.to_timedelta([1, 2, 3, 4], "h"),
        "c": pd.Categorical(list("abca")),
    }
)
DF = gd.from_pandas(PDF, npartitions=2)

CASES = {
    "upper": lambda x: x.n.str.upper(),
    "item": lambda x: x.n.str[0],
    "contains": lambda x: x.n.str.contains("b"),
    "split": lambda x: x.n.str.split(),
    "split into columns": lambda x: x.n.str.split(n=1, expand=True),
    "extract": lambda x: x.n.str.extract("(.) (.)"),
    "extractall": lambda x: x.n.str.extractall("(.)"),
    "partition": lambda x: x.n.str.partition(" "),
    "cat": lambda x: x.n.str.cat(x.n, sep="-"),
    "get_dummies": lambda x: x.n.str.get_dummies(" "),
    "get_dummies of truths": lambda x: x[x.t > "2020-01-02"].n.str.get_dummies(" ", dtype=bool),
    "hour": lambda x: x.t.dt.hour,
    "date": lambda x: x.t.dt.date,
    "floor": lambda x: x.t.dt.floor("D"),
    "day_name": lambda x: x.t.dt.day_name(),
    "isocalendar": lambda x: x.t.dt.isocalendar(),
    "components": lambda x: x.d.dt.components,
    "total_seconds": lambda x: x.d.dt.total_seconds(),
    "zones": lambda x: x.t.dt.tz_localize("UTC").dt.tz_convert("Europe/Rome"),
    "to_period": lambda x: x.t.dt.to_period("M"),
    "codes": lambda x: x.c.cat.codes,
    "used categories": lambda x: x.c[x.t > "2020-01-02"].cat.remove_unused_categories(),
    "no used categories": lambda x: x.c[x.t > "2025"].cat.remove_unused_categories(),
    "rename_categories": lambda x: x.c.cat.rename_categories({"a": "z"}),
}


@pytest.mark.parametrize("case", CASES)
def test_accessors(case):
    assert_eq(CASES[case](DF), CASES[case](PDF))


def test_partitions_of_nulls_have_texts_as_others_have():
    pdf = pd.DataFrame({"n": ["a,b", "c", None, None]})
    df = gd.from_pandas(pdf, npartitions=2)
    for ask in (
        lambda x: x.n.str.split(",").str[0],
        lambda x: x.n.str.findall("[a-z]").str.len(),
        lambda x: x.n.str.encode("utf-8").str.decode("utf-8").str.upper(),
    ):
        assert_eq(ask(df), ask(pdf))


def test_nulls_alone_are_those_of_objects_where_others_are_texts():
    pdf = pd.DataFrame({"o": pd.Series(["x", "y", None, None], dtype=object)})
    df = gd.from_pandas(pdf, npartitions=2)
    for ask in (
        lambda x: x.o.str.contains("x"),
        lambda x: x.o.str.contains("x", na=False),
        lambda x: x.o.str.isdigit(),
        lambda x: x.o.str.upper(),
        lambda x: x.o.str.extract("(x)"),
        lambda x: x.o.str.split("x"),
        lambda x: x.o.str.find("x"),
        lambda x: x[x.o.str.startswith("x") != False],  # noqa: E712
    ):
        assert_eq(ask(df), ask(pdf))
    upper = df.o.str.upper().compute()
    assert upper.tolist() == ["X", "Y", None, None]


@pytest.mark.parametrize("npartitions", [2, 6])
def test_items_of_lists_are_numbers_beside_nulls_alone(npartitions):
    pdf = pd.DataFrame({"l": [[1, 2], [3], [], None, None, None]})
    df = gd.from_pandas(pdf, npartitions=npartitions)
    assert_eq(df.l.str[0], pdf.l.str[0])
    assert_eq(df.l.str[0].astype(str), pdf.l.str[0].astype(str))


def test_dtypes_that_depend_on_nulls_are_those_of_pandas():
    assert_eq(DF.n.str.len(), PDF.n.str.len())


def test_what_is_known_without_computing():
    assert list(DF.c.cat.categories) == ["a", "b", "c"]
    assert not DF.c.cat.ordered
    assert DF.t.dt.tz is None


def test_errors_are_those_of_pandas():
    with pytest.raises(AttributeError, match="str accessor"):
        DF.d.str  # noqa: B018
    with pytest.raises(AttributeError, match="have no attribute 'hours'"):
        DF.t.dt.hours  # noqa: B018
    with pytest.raises(NotSupportedError, match="say n="):
        DF.n.str.split(expand=True)


def test_an_index_of_times_has_parts_itself():
    dated = PDF.set_index("t")
    lazy = gd.from_pandas(dated, npartitions=2)
    assert_eq(lazy.index.day, dated.index.day)
    assert_eq(lazy.index.floor("D"), dated.index.floor("D"))
    assert_eq(lazy.index.strftime("%d"), dated.index.strftime("%d"))
    assert lazy.index.tz is None
    with pytest.raises(AttributeError, match="hours"):
        lazy.index.hours  # noqa: B018
