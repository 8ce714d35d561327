"""Selection of ranks is exact, whatever the sample says."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.graph import select


@pytest.mark.parametrize("order", ["random", "sorted", "reversed", "few values", "misleading"])
@pytest.mark.parametrize("chunks", [100, 997, 5000])
def test_percentiles_of_any_order(order, chunks, monkeypatch):
    monkeypatch.setattr(select, "SAMPLE", 200)
    array = np.random.default_rng(0).normal(size=20_000)
    if order == "sorted":
        array.sort()
    elif order == "reversed":
        array = np.sort(array)[::-1].copy()
    elif order == "few values":
        array = np.round(array)
    elif order == "misleading":
        array[50::100] = -5.0  # exactly what the sample sees
    x = ga.from_array(array, chunks=chunks)
    q = [0, 0.01, 25, 50, 99.9, 100]
    np.testing.assert_allclose(ga.percentile(x, q).compute(), np.percentile(array, q), rtol=1e-12)


def test_nan_decides():
    array = np.arange(10_000.0)
    array[7777] = np.nan
    assert np.isnan(ga.median(ga.from_array(array, chunks=900)).compute())
