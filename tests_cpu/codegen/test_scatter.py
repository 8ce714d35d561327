"""Compiled loops say where rows go as NumPy and pandas do."""

import numpy as np
import pytest

from gpuscale.base import config
from gpuscale.codegen.scatter import hashed, ordered, pays

pd = pytest.importorskip("pandas")


@pytest.mark.parametrize("count", [1, 9, 2**16, 2**40, 2**63 - 1])
def test_codes_are_hashes_of_pandas(count):
    odd = [0.0, 1.0, -1.5, np.nan, np.inf, -np.inf, 5e-324, 2.0**63]
    numbers = np.append(np.random.default_rng(0).normal(size=500), odd)
    wanted = pd.util.hash_array(numbers)
    wanted ^= wanted >> np.uint64(32)
    codes = hashed(numbers, count)
    assert codes.dtype == np.int64
    assert codes.tolist() == (wanted % np.uint64(count)).tolist()


@pytest.mark.parametrize("count", [1, 3, 70_000])
@pytest.mark.parametrize("rows", [0, 1, 500])
def test_rows_are_sorted_by_codes(rows, count):
    codes = np.random.default_rng(1).integers(0, count, rows)
    order, ends = ordered(codes, count)
    assert order.tolist() == np.argsort(codes, kind="stable").tolist()
    assert ends.tolist() == np.cumsum(np.bincount(codes, minlength=count)).tolist()


def test_few_rows_are_left_to_numpy():
    with config.set({"codegen.min-elements": 0}):
        assert pays(1, "hashed") and pays(1, "ordered")
    with config.set({"codegen.enabled": False}):
        assert not pays(1 << 30, "ordered")
