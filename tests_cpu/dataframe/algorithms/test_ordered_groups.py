"""Groups by packed keys have the parts that pandas makes, in its order; or nobody tries."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from gpuscale.base import config
from gpuscale.dataframe.algorithms import ordered_groups
from gpuscale.dataframe.algorithms.aggregates import combined, partials_of
from gpuscale.dataframe.algorithms.ordered_groups import combined_in_order

PARTS = [("sum", 0), ("count", 0), ("sum", 1), ("total", 0), ("size", 0), ("min", 1), ("max", 0)]
OTHERS = [("count", 0), ("mean", 0), ("var", 0), ("first", 0), ("last", 1)]


@pytest.fixture(autouse=True, params=[True, False], ids=["kernels", "library"])
def few_rows_and_kernels_at_once(request, monkeypatch):
    monkeypatch.setattr(ordered_groups, "_LEAST", 1)
    with config.set({"codegen.min-elements": 0, "codegen.enabled": request.param}):
        yield


def table_of(names, rows, parts=PARTS, seed=0):
    rng = np.random.default_rng(seed)
    found = {
        "small": rng.integers(-2, 5, rows),
        "wide": rng.integers(-(2**40), 2**40, rows),
        "texts": pd.array(rng.choice(["é", "a", "Z", "", None], rows), dtype="str"),
        "other": pd.array(rng.choice(["b", "ba", "aa"], rows), dtype="str"),
        "huge": rng.integers(0, 2, rows) * (2**63 - 1) - 2**62,
        "numbers": rng.choice([0.5, 1.5], rows),
    }
    keys = {f"key{k}": pd.Series(found[name]) for k, name in enumerate(names)}
    values = {
        0: pd.Series(rng.choice([np.nan, 1.5, -2.0], rows)),
        1: pd.Series(rng.integers(-5, 5, rows)),
    }
    halves = []
    for part in (slice(0, rows // 2), slice(rows // 2, None)):
        own = [{k: v.iloc[part] for k, v in each.items()} for each in (values, keys)]
        halves.append(partials_of(*own, parts, lambda t: grouped(t, names, False, sort=False)))
    return pd.concat(halves, ignore_index=True)


def grouped(table, names, dropna, sort=True):
    return table.groupby([f"key{k}" for k in range(len(names))], sort=sort, dropna=dropna)


@pytest.mark.parametrize("parts", [PARTS, OTHERS], ids=["sums", "others"])
@pytest.mark.parametrize("rows", [1, 40, 9_000])
@pytest.mark.parametrize(
    "names", ["small", "wide", "texts", "small texts", "wide other", "texts small other small"]
)
def test_parts_of_parts_are_those_of_pandas_in_order(names, rows, parts):
    names = names.split()
    table = table_of(names, rows, parts)
    keys = [f"key{k}" for k in range(len(names))]
    for dropna in (True, False):
        made = combined_in_order(table, keys, parts, dropna)
        if table[keys].isna().any(axis=None) and (not dropna or rows == 1):
            assert made is None
            continue
        group = partial(grouped, names=names, dropna=dropna)
        by_pandas = combined(table, parts, group)
        pd.testing.assert_frame_equal(made[by_pandas.columns], by_pandas)


@pytest.mark.parametrize("names", [["numbers"], ["small", "numbers"], ["huge"], ["wide", "wide"]])
def test_other_keys_are_left_to_pandas(names):
    assert (
        combined_in_order(table_of(names, 40), [f"key{k}" for k in range(len(names))], PARTS)
        is None
    )


def test_sums_of_infinities_of_both_signs_stay_undefined():
    table = pd.DataFrame({"key0": [2, 1, 2], "sum 0": [np.nan, 1.0, 2.0]})
    made = combined_in_order(table, ["key0"], [("sum", 0)])
    assert made["sum 0"].isna().tolist() == [False, True]
