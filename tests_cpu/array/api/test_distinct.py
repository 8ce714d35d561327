"""Distinct elements against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array.api import distinct_spread
from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.base.types import is_known
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.memory import assert_room_is_enough
from gpuscale.testing.strategies import repetitive


@settings(max_examples=60)
@given(repetitive(), st.booleans(), st.booleans())
def test_unique(pair, equal_nan, deep):
    array, x = pair
    every = {"return_index": True, "return_inverse": True, "return_counts": True}
    with config.set({"array.split-every": 2 if deep else 16}):
        results = ga.unique(x, **every, equal_nan=equal_nan)
        plain = ga.unique(x, equal_nan=equal_nan)
    expected = np.unique(array, **every, equal_nan=equal_nan)
    for ours, theirs in zip(results, expected, strict=True):
        assert_eq(ours, theirs)
    assert_eq(plain, expected[0])


@settings(max_examples=20)
@given(repetitive())
def test_unique_of_the_standard(pair):
    array, x = pair
    for name in ("unique_all", "unique_counts", "unique_inverse"):
        ours, theirs = getattr(ga, name)(x), getattr(np, name)(array)
        assert ours._fields == theirs._fields
        for field, a, b in zip(ours._fields, ours, theirs, strict=True):
            if field == "inverse_indices":  # NumPy numbers the NaN, all different, anyhow
                missing = np.isnan(array)
                assert_eq(a.compute()[~missing], b[~missing])
                assert_eq(np.sort(a.compute()[missing]), np.sort(b[missing]))
            else:
                assert_eq(a, b)
    expected = np.sort(np.unique_values(array)) if array.size else array.reshape(-1)
    assert_eq(ga.unique_values(x), expected)


@settings(max_examples=15)
@given(repetitive())
def test_unique_slices(pair):
    array, x = pair
    every = {"return_index": True, "return_inverse": True, "return_counts": True}
    results = ga.unique(x, **every, axis=-1)
    for ours, theirs in zip(results, np.unique(array, **every, axis=-1), strict=True):
        assert_eq(ours, theirs)
    with pytest.raises(np.exceptions.AxisError):
        ga.unique(x, axis=2)


@pytest.mark.parametrize("equal_nan", [True, False])
@pytest.mark.parametrize("shape", [(4,), (2, 2), (4, 1)])
def test_slices_that_are_nan(shape, equal_nan):
    array = np.array([np.nan, np.nan, 1, np.nan]).reshape(shape)
    every = {"return_index": True, "return_inverse": True, "return_counts": True}
    results = ga.unique(ga.from_array(array, chunks=1), **every, axis=0, equal_nan=equal_nan)
    expected = np.unique(array, **every, axis=0, equal_nan=equal_nan)
    for ours, theirs in zip(results, expected, strict=True):
        assert_eq(ours, theirs)


def test_unique_of_other_dtypes():
    words = np.array(["b", "a", "b", ""])
    assert_eq(ga.unique(ga.from_array(words, chunks=2)), np.unique(words))
    dates = np.array(["2001-01-01", "NaT", "NaT"], "datetime64[D]")
    assert_eq(ga.unique(ga.from_array(dates, chunks=1)), np.unique(dates))
    waves = np.array([1j, complex(np.nan, 1), complex(1, np.nan), 1j])
    assert ga.unique(ga.from_array(waves, chunks=1)).shape == np.unique(waves).shape


def test_sizes_are_counted_when_someone_asks():
    x = ga.asarray([3, 1, 3, 2], chunks=2)
    with nothing_computes():
        values, counts = ga.unique(x, return_counts=True)
        assert not is_known(values.chunks)
        total = values * counts  # aligned, although nobody knows how many there are
    assert values.shape == (3,)
    assert total.compute().tolist() == [1, 2, 6]


@pytest.mark.parametrize("dtype", ["u1", "f4", "f8", "c16", "U3"])
@pytest.mark.parametrize("most", [3, 200_000])
def test_the_tasks_take_what_is_projected(dtype, most):
    values = np.random.default_rng(0).integers(0, most, (100, 300)).astype(dtype)
    x = ga.from_array(values, chunks=(25, 100))
    assert_room_is_enough(ga.unique(x))
    assert_room_is_enough(*ga.unique(x, return_index=True, return_counts=True))
    assert_room_is_enough(*ga.unique(x, return_counts=True, equal_nan=False))


def test_what_is_nan_takes_no_more():
    x = ga.full((100, 300), np.nan, chunks=(25, 100))
    assert_room_is_enough(*ga.unique(x, True, False, True, equal_nan=False))


def test_the_memory_limit_holds_for_what_is_found():
    x = ga.arange(400_000, chunks=20_000)  # 3.2 MB
    with config.set({"memory-limit": "2 MB"}):
        assert_eq(ga.unique(x % 100), np.arange(100))
        with pytest.raises(MemoryBudgetError, match="sort the elements"):
            ga.unique(x).compute()
    assert_eq(ga.unique(x), np.arange(400_000))


NUMBERS = np.random.default_rng(0).integers(0, 300, (30, 40))
SPREAD = {
    "floats": np.where(NUMBERS < 60, np.nan, NUMBERS / 7),
    "all NaN": np.full((30, 40), np.nan),
    "one": np.ones((30, 40), ">i4"),
    "complex": np.where(NUMBERS < 60, complex(1, np.nan), NUMBERS * 1j),
    "texts": NUMBERS.astype("U3"),
    "times": np.where(NUMBERS < 60, np.datetime64("NaT"), NUMBERS.astype("M8[D]")),
}


@pytest.mark.parametrize("equal_nan", [True, False])
@pytest.mark.parametrize("name", SPREAD)
def test_workers_with_little_memory_make_several_blocks(monkeypatch, name, equal_nan):
    monkeypatch.setattr(distinct_spread, "thread_share_elsewhere", lambda nbytes: 40_000)
    array = SPREAD[name]
    x = ga.from_array(array, chunks=(11, 23))
    found = ga.unique(x, return_index=True, return_counts=True, equal_nan=equal_nan)
    assert found[0].numblocks > (3,)
    expected = np.unique(array, True, False, True, equal_nan=equal_nan)
    for ours, theirs in zip(found, expected, strict=True):
        assert_eq(ours, theirs)
    assert_eq(found[1] * found[2], expected[1] * expected[2])  # aligned
    assert_eq(ga.unique(x, equal_nan=equal_nan), expected[0])
    # Places among all of them are looked up.
    assert ga.unique(x, return_inverse=True)[0].numblocks == (1,)


def test_distinct_elements_are_spread_evenly(monkeypatch):
    monkeypatch.setattr(distinct_spread, "thread_share_elsewhere", lambda nbytes: 500_000)
    values = np.random.default_rng(0).random(20_000)
    found = ga.unique(ga.from_array(values, chunks=1000))
    assert found.numblocks == (4,)
    sizes = [each.shape[0] for each in map(found.blocks.__getitem__, range(4))]
    assert sum(sizes) == 20_000 and max(sizes) < 8000


def test_few_elements_of_many_blocks_are_put_together_two_at_a_time():
    values = np.random.default_rng(0).integers(0, 10_000, 400_000)  # 80 kB are distinct
    x = ga.from_array(values, chunks=10_000)
    with config.set({"memory-limit": "2.5 MB"}):
        found, counts = ga.unique(x, return_counts=True)
        assert_eq(found, np.unique(values))
        assert_eq(counts, np.unique(values, return_counts=True)[1])
