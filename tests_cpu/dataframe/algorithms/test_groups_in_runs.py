"""Groups whose rows stand together have the parts that pandas makes; or nobody tries."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.dataframe.algorithms.aggregates import partials_of
from gpuscale.dataframe.algorithms.few_groups import groups_in_runs
from gpuscale.dataframe.algorithms.numbered_groups import parts_by_number
from gpuscale.testing.frames import assert_eq

PARTS = [("sum", 0), ("count", 0), ("sum", 1), ("total", 0), ("size", 0), ("min", 1), ("max", 0)]
OF_NUMBERS = np.sort(np.random.default_rng(0).integers(-5, 5, 400))
KEYS = {
    "int64": pd.Series(OF_NUMBERS),
    "int8": pd.Series(OF_NUMBERS.astype("int8")),
    "uint64": pd.Series((OF_NUMBERS + 5).astype("uint64") + 2**63),
    "times": pd.Series(pd.to_datetime(OF_NUMBERS, unit="D")).where(OF_NUMBERS > -5),
    "in Rome": pd.Series(pd.to_datetime(OF_NUMBERS, unit="h")).dt.tz_localize("Europe/Rome"),
    "spans": pd.Series(pd.to_timedelta(OF_NUMBERS, unit="s")),
}


def by_pandas(values, keys):
    options = {"sort": False, "dropna": False}
    return partials_of(values, keys, PARTS, lambda t: t.groupby(list(keys), **options))


@pytest.mark.parametrize("values", [(0.25, 3.0), (np.nan, 1.0), (np.inf, 1.0)])
@pytest.mark.parametrize("name", KEYS)
def test_parts_are_those_of_pandas(name, values):
    rng = np.random.default_rng(1)
    columns = {0: pd.Series(rng.choice(values, 400)), 1: pd.Series(rng.integers(-9, 9, 400))}
    keys = {"key0": KEYS[name]}
    assert groups_in_runs([KEYS[name]]) is not None
    pd.testing.assert_frame_equal(parts_by_number(columns, keys, PARTS), by_pandas(columns, keys))


@pytest.mark.parametrize(
    "key",
    [
        KEYS["int64"][::-1],
        pd.Series(np.arange(400)),
        pd.Series(np.arange(400) // 40 % 7),
        pd.Series(OF_NUMBERS / 2),
        pd.Series(OF_NUMBERS.astype(str)),
        pd.Series([], dtype="int64"),
    ],
    ids=["descending", "single", "back again", "floats", "texts", "no rows"],
)
def test_other_keys_have_no_runs(key):
    assert groups_in_runs([key]) is None


@settings(max_examples=10, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 60), min_size=1, max_size=8),
    parts=st.integers(1, 4),
    seed=st.integers(0, 9),
)
def test_groups_of_a_sorted_column_are_those_of_pandas(sizes, parts, seed):
    rng = np.random.default_rng(seed)
    key = np.repeat(np.arange(len(sizes)), sizes)
    rows = pd.DataFrame({"k": key, "x": rng.choice([0.5, 2, np.inf], len(key)), "y": key * 3})
    made = gd.from_pandas(rows, npartitions=parts).groupby("k")
    results = {"total": ("x", "sum"), "least": ("y", "min"), "mean": ("y", "mean")}
    assert_eq(made.agg(**results), rows.groupby("k").agg(**results))
