"""Elementary functions against extended precision, and equal bits in compiled code."""

import numpy as np
import pytest
from numba import njit
from scipy import special

from gpuscale.kernels.elementary.circle import cosine_sine
from gpuscale.kernels.elementary.exponential import exp, expm1
from gpuscale.kernels.elementary.logarithm import log, log1p, log_anywhere, stirling_tail
from gpuscale.kernels.portable_cpu import make_compilable

RNG = np.random.default_rng(7)
UNIT = RNG.random(50_000)
NEAR_ONE = 1.0 - 2.0**-53 * np.arange(1, 2000)
POSITIVE = np.concatenate([UNIT, 2.0 * UNIT, NEAR_ONE, np.exp(RNG.normal(size=20_000) * 100.0)])
REAL = np.concatenate([RNG.normal(size=20_000), RNG.normal(size=20_000) * 1e-4, [0.0]])
WIDE = np.concatenate([REAL, RNG.uniform(-700.0, 700.0, 20_000)])
SUBNORMAL = np.concatenate([5e-324 * np.arange(1, 50), np.exp(RNG.uniform(-744.0, -708.0, 5000))])


def error_in_ulps(found, x, exact):
    expected = exact(x.astype(np.longdouble))
    return np.max(np.abs((found - expected) / np.spacing(np.abs(expected).astype(np.float64))))


@pytest.mark.parametrize(
    ("function", "exact", "x", "bound"),
    [
        (log, np.log, POSITIVE, 1.0),
        (log_anywhere, np.log, np.concatenate([POSITIVE, SUBNORMAL, [np.finfo(float).max]]), 1.0),
        (log1p, np.log1p, np.concatenate([REAL[REAL > -1.0], POSITIVE, -UNIT]), 1.5),
        (exp, np.exp, WIDE, 1.5),
        (expm1, np.expm1, WIDE, 3.0),
    ],
    ids=["log", "log_anywhere", "log1p", "exp", "expm1"],
)
def test_error_is_bounded(function, exact, x, bound):
    assert error_in_ulps(function(x), x, exact) < bound


def test_logarithm_of_one_is_zero():
    one = np.ones(1)
    assert log(one) == 0.0
    assert log1p(0.0 * one) == 0.0


def test_exponential_of_zero_is_one_and_far_arguments_end_at_zero_and_infinity():
    with np.errstate(over="ignore"):
        assert exp(np.array([0.0, -800.0, -1e300, -np.inf])).tolist() == [1.0, 0.0, 0.0, 0.0]
        assert exp(np.array([800.0, 1e300, np.inf])).tolist() == [np.inf] * 3
        assert np.isnan(exp(np.array([np.nan, -np.nan]))).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_logarithm_outside_its_domain_is_numpys():
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -1.0, -5e-324])
    np.testing.assert_array_equal(log_anywhere(x), np.log(x))


def test_exponential_reaches_subnormal_numbers():
    x = np.array([-745.0, -720.0, -708.5])
    assert np.allclose(exp(x), np.exp(x), rtol=1e-12, atol=5e-324)


def test_cosine_and_sine_of_turns():
    turns = np.concatenate([RNG.integers(0, 2**53, 50_000), np.arange(8) << 50]).astype(np.uint64)
    cosine, sine = cosine_sine(turns)
    angle = 2.0 * np.pi * (turns.astype(np.longdouble) * 2.0**-53)
    assert np.max(np.abs(cosine - np.cos(angle))) < 1e-15
    assert np.max(np.abs(sine - np.sin(angle))) < 1e-15
    assert np.max(np.abs(cosine**2 + sine**2 - 1.0)) < 5e-16


def test_quarters_of_a_turn_are_exact():
    cosine, sine = cosine_sine(np.arange(4, dtype=np.uint64) << np.uint64(51))
    assert cosine.tolist() == [1.0, 0.0, -1.0, 0.0]
    assert sine.tolist() == [0.0, 1.0, 0.0, -1.0]


def test_stirlings_tail_completes_the_logarithm_of_factorials():
    k = np.concatenate([np.arange(400.0), np.round(np.exp(np.linspace(6.0, 40.0, 300)))])
    h = k + 0.5
    found = h * np.log(h) - h + np.log(2.0 * np.pi) / 2.0 + stirling_tail(h)
    expected = special.gammaln(k + 1.0)
    assert np.max(np.abs(found - expected) / np.maximum(1.0, expected)) < 2e-12


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (log, POSITIVE),
        (log_anywhere, np.concatenate([POSITIVE, SUBNORMAL, [0.0, -0.0, -1.0, np.inf, -np.inf]])),
        (log1p, POSITIVE),
        (exp, WIDE),
        (expm1, WIDE),
        (stirling_tail, np.arange(5000.0) + 0.5),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_compiled_code_gives_the_same_bits(function, x):
    make_compilable(function)

    @njit(error_model="numpy")
    def loop(values, out):
        for k in range(values.size):
            out[k] = function(values[k])

    out = np.empty_like(x)
    loop(x, out)
    np.testing.assert_array_equal(out, function(x))
