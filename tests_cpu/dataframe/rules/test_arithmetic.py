"""Operators that follow each other are one pass over the rows, with the values of pandas."""

import operator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.base import config
from gpuscale.dataframe.algorithms.arithmetic import COMPARISONS, LOGICAL, NUMERIC, Arithmetic
from gpuscale.expr.stages import optimize
from gpuscale.testing.frames import assert_eq

BIG = 2**63 - 1
PDF = pd.DataFrame(
    {
        "i": [0, 1, -7, BIG, -BIG - 1, 3, 0, 2**53 + 1],
        "j": [0, 2, -1, BIG, -1, 0, 5, 2**53],
        "x": [0.0, -0.0, 1.5, np.nan, np.inf, -np.inf, 1e308, 2.0**53],
        "y": [np.nan, 0.0, -2.5, 1.0, np.inf, np.inf, 1e308, 3.0],
        "b": [True, False] * 4,
    }
)
SCALARS = [0, 1, -3, BIG, 2**53 + 1, 0.0, -0.0, 2.5, float("nan"), float("inf"), BIG + 1]
SCALARS += [np.float64(0.1), np.int64(7), -BIG - 1]


def frame():
    return gd.from_pandas(PDF, npartitions=3)


def merged(series):
    """Chains below a series."""
    found, left = [], optimize([series.expr], "simplify")
    while left:
        node = left.pop()
        left.extend(node.children)
        found += [node] if isinstance(getattr(node, "function", None), Arithmetic) else []
    return found


def applied(function, *values):
    """Apply an operator where pandas can: it has sums of huge numbers and columns of its own."""

    def call(df):
        return function(*(v(df) if callable(v) else v for v in values))

    return call


def column(name):
    return lambda df: df[name]


NUMBERS = st.recursive(
    st.sampled_from("ijxy").map(column),
    lambda inner: st.one_of(
        st.builds(
            applied, st.sampled_from([f for f in NUMERIC if f is not operator.neg]), inner, inner
        ),
        st.builds(
            applied,
            st.sampled_from([f for f in NUMERIC if f is not operator.neg]),
            *(inner, st.sampled_from(SCALARS)),
        ),
        st.builds(applied, st.just(operator.sub), st.sampled_from(SCALARS), inner),
        st.builds(applied, st.just(operator.neg), inner),
    ),
    max_leaves=5,
)
COMPARED = st.one_of(
    st.builds(applied, st.sampled_from(list(COMPARISONS)), NUMBERS, NUMBERS),
    st.builds(applied, st.sampled_from(list(COMPARISONS)), NUMBERS, st.sampled_from(SCALARS)),
    st.just(column("b")),
)
TRUTHS = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.builds(applied, st.just(operator.invert), inner),
        st.builds(
            applied, st.sampled_from([f for f in LOGICAL if f is not operator.invert]), inner, inner
        ),
    ),
    max_leaves=4,
)


@settings(deadline=None, max_examples=60)
@given(function=st.one_of(NUMBERS, TRUTHS))
def test_values_are_those_of_pandas(function):
    try:
        expected = function(PDF)
    except (OverflowError, TypeError) as error:
        with pytest.raises(type(error)):
            function(frame()).compute()
        return
    with config.set({"engine": "sync"}):
        assert_eq(function(frame()), expected)


PROGRAMS = {
    "price": lambda d: d.x * (1 - d.y) * (1 + d.y),
    "mask": lambda d: ((d.i * 2 < d.j) | ~(d.x == d.y)) & d.b,
    "mixed": lambda d: -(d.i / d.j - d.x * np.float64(0.1)) + d.i,
    "wraps": lambda d: (d.i + d.j) * 3 - d.i,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled_values_are_those_of_pandas(name):
    function = PROGRAMS[name]
    assert len(merged(function(frame()))) == 1
    with config.set({"codegen.min-elements": 0, "engine": "sync"}):
        assert_eq(function(frame()), function(PDF))


def test_what_others_read_is_computed_for_itself():
    shared = frame().x + 1
    assert [each.label for each in merged(shared * 2 + shared.cumsum() * 3)] == ["mul+add"]
    assert [each.label for each in merged(shared * shared)] == ["add+mul"]


@pytest.mark.parametrize(
    "function",
    [
        lambda df: df.x * 2,  # alone it is as soon done by pandas
        lambda df: df.x.astype("Float64") * 2 + 1,
        lambda df: df.i.astype("float32") * 2 + 1,
        lambda df: df.x // 2 % 3,
        lambda df: (df.b + df.b) + df.b,
        lambda df: df[["x", "y"]] * 2 + 1,
    ],
)
def test_all_else_is_left_to_pandas(function):
    assert not merged(function(frame()))
    assert_eq(function(frame()), function(PDF))


def test_columns_that_are_others_than_they_promised_are_left_to_pandas():
    (node,) = merged(frame().x * 2 + frame().y)
    x, y = PDF.x.astype("Float64"), PDF.y[::-1]
    pd.testing.assert_series_equal(node.function(x, PDF.y), x * 2 + PDF.y)
    pd.testing.assert_series_equal(node.function(PDF.x, y), PDF.x * 2 + y)
