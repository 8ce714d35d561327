"""Acceptance of the ratio-of-uniforms method: exact probabilities inside its rectangle."""

import numpy as np
import pytest
from scipy import stats

from gpuscale.kernels.elementary.logarithm import stirling_tail
from gpuscale.kernels.philox.distributions.counts import (
    as_counts,
    binomial_constants,
    factorial_curve,
    hypergeometric_constants,
    poisson_constants,
    width_of,
)


def assert_rectangle_holds(log_probability, k, mean, variance):
    """The candidate's v stays within the rectangle wherever u**2 is at most the ratio."""
    ratio = np.exp(0.5 * (log_probability - log_probability.max()))
    center = mean + 0.5
    reach = ratio * np.maximum(np.abs(k - center), np.abs(k + 1.0 - center))
    assert 2.0 * reach.max() <= width_of(variance) * (1.0 + 1e-12)


def column(*values):
    return tuple(np.array([float(value)]) for value in values)


LAMS = np.concatenate([np.exp(np.linspace(-12, 0, 25)), np.linspace(0.1, 40, 150), [1e3, 1e5]])


@pytest.mark.parametrize("lam", LAMS)
def test_poisson(lam):
    k = np.arange(max(0, int(lam - 15 * lam**0.5)), int(lam + 15 * lam**0.5 + 15), dtype=float)
    expected = stats.poisson.logpmf(k, lam)
    assert_rectangle_holds(expected, k, lam, lam)
    _, _, mode, slope, offset = (float(c[0]) for c in poisson_constants(column(lam)))
    found = slope * (k - mode) + offset - factorial_curve(k, mode)
    likely = expected > expected.max() - 60.0
    assert np.allclose(
        found[likely], (expected - stats.poisson.logpmf(mode, lam))[likely], atol=1e-8
    )


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 30, 1000, 100_000])
@pytest.mark.parametrize("p", [1e-4, 0.03, 0.2, 0.37, 0.5])
def test_binomial(n, p):
    k = np.arange(n + 1.0)
    expected = stats.binom.logpmf(k, n, p)
    assert_rectangle_holds(expected, k, n * p, n * p * (1.0 - p))
    _, _, mode, slope, offset, _ = (float(c[0]) for c in binomial_constants(column(n, p)))
    curves = factorial_curve(k, mode) + factorial_curve(n - k, n - mode)
    found = slope * (k - mode) + offset - curves
    likely = expected > expected.max() - 60.0
    assert np.allclose(found[likely], (expected - expected.max())[likely], atol=1e-7)


@pytest.mark.parametrize("seed", range(60))
def test_hypergeometric(seed):
    rng = np.random.default_rng(seed)
    good, bad = (int(count) for count in rng.integers(0, rng.choice([3, 10, 100, 3000]), 2))
    bad += good == 0  # SciPy knows no empty population
    sample = int(rng.integers(0, good + bad + 1))
    k = np.arange(max(0, sample - bad), min(good, sample) + 1.0)
    expected = stats.hypergeom.logpmf(k, good + bad, good, sample)
    constants = [float(c[0]) for c in hypergeometric_constants(column(good, bad, sample))]
    _, width, mode, slope, offset, _, _, surplus = constants
    total, share = good + bad, good / max(1, good + bad)
    variance = sample * share * (1.0 - share) * (total - sample) / max(1, total - 1)
    assert np.isclose(width, width_of(variance))
    assert_rectangle_holds(expected, k, sample * share, variance)
    curves = sum(
        factorial_curve(part, at)
        for part, at in (
            (k, mode),
            (good - k, good - mode),
            (sample - k, sample - mode),
            (surplus + k, surplus + mode),
        )
    )
    likely = expected > expected.max() - 60.0
    found = slope * (k - mode) + offset - curves
    assert np.allclose(found[likely], (expected - expected.max())[likely], atol=1e-7)


def test_curve_at_the_mode_is_the_tail_alone():
    modes = np.arange(100.0)
    assert np.array_equal(factorial_curve(modes, modes), stirling_tail(modes + 0.5))


def test_as_counts_saturates():
    assert as_counts(np.array([0.0, 5.0, 1e19])).tolist() == [0, 5, 2**63 - 1]
