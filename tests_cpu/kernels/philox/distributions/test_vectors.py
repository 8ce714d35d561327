"""Distributions of vectors: moments, sums, and NumPy's exceptions."""

import numpy as np
import pytest
from scipy import stats

from gpuscale.kernels.philox.distributions.sampling import sample
from gpuscale.kernels.philox.distributions.vector_parameters import (
    check_dirichlet,
    check_multinomial,
    check_multivariate_hypergeometric,
)
from gpuscale.kernels.philox.distributions.vectors import covariance_factor

KEY = (3, 4)
INDEX = np.arange(20_000)


def assert_moments(drawn, law_mean, law_cov):
    error = np.sqrt(np.diag(law_cov) / len(drawn))
    assert (np.abs(drawn.mean(axis=0) - law_mean) < 4.5 * error + 1e-12).all()
    assert np.allclose(np.cov(drawn.T), law_cov, atol=0.05 * np.max(law_cov))


def test_multinomial():
    n, pvals = check_multinomial(20, [0.2, 0.3, 0.0, 0.5])
    drawn = sample("multinomial", KEY, INDEX, (n, pvals))
    law = stats.multinomial(20, pvals)
    assert drawn.shape == (20_000, 4)
    assert (drawn.sum(axis=1) == 20).all()
    assert_moments(drawn, 20 * pvals, law.cov())
    assert stats.kstest(drawn[:, 3] + 0.0, lambda k: stats.binom(20, 0.5).cdf(k)).statistic < 0.2


def test_multinomial_with_certain_and_single_categories():
    assert (sample("multinomial", KEY, INDEX[:9], (5, np.array([0.0, 1.0]))) == [0, 5]).all()
    assert (sample("multinomial", KEY, INDEX[:9], (5, np.array([1.0]))) == 5).all()
    thirds = np.full(3, 1.0 / 3.0)
    assert (sample("multinomial", KEY, INDEX[:99], (7, thirds)).sum(axis=1) == 7).all()


def test_multivariate_hypergeometric():
    colors, nsample = check_multivariate_hypergeometric([50, 30, 20], 10)
    drawn = sample("multivariate_hypergeometric", KEY, INDEX, (colors, nsample))
    law = stats.multivariate_hypergeom(colors, 10)
    assert (drawn.sum(axis=1) == 10).all()
    assert_moments(drawn, law.mean(), law.cov())


def test_dirichlet():
    alpha = check_dirichlet([0.5, 2.0, 3.0])
    drawn = sample("dirichlet", KEY, INDEX, (alpha,))
    law = stats.dirichlet(alpha)
    assert np.allclose(drawn.sum(axis=1), 1.0)
    assert_moments(drawn, law.mean(), law.cov())
    assert stats.kstest(drawn[:, 0], stats.beta(0.5, 5.0).cdf).pvalue > 0.005


@pytest.mark.parametrize("method", ["svd", "eigh", "cholesky"])
def test_multivariate_normal(method):
    mean, cov = np.array([1.0, -2.0, 0.0]), np.array([[2, 0.5, 0], [0.5, 1, -0.3], [0, -0.3, 1]])
    factor = covariance_factor(cov, method)
    assert np.allclose(factor @ factor.T, cov)
    drawn = sample("multivariate_normal", KEY, INDEX, (mean, factor))
    assert_moments(drawn, mean, cov)


def test_covariance_factor_refuses_what_is_no_covariance():
    with pytest.raises(ValueError, match="square"):
        covariance_factor([[1.0, 0.0]])
    with pytest.raises(ValueError, match="method must be one of"):
        covariance_factor([[1.0]], "lu")
    with pytest.raises(np.linalg.LinAlgError):
        covariance_factor([[1.0, 2.0], [2.0, 1.0]], "cholesky")


@pytest.mark.parametrize(
    ("name", "check", "parameters"),
    [
        ("multinomial", check_multinomial, (5, [-0.1, 0.5])),
        ("multinomial", check_multinomial, (5, [np.nan, 0.5])),
        ("multinomial", check_multinomial, (-1, [0.5, 0.5])),
        ("multivariate_hypergeometric", check_multivariate_hypergeometric, ([1, 2], 4)),
        ("multivariate_hypergeometric", check_multivariate_hypergeometric, ([-1, 2], 1)),
        ("multivariate_hypergeometric", check_multivariate_hypergeometric, ([1, 2], -1)),
        ("multivariate_hypergeometric", check_multivariate_hypergeometric, ([1.5, 2], 1)),
        ("dirichlet", check_dirichlet, ([-1.0, 1.0],)),
    ],
)
def test_exceptions_are_those_of_numpy(name, check, parameters):
    with pytest.raises(ValueError) as expected:
        getattr(np.random.default_rng(0), name)(*parameters)
    with pytest.raises(ValueError) as found:
        check(*parameters)
    assert str(found.value) == str(expected.value)


def test_too_large_sums_are_refused():
    with pytest.raises(ValueError, match="sum"):
        check_multinomial(5, [0.7, 0.7, 0.1])
    with pytest.raises(ValueError, match="sum"):
        check_multivariate_hypergeometric([10**9, 1], 5)
    with pytest.raises(ValueError, match="at least 1 dimension"):
        check_multinomial(5, 0.5)
    with pytest.raises(ValueError, match="one-dimensional"):
        check_dirichlet([[1.0]])
