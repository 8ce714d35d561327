"""Indexes of several levels are put together as pandas does it, or by it."""

import numpy as np
import pandas as pd
import pytest

from gpuscale.backends import pandas_levels
from gpuscale.backends.pandas_levels import levels_together
from gpuscale.backends.seams import join_grid


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr(pandas_levels, "_LEAST", 1)


def index_of(rows, seed, texts=("b", "", "aé", None)):
    rng = np.random.default_rng(seed)
    numbers = rng.choice([np.nan, 0.5, -1.0, float(seed)], rows)
    columns = [pd.array(rng.choice(texts, rows), dtype="str"), rng.integers(0, 300, rows), numbers]
    return pd.MultiIndex.from_arrays(columns, names=["x", None, "z"])


def test_labels_are_those_of_pandas():
    indexes = [index_of(200, 1), index_of(0, 2), index_of(5, 3), index_of(300, 4, ("c", "a"))]
    expected = indexes[0].append(indexes[1:])
    found = levels_together(indexes)
    pd.testing.assert_index_equal(found, expected, exact=True)
    for own, theirs in zip(found.levels, expected.levels, strict=True):
        pd.testing.assert_index_equal(own, theirs, exact=True)
    assert [each.dtype for each in found.codes] == [each.dtype for each in expected.codes]


def test_same_levels_stay_as_they_are():
    one = index_of(200, 1)
    whole = levels_together([one, one[::-1]])
    pd.testing.assert_index_equal(whole, one.append(one[::-1]), exact=True)
    assert whole.levels[0] is one.levels[0] or whole.levels[0].equals(one.levels[0])


def test_pandas_is_asked_for_other_indexes():
    one = index_of(200, 1)
    times = pd.MultiIndex.from_product([pd.date_range("2026", periods=3), [1, 2]])
    assert levels_together([one, one.set_names("y", level=1)]) is None
    assert levels_together([times, times]) is None
    assert levels_together([one, one.set_levels([0.5 + k for k in range(4)], level=0)]) is None
    assert levels_together([one.get_level_values(0)] * 2) is None


def test_partitions_and_indexes_are_joined():
    parts = [pd.DataFrame({"v": range(n)}, index=index_of(n, n, ("b", str(n)))) for n in (70, 3, 9)]
    pd.testing.assert_frame_equal(join_grid(parts[0], parts, (3,)), pd.concat(parts))
    series = [each.v for each in parts]
    pd.testing.assert_series_equal(join_grid(series[0], series, (3,)), pd.concat(series))
    indexes = [each.index for each in parts]
    pd.testing.assert_index_equal(join_grid(indexes[0], indexes, (3,)), pd.concat(parts).index)
