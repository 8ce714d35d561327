"""Few groups, of which rows are put in order, have the parts that pandas makes, in its order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.dataframe as gd
from gpuscale.base import config
from gpuscale.dataframe.algorithms import few_groups
from gpuscale.dataframe.algorithms.aggregates import partials_of
from gpuscale.dataframe.algorithms.numbered_groups import parts_by_number

PARTS = [
    *(("sum", 0), ("count", 0), ("sum", 1), ("total", 0), ("total", 2)),
    *(("size", 0), ("count", 1), ("min", 0), ("max", 0), ("min", 1), ("max", 1)),
]


@pytest.fixture
def of_any_rows(monkeypatch):
    monkeypatch.setattr(few_groups, "_LEAST", 1)
    monkeypatch.setattr(few_groups, "_BLOCK", 16)


def by_pandas(columns, keys):
    options = {"sort": False, "observed": True, "dropna": False}
    with np.errstate(invalid="ignore"):  # pandas adds inf and -inf aloud where rows are in order
        return partials_of(columns, keys, PARTS, lambda t: t.groupby(list(keys), **options))


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_parts_are_those_of_pandas(data):
    rows = data.draw(st.integers(1, 40))

    def drawn(values):
        return data.draw(st.lists(values, min_size=rows, max_size=rows))

    low = data.draw(st.sampled_from([-(2**63), -3, 2**63 - 6]))
    texts = pd.Series(drawn(st.sampled_from(["a", "b", "", None])), dtype="str")
    every = [pd.Series(drawn(st.integers(low, low + 5)), dtype="int64"), texts.astype("category")]
    chosen = data.draw(st.lists(st.sampled_from([0, 1]), min_size=1, max_size=3))
    keys = {f"key{k}": every[number] for k, number in enumerate(chosen)}
    numbers = st.sampled_from([0.0, -0.0, 1.5, -2.25, np.nan, np.inf, -np.inf])
    whole = st.sampled_from([0, 1, -7, 2**62, 2**63 - 1, -(2**63)])
    columns = {
        0: pd.Series(drawn(numbers)),
        1: pd.Series(drawn(whole), dtype="int64"),
        2: pd.Series(drawn(st.integers(-3, 3)), dtype="int64"),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(few_groups, "_LEAST", 1)
        patch.setattr(few_groups, "_BLOCK", data.draw(st.sampled_from([1, 7, 64])))
        made = parts_by_number(columns, keys, PARTS)
    pd.testing.assert_frame_equal(made, by_pandas(columns, keys), check_categorical=False)


@pytest.mark.usefixtures("of_any_rows")
@pytest.mark.parametrize("count", [255, 256, 257])
def test_groups_are_numbered_by_a_byte_or_not(count):
    found = few_groups.few_groups([pd.Series(np.arange(count)[::-1] - 7)])
    assert (found is None) == (count > 256)
    encoded = few_groups.few_groups([pd.Series(np.arange(count), dtype="category")])
    assert (encoded is None) == (count > 255)  # nulls have a number
    if found is not None:
        assert found.first.tolist() == list(range(count))
    one = pd.Series(np.zeros(count, int))
    assert (few_groups.few_groups([one, pd.Series(np.arange(count)), one]) is None) == (count > 256)


@pytest.mark.usefixtures("of_any_rows")
def test_other_keys_are_left_to_others():
    assert few_groups.few_groups([pd.Series([0.5, 1.5])]) is None
    assert few_groups.few_groups([pd.Series([1, 2]), pd.Series(["a", "b"])]) is None
    assert few_groups.few_groups([pd.Index([1, 2])]) is None


def test_nothing_is_compiled_for_few_groups():
    rng = np.random.default_rng(0)
    rows = few_groups._LEAST
    frame = pd.DataFrame({"k": rng.integers(0, 7, rows), "v": rng.random(rows)})
    frame.loc[::1000, "v"] = np.nan
    with config.set({"codegen.enabled": False}):
        made = gd.from_pandas(frame, npartitions=1).groupby("k").v.agg(["sum", "mean", "count"])
        expected = frame.groupby("k").v.agg(["sum", "mean", "count"])
        pd.testing.assert_frame_equal(made.compute(), expected, rtol=1e-13)
