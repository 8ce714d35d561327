"""What looks at all rows, or at their order, against pandas."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale
import gpuscale.dataframe as gd
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.dataframe.api import spread
from gpuscale.testing.frames import assert_eq, frames

PDF = pd.DataFrame(
    {"x": [3.0, 1, 2, 5, 1, None], "y": list("abcabc"), "z": [1, None, 3, 4, 3, 9]},
    index=[1, 1, 2, 5, 6, 7],
)
EVEN = pd.DataFrame({"x": range(6)}, index=pd.date_range("2020", periods=6, freq="2D"))

CASES = {
    "rank": lambda x: x.rank(),
    "rank of a series": lambda x: x.x.rank(method="min", ascending=False),
    "rank of numbers": lambda x: x.rank(numeric_only=True, pct=True),
    "rank in rows": lambda x: x[["x", "z"]].rank(axis=1),
    "rank beside rows": lambda x: x.assign(r=x.z.rank(na_option="top")),
    "rank of some": lambda x: x[x.y != "b"].assign(r=x[x.y != "b"].x.rank()),
    "interpolate": lambda x: x[["x", "z"]].interpolate(),
    "duplicated": lambda x: x.duplicated(),
    "duplicated by columns": lambda x: x.duplicated("y", keep="last"),
    "duplicated values": lambda x: x.y.duplicated(keep=False),
    "pct_change": lambda x: x[["x", "z"]].pct_change(),
    "pct_change of a series": lambda x: x.z.pct_change(2),
    "asof": lambda x: x.z.asof(1),
    "asof of nothing": lambda x: x.z.asof(0),
    "asof of some": lambda x: x.z.asof([0, 1, 6, 9]),
    "asof of rows": lambda x: x.asof([0, 1, 6, 9]),
    "asof of a row": lambda x: x.asof(5),
    "asof by columns": lambda x: x.asof([6, 2], subset="z"),
    "first_valid_index": lambda x: x.z.first_valid_index(),
    "last_valid_index": lambda x: x[x.y == "c"].x.last_valid_index(),
    "valid rows": lambda x: x.last_valid_index(),
}


@pytest.mark.parametrize("case", CASES)
def test_of_all_rows(case):
    lazy = gd.from_pandas(PDF, npartitions=3)
    assert_eq(CASES[case](lazy), CASES[case](PDF))
    if "beside" not in case and "some" not in case:
        kept, expected = lazy[lazy.x != 3], PDF[PDF.x != 3]  # no rows are left in the first
        assert_eq(CASES[case](kept), CASES[case](expected))


def test_even_times():
    lazy = gd.from_pandas(EVEN, npartitions=3)
    assert_eq(lazy.asfreq("D"), EVEN.asfreq("D"))
    assert_eq(lazy.x.asfreq("D", method="ffill"), EVEN.x.asfreq("D", method="ffill"))


def test_estimates_of_dask_are_exact():
    lazy = gd.from_pandas(PDF, npartitions=3)
    assert lazy.x.nunique_approx().compute() == PDF.x.nunique(dropna=False)
    assert lazy.nunique_approx().compute() == 6
    assert lazy.z.median_approximate().compute() == PDF.z.median()


def test_labels_beyond_divisions_are_told():
    lazy = gd.from_pandas(PDF, npartitions=3)
    assert_eq(lazy.enforce_runtime_divisions(), PDF)
    moved = lazy.map_partitions(lambda part: part.set_axis(part.index + 5, axis=0))
    wrong = gd.from_map(lambda k: moved.partitions[k].compute(), range(3), divisions=lazy.divisions)
    with pytest.raises(RuntimeError, match="lies beyond its divisions"):
        wrong.enforce_runtime_divisions().compute(engine="sync")
    with pytest.raises(ValueError, match="not known"):
        moved.enforce_runtime_divisions()


def test_rows_that_do_not_fit_one_task_are_told():
    lazy = gd.from_pandas(pd.DataFrame({"x": np.arange(10_000.0)}), npartitions=8)
    with (
        gpuscale.config.set({"memory-limit": 100_000}),
        pytest.raises(MemoryBudgetError, match="one task has all rows: take fewer"),
    ):
        lazy.x.interpolate().sum().compute(engine="sync")


RANKED = (
    *("int64", "uint16", "float64", "str", "bool", "datetime64[ns]", "datetime64[us, UTC]"),
    *("timedelta64[ns]", "Int64", "Float64", "boolean", "int64[pyarrow]"),
)


@settings(max_examples=60)
@given(
    frame=frames(dtypes=RANKED, max_columns=2, max_rows=20),
    method=st.sampled_from(["average", "min", "max", "first", "dense"]),
    na_option=st.sampled_from(["keep", "top", "bottom"]),
    ascending=st.booleans(),
    pct=st.booleans(),
    npartitions=st.integers(1, 4),
    is_series=st.booleans(),
)
def test_ranks_in_several_partitions(frame, npartitions, is_series, **options):
    theirs = frame.iloc[:, 0] if is_series else frame
    try:
        expected = theirs.rank(**options)
    except TypeError:
        return  # pandas ranks no such mix of columns
    lazy = gd.from_pandas(frame, npartitions=npartitions, sort=False)
    with mock.patch.object(spread, "parts_for", lambda nodes, most: 3):
        result = (lazy[frame.columns[0]] if is_series else lazy).rank(**options)
    assert result.npartitions == lazy.npartitions
    assert_eq(result, expected, promised=len(frame) > 0)


def test_ranks_are_spread_where_one_task_has_no_room():
    pdf = pd.DataFrame({"x": np.arange(10_000.0) * 7919 % 997, "y": np.arange(10_000)})
    lazy = gd.from_pandas(pdf, npartitions=8)
    with gpuscale.config.set({"memory-limit": "400 KiB"}):
        found = lazy.assign(r=lazy.x.rank(method="first")).r
        assert "rank-shuffle" in found.explain()
        assert_eq(found, pdf.x.rank(method="first").rename("r"))
    assert "rank-shuffle" not in lazy.x.rank().explain()


def test_asof_needs_order():
    lazy = gd.from_pandas(PDF, npartitions=3)
    mixed = gd.concat([lazy.partitions[2], lazy.partitions[0]])
    with pytest.raises(ValueError, match="sorted index"):
        mixed.z.asof(6).compute(engine="sync")
    assert np.isnan(lazy.z.asof(-1).compute())
