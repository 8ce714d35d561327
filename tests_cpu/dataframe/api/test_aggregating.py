"""Several reductions at once, against pandas."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing.frames import assert_eq, frames, splits

DTYPES = ("int64", "int8", "bool", "float64", "Int64", "Float64", "int64[pyarrow]")
NAMES = ("sum", "mean", "max", "min", "count", "std", "median", "nunique", "size")

PDF = pd.DataFrame(
    {
        "n": [3, 1, 2, 2],
        "x": [0.5, np.nan, 2.0, 8.0],
        "s": ["b", "a", None, "c"],
        "t": pd.to_datetime(["2020-01-02", None, "2020-01-01", "2020-03-01"]),
    }
)

CASES = {
    "rows": lambda d: d[["n", "x"]].agg(["sum", "max"]),
    "rows of one column": lambda d: d[["n"]].agg(["min"]),
    "rows of texts and times": lambda d: d.agg(["min", "max"]),
    "rows with options": lambda d: d[["n", "x"]].agg(["std", "var"], ddof=0),
    "rows of numbers": lambda d: d.agg(["sum", "min"], numeric_only=True),
    "tuples": lambda d: d.agg({"n": ("sum", "max"), "x": "min"}),
    "rows without parts": lambda d: d[["n", "x"]].agg(["median", "sum", "nunique", "size"]),
    "columns of one name": lambda d: d[["n", "n", "x"]].agg(["sum", "median"]),
    "by columns": lambda d: d.agg({"x": "max", "n": "sum"}),
    "by columns, others": lambda d: d.agg({"s": "min", "n": "sum", "t": "max"}),
    "lists by columns": lambda d: d.agg({"n": ["sum", "mean"], "x": "max", "s": ["min"]}),
    "lists without parts": lambda d: d.agg({"n": ["median", "quantile"], "x": ["idxmax", "sem"]}),
    "named": lambda d: d.agg(total=("n", "sum"), most=("x", "max"), least=("n", "min")),
    "named by objects": lambda d: d.agg(total=pd.NamedAgg("n", "sum"), middle=("x", "median")),
    "named of one column": lambda d: d.agg(total=("n", "sum"), again=("n", "sum")),
    "series": lambda d: d.n.agg(["sum", "mean", "median"]),
    "series named": lambda d: d.n.agg(total="sum", most="max"),
    "series by labels": lambda d: d.n.agg({"total": "sum", "most": "max"}),
}


@pytest.mark.parametrize("npartitions", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_labels_and_dtypes_are_those_of_pandas(case, npartitions):
    lazy = gd.from_pandas(PDF, npartitions=npartitions)
    assert_eq(CASES[case](lazy), CASES[case](PDF), rtol=1e-12)


@settings(max_examples=20)
@given(data=st.data())
def test_any_columns(data):
    frame = data.draw(frames(DTYPES))
    names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
    columns = data.draw(st.lists(st.sampled_from(list(frame)), min_size=1, unique=True))
    spec = {label: data.draw(st.one_of(names, st.sampled_from(NAMES))) for label in columns}
    parts = [gd.from_pandas(part, npartitions=1) for part in data.draw(splits(frame))]
    lazy = gd.concat(parts)
    rows = data.draw(names)
    for case in (lambda d: d.agg(spec), lambda d: d.agg(rows), lambda d: d.c0.agg(rows)):
        try:
            expected = case(frame)
        except (TypeError, ValueError) as error:
            with pytest.raises(type(error)):
                case(lazy).compute(engine="sync")
            continue
        assert_eq(case(lazy), expected, rtol=1e-6, promised=False)


def test_one_pass_makes_all_that_have_parts():
    found = gd.from_pandas(PDF, 4).agg({"n": ["sum", "max"], "x": "mean"})
    assert len(found.expr.inputs) == 1
    assert len(found.expr.blueprint.plans) == 3


def test_decimals():
    frame = pd.DataFrame({"d": [Decimal("1.5"), Decimal(2)], "n": [1, 2]})
    lazy = gd.from_pandas(frame, npartitions=2)
    assert_eq(lazy.agg(["sum", "max"]), frame.agg(["sum", "max"]))


def test_what_is_wrong_is_said_at_once():
    lazy = gd.from_pandas(PDF, npartitions=2)
    for wrong, kind, match in (
        (lambda: lazy.agg({"m": "sum"}), KeyError, "m"),
        (lambda: lazy.agg(total=("N", "sum")), KeyError, "did you mean 'n'"),
        (lambda: lazy.agg(total="sum"), TypeError, "column"),
        (lambda: lazy.agg([]), ValueError, "one name"),
        (lambda: lazy.agg(), NotSupportedError, "names of reductions"),
        (lambda: lazy[["n"]].agg(["sum", "sum"]), pd.errors.SpecificationError, "unique"),
        (lambda: lazy[["n"]].agg(["cumsum"]), NotSupportedError, "several values"),
        (lambda: lazy[["n", "n"]].agg({"n": "sum"}), NotSupportedError, "different names"),
        (lambda: lazy.agg({"s": "mean"}), TypeError, "mean"),
    ):
        with pytest.raises(kind, match=match):
            wrong()
