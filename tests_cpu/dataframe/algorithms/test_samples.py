"""Samples divide evenly, also where they look at few of many rows."""

import numpy as np
import pandas as pd
import pytest

from gpuscale.dataframe.algorithms import samples


@pytest.mark.parametrize("looked_at", [1 << 16, 4096])
def test_parts_are_of_about_the_same_size(looked_at, monkeypatch):
    monkeypatch.setattr(samples, "_LOOKED_AT", looked_at)
    rng = np.random.default_rng(1)
    low, high = rng.random(60_000), rng.random(20_000) + 1
    plan = samples.Dividing("x", 4)
    partials = [plan.chunk(pd.DataFrame({"x": each})) for each in (low, high)]
    bounds = plan.finalize(plan.combine(partials))
    places = np.searchsorted(bounds, np.r_[low, high], side="right")
    assert np.bincount(places).tolist() == pytest.approx([20_000] * 4, rel=0.1)
