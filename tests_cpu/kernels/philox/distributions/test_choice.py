"""Weighted choices."""

import numpy as np
import pytest
from scipy import stats

from gpuscale.kernels.philox.distributions.choice import cumulative
from gpuscale.kernels.philox.distributions.sampling import sample


def test_items_are_chosen_by_their_weights():
    weights = np.array([0.1, 0.0, 0.4, 0.5])
    chosen = sample("choice", (1, 2), np.arange(50_000), (cumulative(weights, 4),))
    counts = np.bincount(chosen, minlength=4)
    assert counts[1] == 0
    assert stats.chisquare(counts[[0, 2, 3]], weights[[0, 2, 3]] * 50_000).pvalue > 0.01


@pytest.mark.parametrize(
    "weights", [[0.5, 0.6], [0.5, np.nan], [-0.5, 1.5], [1.0], [[0.5, 0.5]]], ids=str
)
def test_impossible_weights_are_refused_as_by_numpy(weights):
    with pytest.raises(ValueError) as expected:
        np.random.default_rng(0).choice(2, p=weights)
    with pytest.raises(ValueError) as found:
        cumulative(weights, 2)
    assert str(found.value).split(". ")[0] == str(expected.value).split(". ")[0]
