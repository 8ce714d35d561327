"""Formulas against SciPy's inverse distribution functions, and over another namespace."""

import numpy as np
import pytest

from gpuscale.kernels.philox.distributions.transforms import TRANSFORMS

from .cases import CONTINUOUS, DISCRETE

LAWS = [case for case in CONTINUOUS + DISCRETE if case[0] in TRANSFORMS]
U = np.linspace(0.001, 0.999, 400)


def base_draws(base):
    """Return draws that belong to cumulative probabilities, and those probabilities."""
    if base == "normal":
        from scipy import stats

        return stats.norm.ppf(U), U
    if base == "exponential":
        return -np.log(U), U
    return U, U


@pytest.mark.parametrize(("name", "parameters", "law"), LAWS)
def test_formula_is_monotone_with_the_right_quantiles(name, parameters, law):
    transform = TRANSFORMS[name]
    draw, share = base_draws(transform.base)
    found = transform.formula(np, draw, *parameters)
    falling = found[0] > found[-1]
    if name == "geometric":
        assert np.array_equal(found, law.ppf(1.0 - share))
    else:
        assert np.allclose(found, law.ppf(1.0 - share if falling else share), rtol=1e-9, atol=1e-9)


class Recorder:
    """A namespace that notes which functions a formula takes from it."""

    def __init__(self):
        self.names = set()

    def __getattr__(self, name):
        self.names.add(name)
        return getattr(np, name)


def test_formulas_take_only_functions_of_the_array_api():
    xp = Recorder()
    parameters = {"geometric": (0.3,), "triangular": (0.0, 1.0, 2.0)}
    for name, case, _ in LAWS:
        TRANSFORMS[name].formula(xp, U, *parameters.get(name, case))
    assert {case[0] for case in LAWS} == set(TRANSFORMS)
    assert xp.names <= {
        *("abs", "ceil", "equal", "exp", "expm1", "log", "log1p"),
        *("maximum", "minimum", "sign", "sqrt", "tan", "where"),
    }
