"""Statistical tests against SciPy, for every way to cut the samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import gpuscale.array as ga
from gpuscale.base.errors import NotSupportedError
from gpuscale.testing import nothing_computes
from gpuscale.testing.strategies import chunks

SHAPES = [(12,), (12, 3), (3, 12)]


def sample(shape, seed):
    return np.random.default_rng(seed).gamma(2.0, size=shape) + 1


def draw(data, shape, seed=0):
    x = sample(shape, seed)
    return x, ga.from_array(x, chunks=data.draw(chunks(shape)))


def assert_same(actual, expected):
    np.testing.assert_allclose(actual.statistic.compute(), expected.statistic, rtol=1e-9)
    np.testing.assert_allclose(actual.pvalue.compute(), expected.pvalue, rtol=1e-9)


@pytest.mark.parametrize("name", ["skewtest", "kurtosistest", "normaltest"])
@settings(max_examples=8)
@given(st.data())
def test_normality(name, data):
    x, y = draw(data, (25, 3))
    for axis in (0, None):
        assert_same(getattr(ga.stats, name)(y, axis), getattr(stats, name)(x, axis))


@pytest.mark.parametrize("bias", [True, False])
@settings(max_examples=8)
@given(st.data())
def test_shapes_of_distributions(bias, data):
    shape = data.draw(st.sampled_from(SHAPES))
    x, y = draw(data, shape)
    for axis in (0, -1, None):
        for name in ("skew", "kurtosis"):
            np.testing.assert_allclose(
                getattr(ga.stats, name)(y, axis, bias=bias).compute(),
                getattr(stats, name)(x, axis, bias=bias),
                rtol=1e-9,
            )
    np.testing.assert_allclose(ga.stats.moment(y, 3).compute(), stats.moment(x, 3), rtol=1e-9)
    assert np.isnan(ga.stats.skew(ga.ones(9, chunks=4)).compute())


@settings(max_examples=8)
@given(st.data())
def test_means(data):
    x, a = draw(data, (12, 3), 1)
    y, b = draw(data, (12, 3), 2)
    assert_same(ga.stats.ttest_1samp(a, 2.5), stats.ttest_1samp(x, 2.5))
    assert_same(ga.stats.ttest_rel(a, b), stats.ttest_rel(x, y))
    assert_same(ga.stats.ttest_ind(a, b[:7], axis=0), stats.ttest_ind(x, y[:7], axis=0))
    welch = stats.ttest_ind(x, y, equal_var=False)
    assert_same(ga.stats.ttest_ind(a, b, equal_var=False), welch)
    assert_same(ga.stats.f_oneway(a, b, a[:5] + b[:5]), stats.f_oneway(x, y, x[:5] + y[:5]))


@pytest.mark.parametrize("lambda_", [None, *ga.stats._POWERS, 1.5])
def test_frequencies(lambda_):
    x = np.array([16, 18, 16, 14, 12, 12])
    expected = np.array([16, 16, 16, 16, 16, 8])
    y = ga.from_array(x, chunks=4)
    power = {"lambda_": lambda_}
    assert_same(ga.stats.power_divergence(y, **power), stats.power_divergence(x, **power))
    actual = ga.stats.power_divergence(y, expected, **power)
    assert_same(actual, stats.power_divergence(x, expected, **power))
    assert_same(ga.stats.chisquare(y, ddof=1), stats.chisquare(x, ddof=1))


def test_tests_are_lazy():
    x = ga.ones(100, chunks=9)
    with nothing_computes():
        assert ga.stats.normaltest(x).pvalue.shape == ()


def test_bad_input():
    with pytest.raises(ValueError, match="at least 8"):
        ga.stats.skewtest(ga.ones(3))
    with pytest.raises(ValueError, match="at least 5"):
        ga.stats.kurtosistest(ga.ones(3))
    with pytest.raises(ValueError, match="lambda_"):
        ga.stats.power_divergence([1, 2], lambda_="nonsense")
    with pytest.raises(ValueError, match="unequal length"):
        ga.stats.ttest_rel(ga.ones(3), ga.ones(4))
    with pytest.raises(TypeError, match="two inputs"):
        ga.stats.f_oneway(ga.ones(3))
    with pytest.raises(NotSupportedError, match="nan_policy"):
        ga.stats.skew(ga.ones(3), nan_policy="omit")
