"""Parameters at the ends of their ranges, against what NumPy does there."""

import numpy as np
import pytest

from gpuscale.kernels.philox.distributions.sampling import sample

KEY = (5, 7)
INDEX = np.arange(2000)
CERTAIN = [
    ("binomial", (0, 0.3), 0),
    ("binomial", (7, 0.0), 0),
    ("binomial", (7, 1.0), 7),
    ("chisquare", (np.inf,), np.nan),
    ("exponential", (0.0,), 0.0),
    ("gamma", (0.0, 1.0), 0.0),
    ("gamma", (2.0, 0.0), 0.0),
    ("geometric", (1.0,), 1),
    ("gumbel", (3.0, 0.0), 3.0),
    ("hypergeometric", (0, 0, 0), 0),
    ("hypergeometric", (0, 5, 3), 0),
    ("hypergeometric", (5, 0, 3), 3),
    ("hypergeometric", (3, 4, 7), 3),
    ("laplace", (3.0, 0.0), 3.0),
    ("logistic", (3.0, 0.0), 3.0),
    ("lognormal", (0.0, 0.0), 1.0),
    ("logseries", (0.0,), 1),
    ("negative_binomial", (3.0, 1.0), 0),
    ("normal", (3.0, 0.0), 3.0),
    ("poisson", (0.0,), 0),
    ("rayleigh", (0.0,), 0.0),
    ("uniform", (2.0, 2.0), 2.0),
    ("weibull", (0.0,), 0.0),
    ("zipf", (2000.0,), 1),
    ("zipf", (1e300,), 1),
]


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("name", "parameters", "value"), CERTAIN)
def test_values_that_are_certain(name, parameters, value, compiled):
    drawn = sample(name, KEY, INDEX, parameters, compiled=compiled)
    assert np.array_equal(drawn, np.full(INDEX.size, value), equal_nan=isinstance(value, float))


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("beta", (np.nan, 1.0)),
        ("chisquare", (np.nan,)),
        ("exponential", (np.nan,)),
        ("f", (1.0, np.nan)),
        ("gamma", (np.nan, 1.0)),
        ("noncentral_chisquare", (1.0, np.nan)),
        ("normal", (0.0, np.nan)),
        ("standard_t", (np.nan,)),
        ("triangular", (0.0, np.nan, 1.0)),
        ("vonmises", (0.0, np.nan)),
        ("wald", (np.nan, 1.0)),
        ("weibull", (np.nan,)),
    ],
)
def test_nan_parameters_give_nan_for_their_elements_alone(name, parameters, compiled):
    assert np.isnan(sample(name, KEY, INDEX[:50], parameters, compiled=compiled)).all()
    good = np.nan_to_num(parameters, nan=0.5)
    mixed = [np.where(INDEX[:50] < 20, g, p) for g, p in zip(good, parameters, strict=True)]
    drawn = sample(name, KEY, INDEX[:50], mixed, compiled=compiled)
    assert np.isnan(drawn).tolist() == [False] * 20 + [True] * 30


@pytest.mark.parametrize(
    ("name", "parameters", "mean", "deviation"),
    [
        ("poisson", (1e12,), 1e12, 1e6),
        ("poisson", (9.2e18,), 9.2e18, np.sqrt(9.2e18)),
        ("binomial", (2**62, 0.5), 2.0**61, 2.0**30),
        ("binomial", (2**62, 1e-18), 2.0**62 * 1e-18, np.sqrt(2.0**62 * 1e-18)),
        ("gamma", (1e20, 1.0), 1e20, 1e10),
        ("gamma", (1e-3, 1.0), 1e-3, np.sqrt(1e-3)),
        ("vonmises", (0.0, 1e20), 0.0, 1e-10),
        ("hypergeometric", (10**9 - 1, 10**9 - 1, 10**6), 5e5, np.sqrt(2.5e5 * 0.9995)),
        ("negative_binomial", (1e10, 0.5), 1e10, np.sqrt(2e10)),
        ("standard_t", (1e9,), 0.0, 1.0),
    ],
)
def test_extreme_parameters_keep_mean_and_deviation(name, parameters, mean, deviation):
    drawn = sample(name, KEY, INDEX, parameters, compiled=True).astype(np.float64)
    error = deviation / np.sqrt(INDEX.size)
    assert abs(drawn.mean() - mean) < 4.0 * error
    if parameters != (1e-3, 1.0):  # whose deviation is that of a few large values
        assert abs(drawn.std() / deviation - 1.0) < 0.08


def test_counts_that_do_not_fit_become_the_largest_integer():
    assert (sample("geometric", KEY, INDEX[:5], (1e-25,)) == np.iinfo(np.int64).max).all()


def test_tiny_shapes_stay_in_range():
    drawn = sample("beta", KEY, INDEX, (1e-5, 1e-5))
    assert np.isfinite(drawn).all()
    assert 0.4 < (drawn > 0.5).mean() < 0.6
    weights = sample("dirichlet", KEY, INDEX[:200], (np.array([1e-5, 1e-5, 0.0]),))
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert (weights[:, 2] == 0.0).all()


def test_angles_stay_on_the_circle():
    drawn = sample("vonmises", KEY, INDEX, (3.0, 0.1))
    assert (np.abs(drawn) <= np.pi).all()
