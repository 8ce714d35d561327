"""Compiled loops over groups give what NumPy and pandas give."""

import math

import numpy as np
import pytest

from gpuscale.base import config
from gpuscale.codegen import groups, worth
from gpuscale.codegen.groups import aggregated, number_codes, pays

pd = pytest.importorskip("pandas")


def test_numbers_come_in_the_order_of_rows():
    codes = np.random.default_rng(0).integers(-3, 40, 1000)
    ids, first = number_codes(codes, -3, 43)
    numbers, distinct = pd.factorize(codes)
    assert ids.tolist() == numbers.tolist()
    assert codes[first].tolist() == distinct.tolist()


@pytest.mark.parametrize("kind", ["size", "count", "sum", "total", "min", "max"])
@pytest.mark.parametrize("values", ["integers", "numbers", "odd numbers"])
def test_aggregations_are_those_of_pandas(kind, values):
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 9, 500).astype(np.int32)
    column = {
        "integers": rng.integers(-(2**62), 2**62, 500),
        "numbers": rng.normal(size=500) * 10.0 ** rng.integers(-9, 9, 500),
        "odd numbers": rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308], 500),
    }[values]
    column[ids == 3] = -1 if values == "integers" else np.nan
    wide = column.astype(float) if kind == "total" else column
    grouped = pd.Series(wide).groupby(ids)
    expected = getattr(grouped, "sum" if kind == "total" else kind)().to_numpy()
    found = aggregated(kind, ids, None if kind == "size" else column, 9)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_what_rounding_loses_is_kept():
    values = np.full(100_000, 0.1)
    (found,) = aggregated("sum", np.zeros(100_000, np.int32), values, 1)
    assert found == math.fsum(values) != np.cumsum(values)[-1]


@pytest.fixture
def stored(monkeypatch):
    """Loops on the disk, none at first, with nothing grouped yet; compilation is for 3e6 rows."""
    found = set()
    monkeypatch.setattr(groups, "_paid_for", set())
    monkeypatch.setattr(worth, "_interpreted", {})
    monkeypatch.setattr(groups, "is_stored", found.__contains__)
    for name in ("COMPILER", "NUMBA", "LOADER", "LLVM"):
        monkeypatch.setattr(worth, name, 1e7 if name in ("LOADER", "LLVM") else 3e7)
    return found


SUM = [("sum", np.dtype("i8"))]
MEAN = [("total", np.dtype("f8")), ("count", np.dtype("f8"))]


def test_loops_are_compiled_once_a_library_has_done_as_much(stored):
    assert [pays(1 << 20, SUM) for _ in range(4)] == [False, False, True, True]
    assert not pays(1000, SUM)
    assert not pays(1 << 20, SUM + MEAN)  # two loops more, that nobody has asked for
    with config.set({"codegen.enabled": False}):
        assert not pays(1 << 20, SUM)


def test_loops_on_the_disk_pay_sooner_if_all_that_it_takes_are_there(stored):
    stored.update(groups._helper(*each).source() for each in SUM)
    assert not pays(1 << 20, SUM)
    stored.add(groups._CODES.source())
    assert pays(1 << 20, SUM) and not pays(1 << 20, SUM + MEAN)


def test_loops_pay_for_any_rows_where_the_option_says_so(stored):
    with config.set({"codegen.min-elements": 0}):
        assert pays(1, SUM)
    with config.set({"codegen.min-elements": 1 << 40}):
        assert not pays(1 << 30, MEAN)
