"""Blueprints of reductions against pandas, over partitions cut at random; no engine is at work."""

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gpuscale.dataframe.algorithms.reductions import blueprint
from gpuscale.dataframe.inference import nonempty
from gpuscale.testing.frames import COLUMNS, assert_eq, frames, splits

NAMES = (
    *("sum", "prod", "min", "max", "any", "all", "count", "nunique"),
    *("mean", "var", "std", "sem", "skew", "kurt"),
)
OF_NUMPY = ("int64", "int8", "uint16", "bool", "float64", "float32", "str", "category")


def by_parts(name, parts, options):
    frame = parts[0].iloc[:0]
    plan = blueprint(name, frame, getattr(nonempty(frame), name)(**options), options)
    partials = [plan.chunk(part) for part in parts]
    while len(partials) > 2:
        partials = [plan.combine(partials[:2]), *partials[2:]]
    return plan.finalize(plan.combine(partials) if len(partials) > 1 else partials[0])


@pytest.mark.filterwarnings(
    "ignore:invalid value encountered in cast"
)  # of pandas: NaT, skipna=False
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_reductions_are_those_of_pandas(name, data):
    # pandas rounds moments of times to what fits floating-point numbers; ours are exact.
    dtypes = [each for each in COLUMNS if "time" not in each or name not in ("mean", "std", "sem")]
    if pd.__version__.startswith("3.0."):  # which has bugs of its own where nulls come in
        dtypes = [each for each in dtypes if each in OF_NUMPY]
    frame = data.draw(frames(dtypes))
    parts = data.draw(splits(frame))
    options = {}
    if name not in ("count", "nunique"):
        options["skipna"] = data.draw(st.booleans())
    if name in ("sum", "prod"):
        options["min_count"] = data.draw(st.integers(0, 2))
    try:
        expected = getattr(frame, name)(**options)
        getattr(nonempty(frame.iloc[:0]), name)(**options)
    except TypeError:
        assume(False)
    # pandas makes a dtype of its own where there is nothing to make a moment of.
    tolerance = {"rtol": 1e-6, "atol": 1e-9, "check_dtype": len(frame) > 3}
    assert_eq(by_parts(name, parts, options), expected, **tolerance)
    for label in frame:
        column = [part[label] for part in parts]
        expected = getattr(frame[label], name)(**options)
        result = by_parts(name, column, options)
        assert_eq(
            pd.Series([result]), pd.Series([expected]), rtol=1e-6, atol=1e-9, check_dtype=False
        )


@pytest.mark.parametrize("dtype", ["datetime64[ns]", "datetime64[us, UTC]", "timedelta64[s]"])
@pytest.mark.parametrize("name", ["mean", "std"])
def test_moments_of_times(dtype, name):
    times = pd.Series([10**9 * k for k in (1, 5, 3, 9)], dtype="int64").astype(dtype)
    times[2] = pd.NaT
    parts = [times.iloc[:1], times.iloc[1:3], times.iloc[3:]]
    assert by_parts(name, parts, {}) == getattr(times, name)()


@pytest.mark.parametrize(("name", "last"), [("any", 1), ("all", 0)])
def test_a_part_that_is_null_may_be_decided_by_another(name, last):
    column = pd.Series([None, None, last], dtype="int64[pyarrow]")
    result = by_parts(name, [column[:2], column[2:]], {"skipna": False})
    assert result == getattr(column, name)(skipna=False)
    assert by_parts(name, [column[:1], column[1:2]], {"skipna": False}) is pd.NA
