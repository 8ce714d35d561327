"""Groups by numbers of keys have the parts that pandas makes, in its order; or nobody tries."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.base import config
from gpuscale.dataframe.algorithms import numbered_groups
from gpuscale.dataframe.algorithms.aggregates import combined, partials_of
from gpuscale.dataframe.algorithms.numbered_groups import (
    combined_by_number,
    numbered,
    parts_by_number,
    parts_in_order,
)
from gpuscale.testing.frames import assert_eq

PARTS = [("sum", 0), ("count", 0), ("sum", 1), ("total", 0), ("size", 0), ("min", 1), ("max", 0)]


@pytest.fixture(autouse=True)
def kernels_at_once():
    with config.set({"codegen.min-elements": 0}):
        yield


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    texts = pd.Series(rng.choice(["a", "bc", "", None], 300), dtype="str")
    return {
        "small": pd.Series(rng.integers(-2, 5, 300)),
        "texts": texts,
        "encoded": texts.astype("category"),
        "wide": pd.Series(rng.integers(0, 2, 300) * 2**62 - 2**61),
        "numbers": pd.Series(rng.choice([0.5, 1.5], 300)),
    }


@pytest.mark.parametrize(
    "names", ["small", "texts", "encoded", "small texts", "texts encoded small"]
)
def test_parts_are_those_of_pandas(rows, names):
    keys = {f"key{k}": rows[name] for k, name in enumerate(names.split())}
    rng = np.random.default_rng(1)
    columns = {0: pd.Series(rng.choice([np.nan, 1.5, -2.0], 300)), 1: rows["small"] * 7}
    options = {"sort": False, "observed": True, "dropna": False}
    by_pandas = partials_of(columns, keys, PARTS, lambda t: t.groupby(list(keys), **options))
    made = parts_by_number(columns, keys, PARTS)
    pd.testing.assert_frame_equal(made, by_pandas, check_categorical=False)


@pytest.mark.parametrize("names", ["texts", "small texts"])
def test_parts_of_parts_are_those_of_pandas(rows, names):
    keys = {f"key{k}": rows[name] for k, name in enumerate(names.split())}
    rng = np.random.default_rng(1)
    columns = {0: pd.Series(rng.choice([np.nan, 1.5, -2.0], 300)), 1: rows["small"] * 7}
    options = {"sort": False, "observed": True, "dropna": False}

    def group(table):
        return table.groupby(list(keys), **options)

    halves = [
        partials_of(
            {n: each[where] for n, each in columns.items()},
            {name: each[where] for name, each in keys.items()},
            PARTS,
            group,
        )
        for where in (slice(150), slice(150, None))
    ]
    table = pd.concat(halves, ignore_index=True)
    made = combined_by_number(table, list(keys), PARTS)
    pd.testing.assert_frame_equal(made, combined(table, PARTS, group).reset_index())
    assert combined_by_number(table.astype({"key0": "category"}), list(keys), PARTS) is None
    table.loc[7, "sum 0"] = np.nan  # of infinities of both signs, and not missing
    assert combined_by_number(table, list(keys), PARTS) is None
    assert combined_by_number(table, list(keys), [*PARTS, ("first", 0)]) is None


def test_loops_that_are_at_hand_come_before_all_else(rows, monkeypatch):
    made = []
    monkeypatch.setattr(numbered_groups, "few_groups", made.append)
    assert parts_by_number({0: rows["small"]}, {"key0": rows["encoded"]}, PARTS[:2]) is not None
    assert not made
    with config.set({"codegen.enabled": False}):
        assert parts_by_number({0: rows["small"]}, {"key0": rows["encoded"]}, PARTS[:2]) is None
    assert made


def test_other_keys_columns_and_parts_are_left_to_pandas(rows):
    small, numbers = rows["small"], rows["numbers"]
    key = {"key0": small}
    assert numbered([rows["wide"]]) is None
    assert numbered([rows["texts"].astype("string[python]")]) is None
    assert numbered([numbers]) is None
    assert parts_by_number({0: small.astype("Int64")}, key, [("sum", 0)]) is None
    assert parts_by_number({0: small}, key, [("first", 0)]) is None
    assert parts_by_number({0: small.iloc[:0]}, {"key0": small.iloc[:0]}, [("sum", 0)]) is None
    with config.set({"codegen.enabled": False}):
        assert parts_by_number({0: small}, key, [("sum", 0)]) is None


@pytest.mark.parametrize("sort", [True, False])
@pytest.mark.parametrize("dropna", [True, False])
@pytest.mark.parametrize("category", [True, False])
def test_results_are_those_of_pandas(rows, sort, dropna, category):
    texts = rows["encoded"].cat.set_categories(["bc", "x", "a", ""]) if category else rows["texts"]
    pdf = pd.DataFrame(
        {"k": texts, "i": rows["small"], "v": rows["small"] * 3, "f": rows["numbers"]}
    )
    df = gd.from_pandas(pdf, npartitions=3)
    for ask in (
        lambda x: x.groupby(["k", "i"], sort=sort, dropna=dropna)[["v", "f"]].sum(),
        lambda x: x.groupby("k", sort=sort, dropna=dropna).agg(n=("f", "mean"), m=("v", "max")),
    ):
        assert_eq(ask(df), ask(pdf))


def test_parts_of_groups_in_order_are_not_sorted():
    table = pd.DataFrame({"key0": [-3, 5, 9], "sum 0": [np.inf, 0.0, -1.5], "count 0": [1, 0, 2]})
    parts = [("count", 0), ("sum", 0)]
    made = parts_in_order(table, ["key0"], parts)
    pd.testing.assert_frame_equal(made, combined(table, parts, lambda t: t.groupby(["key0"])))
    assert parts_in_order(table.iloc[:0], ["key0"], parts).shape == (0, 2)
    assert parts_in_order(table[::-1], ["key0"], parts) is None
    again = table.iloc[[0, 1, 1, 2]]
    made = parts_in_order(again, ["key0"], parts)
    pd.testing.assert_frame_equal(made, combined(again, parts, lambda t: t.groupby(["key0"])))
    undefined = again.assign(**{"sum 0": np.nan})
    assert parts_in_order(undefined, ["key0"], parts) is None
    assert parts_in_order(table.astype({"key0": float}), ["key0"], parts) is None
    assert parts_in_order(table.assign(key1=1), ["key0", "key1"], parts) is None
