"""Groups by numbers of their keys have the results that pandas has, or it is asked."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.dataframe.algorithms import ordered_groups
from gpuscale.dataframe.algorithms.grouping import Call, Gathered, Options
from gpuscale.dataframe.algorithms.keys_in_order import aggregated_by_numbers
from gpuscale.testing.frames import assert_eq


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr(ordered_groups, "_LEAST", 1)


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "v": rng.choice([0.5, np.nan, -3.25], 300),
            "k": rng.integers(-9, -2, 300),
            "text": pd.array(rng.choice(["b", "", "aé"], 300), dtype="str"),
            "w": rng.integers(0, 99, 300),
            "times": pd.to_datetime(rng.integers(0, 99, 300), unit="D"),
            "far": rng.choice([-(2**61), 2**61], 300),
        },
        index=rng.integers(0, 9, 300),
    )


SIMPLE = ["median", "nunique", "std", "sem", "count", "first", "max", "mean"]


@pytest.mark.parametrize("name", SIMPLE)
@pytest.mark.parametrize("by", [["k"], ["text"], ["text", "k"]], ids="-".join)
def test_one_aggregation(frame, name, by):
    for chosen in ("v", ["w", "v"]):
        expected = getattr(frame.groupby(by)[chosen], name)()
        made = aggregated_by_numbers(frame, by, chosen, name, {})
        (pd.testing.assert_frame_equal if len(chosen) > 1 else pd.testing.assert_series_equal)(
            made, expected
        )
    numbers = frame.drop(columns={"text", "times"}.difference(by))
    made = aggregated_by_numbers(numbers, by, None, name, {})
    pd.testing.assert_frame_equal(made, getattr(numbers.groupby(by), name)())


def test_several_aggregations_and_keys_beside(frame):
    named = {"m": ("v", "median"), "last": ("times", "last"), "n": ("v", "nunique")}
    made = aggregated_by_numbers(frame, ["k", frame.text], None, "agg", named)
    pd.testing.assert_frame_equal(made, frame.groupby(["k", frame.text]).agg(**named))
    own = frame.k.rename(None)
    made = aggregated_by_numbers(frame.v, [own], None, "agg", {"m": "median", "s": "std"})
    pd.testing.assert_frame_equal(made, frame.v.groupby(own).agg(m="median", s="std"))


def test_pandas_is_asked_where_numbers_would_not_do(frame):
    asked = {
        "a key is aggregated": (["k"], None, "agg", {"x": ("k", "max")}),
        "a key is chosen": (["k"], ["k", "v"], "median", {}),
        "a function": (["k"], None, "agg", {"x": ("v", np.median)}),
        "options": (["k"], ["v"], "median", {"numeric_only": True}),
        "rows": (["k"], "v", "cumsum", {}),
        "times": (["times"], "v", "median", {}),
        "a wide range": (["far"], "v", "median", {}),
        "other rows": ([frame.k[::-1]], "v", "median", {}),
        "nulls": ([frame.text.where(frame.w > 9)], "v", "median", {}),
    }
    for case in asked.values():
        assert aggregated_by_numbers(frame, *case) is None
    assert aggregated_by_numbers(frame.iloc[:0], ["k"], "v", "median", {}) is None


@pytest.mark.parametrize(
    "given", [{}, {"sort": False}, {"as_index": False}, {"dropna": False}], ids=str
)
def test_options_are_minded(frame, given):
    frame.loc[frame.w > 80, "text"] = None
    plan = Gathered(("text", "k"), ["v"], Options(**given), (Call("median"),))
    expected = frame.groupby(["text", "k"], **given)[["v"]].median()
    pd.testing.assert_frame_equal(plan.of_groups(frame), expected)


@pytest.mark.parametrize("split_out", [1, 3])
def test_medians_of_frames(frame, split_out):
    df = gd.from_pandas(frame, npartitions=4, sort=False)
    found = df.groupby(["k", "text"]).agg(m=("v", "median"), s=("v", "std"), split_out=split_out)
    assert_eq(found, frame.groupby(["k", "text"]).agg(m=("v", "median"), s=("v", "std")))
