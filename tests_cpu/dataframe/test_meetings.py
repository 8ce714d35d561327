"""Frames that meet, parts of tables, and several reductions at once, against pandas."""

import io

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing.frames import assert_eq

PDF = pd.DataFrame(
    {"x": [3.0, 1, 2, 5, 1, None], "n": [1, 2, 3, 4, 5, 6], "y": list("abcabc")},
    index=[1, 1, 2, 5, 6, 7],
)
OTHER = pd.DataFrame({"x": [9.0, None, 8], "z": [1, 2, 3]}, index=[2, 5, 10])
LEVELS = PDF.set_index("y", append=True).rename_axis(["k", "l"])
TIMES = pd.DataFrame({"x": range(6)}, index=pd.date_range("2020", periods=6, freq="5h"))
UNIQUE = PDF.set_axis(range(6), axis=0)


def lazy(frame):
    """Three partitions, of which the divisions are known."""
    return gd.from_pandas(frame, npartitions=3)


def insert(x):
    x = x.copy()
    x.insert(1, "w", x.x * 2)
    x.isetitem(0, x.n)
    return x


def update(x, other):
    x = x.copy()
    x.update(other)
    return x


OF_TWO = {
    "align": lambda x, other: x.align(other)[0],
    "align the other": lambda x, other: x.align(other, join="left")[1],
    "align inside": lambda x, other: x.align(other, join="inner", axis=0)[0],
    "align series": lambda x, other: x.x.align(other.x, fill_value=0)[1],
    "update": update,
    "reindex_like": lambda x, other: x.reindex_like(other),
    "reindex": lambda x, other: x.x.reindex(other.index, fill_value=0),
    "compare": lambda x, other: x.compare(x.assign(x=5.0), keep_shape=True),
    "compare series": lambda x, other: x.n.compare(x.n.where(x.n > 2, 0)),
}


@pytest.mark.parametrize("case", OF_TWO)
def test_two_frames(case):
    expected = OF_TWO[case](UNIQUE, OTHER)
    result = OF_TWO[case](lazy(UNIQUE), gd.from_pandas(OTHER, npartitions=2))
    assert_eq(result, expected)


CASES = {
    "dot": lambda x: x.x.dot(x.n),
    "dot of a table": lambda x: x.n.dot(x[["n", "x"]]),
    "dot of sums": lambda x: x[["n", "x"]] @ x[["n", "x"]].max(),
    "corrwith": lambda x: x[["x", "n"]].corrwith(x.n**2),
    "corrwith a table": lambda x: x[["x", "n"]].corrwith(x[["n", "x"]].assign(z=1.0) ** 2),
    "corrwith rows": lambda x: x[["x", "n"]].corrwith(x[["n", "x"]] ** 2, axis=1),
    "agg": lambda x: x.agg(["min", "max"]),
    "agg by columns": lambda x: x.agg({"x": "mean", "n": "sum"}),
    "agg of a series": lambda x: x.n.agg(["sum", "mean"]),
    "agg by name": lambda x: x.n.agg("std"),
    "agg in rows": lambda x: x[["x", "n"]].agg("sum", axis=1),
    "T": lambda x: x[["x", "n"]].corr().T,
    "insert": insert,
    "get": lambda x: x.get("x"),
    "get some": lambda x: x.get(["x", "n"]),
    "get nothing": lambda x: x.get("w", x.x),
    "truncate": lambda x: x.truncate(2, 6),
    "truncate columns": lambda x: x[["n", "x"]].truncate("n", "o", axis=1),
    "reindex rows": lambda x: x[x.index != 1].reindex([7, 4, 2]),
    "reindex columns": lambda x: x.reindex(columns=["n", "w"], fill_value=3),
    "at": lambda x: x.at[5, "n"],
    "at of a series": lambda x: x.n.at[6],
    "iat": lambda x: x.iat[-1, 2],
    "iat of a series": lambda x: x.n.iat[0],
    "argmax": lambda x: x.x.argmax(),
    "argmin": lambda x: x.n.argmin(),
    "argsort": lambda x: x.n.argsort(),
    "is_unique": lambda x: x.x.is_unique,
    "hasnans": lambda x: x.x.hasnans,
    "searchsorted": lambda x: x.n.searchsorted(4, side="right"),
    "repeat": lambda x: x.n.repeat(2),
    "stack": lambda x: x[["x", "n"]].stack(),
}


@pytest.mark.parametrize("case", CASES)
def test_one_frame(case):
    assert_eq(CASES[case](lazy(PDF)), CASES[case](PDF), rtol=1e-12)


def test_levels_of_an_index():
    x = gd.from_pandas(LEVELS, npartitions=3)
    for case in (
        lambda x: x.xs(1),
        lambda x: x.xs("b", level="l"),
        lambda x: x.xs("c", level=1, drop_level=False),
        lambda x: x.xs("x", axis=1),
    ):
        assert_eq(case(x), case(LEVELS))
    with pytest.raises(NotSupportedError, match=r"use df\.loc"):
        x.xs((1, "a"))


def test_levels_that_go_or_change_places():
    x = gd.from_pandas(LEVELS, npartitions=3)
    for case in (
        lambda x: x.swaplevel(),
        lambda x: x.droplevel("k"),
        lambda x: x.x.reorder_levels([1, 0]),
    ):
        assert_eq(case(x), case(LEVELS))


def test_times_of_days():
    x = lazy(TIMES)
    assert_eq(x.between_time("04:00", "12:00"), TIMES.between_time("04:00", "12:00"), check_freq=0)
    assert_eq(x.at_time("10:00"), TIMES.at_time("10:00"), check_freq=False)


def test_elements_one_by_one():
    x = lazy(PDF)
    assert x.n.to_list() == list(x.n) == PDF.n.tolist()
    assert list(x.n.items()) == list(PDF.n.items())
    assert x.n[x.n == 3].item() == 3
    assert not x.n.empty
    assert x.n.searchsorted([0, 3, 9]).compute().tolist() == [0, 2, 6]
    assert gd.DataFrame.from_dict({"x": [1, 2]}, npartitions=2).x.sum().compute() == 3


def test_a_frame_in_words():
    text = io.StringIO()
    lazy(PDF).info(buf=text, memory_usage=False)
    assert text.getvalue().splitlines() == [
        "<class 'gpuscale.dataframe.DataFrame'>",
        "Index: 6 entries",
        "Data columns (total 3 columns), 3 partitions:",
        "#  Column  Non-Null Count  Dtype",
        "-  ------  --------------  -------",
        "0  x       5 non-null      float64",
        "1  n       6 non-null      int64",
        "2  y       6 non-null      str",
    ]
    lazy(PDF).n.info(buf=text)
    assert "memory usage" in text.getvalue()
    assert "<td>a</td>" in lazy(PDF).to_html()


def test_what_cannot_scale_is_refused_with_a_way_out():
    x = lazy(PDF)
    for refused, match in (
        (lambda: x.T, "compute"),
        (lambda: x.agg(np.ptp), "names of reductions"),
        (lambda: x.compare(x), "keep_shape"),
        (lambda: x[["n"]].dot(x[["n"]]), "to_dask_array"),
        (lambda: x.reindex([1], method="ffill"), "asof"),
    ):
        with pytest.raises(NotSupportedError, match=match):
            refused()
    with pytest.raises(TypeError, match="from_pandas"):
        x.align(PDF)
    with pytest.raises(NotSupportedError, match="series of truth values"):
        x.at[1, "x"] = 2
