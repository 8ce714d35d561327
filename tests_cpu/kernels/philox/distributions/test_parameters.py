"""The checks of parameters raise what NumPy raises."""

import numpy as np
import pytest

from gpuscale.kernels.philox.distributions.parameters import (
    RULES,
    check_parameters,
    parameter_names,
)

NAN, INF = np.nan, np.inf
CASES = {
    "beta": [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (NAN, 1.0), (2.0, 3.0)],
    "binomial": [(-1, 0.5), (5, -0.1), (5, 1.1), (5, NAN), (5, 0.0), (5, 1.0), (0, 0.5)],
    "chisquare": [(0.0,), (-1.0,), (NAN,), (2.0,)],
    "exponential": [(-1.0,), (-0.0,), (NAN,), (INF,), (0.0,)],
    "f": [(0.0, 1.0), (1.0, 0.0), (NAN, 1.0), (1.0, 2.0)],
    "gamma": [(-1.0, 1.0), (1.0, -1.0), (NAN, 1.0), (0.0, 1.0), (1.0, 0.0)],
    "geometric": [(0.0,), (1.1,), (NAN,), (-1.0,), (1.0,)],
    "gumbel": [(0.0, -1.0), (NAN, 1.0), (0.0, -0.0), (0.0, 0.0)],
    "hypergeometric": [(-1, 2, 1), (1, -2, 1), (3, 3, 7), (3, 3, -1), (10**9, 1, 1), (0, 0, 0)],
    "laplace": [(0.0, -1.0), (0.0, 1.0)],
    "logistic": [(0.0, -1.0), (0.0, 1.0)],
    "lognormal": [(0.0, -1.0), (NAN, 1.0), (0.0, 0.0)],
    "logseries": [(1.0,), (-0.1,), (NAN,), (0.0,)],
    "negative_binomial": [(0.0, 0.5), (-1.0, 0.5), (1.0, 0.0), (1.0, 1.1), (NAN, 0.5)]
    + [(1.0, NAN), (1e300, 0.5), (1.0, 1e-300), (1.0, 1.0)],
    "noncentral_chisquare": [(0.0, 1.0), (1.0, -1.0), (NAN, 1.0), (1.0, NAN), (1.0, 0.0)],
    "noncentral_f": [(0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, -1.0), (1.0, 1.0, NAN)],
    "normal": [(0.0, -1.0), (NAN, 1.0), (0.0, NAN), (0.0, 0.0)],
    "pareto": [(0.0,), (-1.0,), (NAN,), (1.0,)],
    "poisson": [(-1.0,), (1e30,), (INF,), (9.2e18,), (0.0,)],
    "power": [(0.0,), (-1.0,), (NAN,), (1.0,)],
    "random": [()],
    "rayleigh": [(-1.0,), (NAN,), (0.0,)],
    "standard_cauchy": [()],
    "standard_exponential": [()],
    "standard_gamma": [(-1.0,), (NAN,), (0.0,)],
    "standard_normal": [()],
    "standard_t": [(0.0,), (-1.0,), (NAN,), (1.0,)],
    "triangular": [(1.0, 0.0, 2.0), (0.0, 3.0, 2.0), (1.0, 1.0, 1.0), (NAN, 1.0, 2.0)]
    + [(0.0, 1.0, 2.0)],
    "uniform": [(0.0, INF), (1.0, 0.0), (NAN, 1.0), (-1e308, 1e308), (0.0, 0.0)],
    "vonmises": [(0.0, -1.0), (0.0, NAN), (0.0, 0.0)],
    "wald": [(0.0, 1.0), (1.0, 0.0), (NAN, 1.0), (1.0, 1.0)],
    "weibull": [(-1.0,), (NAN,), (0.0,)],
    "zipf": [(1.0,), (0.5,), (NAN,), (1e300,), (2.0,)],
}


def outcome(call, *arguments):
    """Return the type and message of the exception, or None."""
    try:
        with np.errstate(all="ignore"):
            call(*arguments)
    except (ValueError, TypeError, OverflowError) as error:
        return type(error), str(error)
    return None


def test_every_distribution_is_covered():
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize(
    ("name", "parameters"), [(name, case) for name, cases in CASES.items() for case in cases]
)
@pytest.mark.parametrize("as_array", [False, True])
def test_exceptions_are_those_of_numpy(name, parameters, as_array):
    if as_array:
        parameters = tuple(np.array([parameter]) for parameter in parameters)
    generator = np.random.default_rng(0)
    expected = outcome(getattr(generator, name), *parameters)
    assert outcome(check_parameters, name, *parameters) == expected


def test_legal_parameters_come_back_as_arrays():
    n, p = check_parameters("binomial", 5.9, 0.5)
    assert (n, n.dtype, p.dtype) == (5, np.int64, np.float64)


def test_fractions_are_no_counts():
    with pytest.raises(TypeError):
        check_parameters("binomial", np.array([2.5]), 0.5)


def test_the_number_of_parameters_is_checked():
    assert parameter_names("triangular") == ("left", "mode", "right")
    with pytest.raises(TypeError, match="gamma takes the parameters"):
        check_parameters("gamma", 1.0)
