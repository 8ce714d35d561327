"""Quantiles in two passes are those of pandas, however the rows are cut."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuscale.dataframe.algorithms.ranks import Brackets, Near, Shares
from gpuscale.testing.frames import assert_eq, frames, splits

METHODS = ["linear", "lower", "higher", "midpoint", "nearest"]
COLUMNS = ["int64", "int8", "uint16", "float64", "float32", "Int64", "datetime64[ns]"]


def in_two_passes(parts, shares, step, template):
    first = Brackets(shares, step)
    brackets = first.finalize(first.combine([first.chunk(part) for part in parts]))
    second = Near(shares, (parts[0].dtype,), template)
    return second.finalize(second.combine([second.chunk(part, brackets) for part in parts]))


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_quantiles_of_parts(data):
    dtype = data.draw(st.sampled_from(COLUMNS))
    column = data.draw(frames(dtypes=[dtype], max_rows=30, max_columns=1)).iloc[:, 0]
    parts = data.draw(splits(column))
    step = data.draw(st.integers(1, 9))
    q = data.draw(st.lists(st.sampled_from([0, 0.1, 0.25, 0.5, 0.75, 1 / 3, 1]), min_size=1))
    method = data.draw(st.sampled_from(METHODS))
    expected = column.quantile(q, interpolation=method)
    assert_eq(in_two_passes(parts, Shares(tuple(q), method), step, expected), expected)
    assert_eq(in_two_passes(parts, Shares((0.5,), "median"), step, 0.0), column.median())


@pytest.mark.parametrize("kind", ["random", "sorted", "cycles", "equal", "two"])
def test_what_is_kept_is_bounded(kind):
    rows, runs, step = 20_000, 10, 30
    values = {
        "random": np.random.default_rng(0).permutation(rows),
        "sorted": np.arange(rows),
        "cycles": np.arange(rows) % (rows // runs),
        "equal": np.zeros(rows),
        "two": np.arange(rows) % 2,
    }[kind]
    parts = [pd.Series(each) for each in np.array_split(values, runs)]
    first = Brackets(Shares((0.1, 0.5), "linear"), step)
    brackets = first.finalize(first.combine([first.chunk(part) for part in parts]))
    second = Near(first.shares, (parts[0].dtype,), None)
    for below, inside, counts in second.combine([second.chunk(p, brackets) for p in parts])[1][0]:
        assert len(inside) == len(counts) <= 2 * (runs + 2) * step
        assert below + counts.sum() <= rows
