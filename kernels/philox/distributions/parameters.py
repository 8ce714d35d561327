"""Which parameters are legal: the checks of `numpy.random.Generator`, with its messages.

NaN passes where NumPy lets it pass; such elements come out as NaN.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .rejection import Array

# Beyond these a Poisson draw might not fit into int64: ten standard deviations are kept free.
LARGEST_INT64 = float(np.iinfo(np.int64).max)
LAM_LIMIT = LARGEST_INT64 - 10.0 * np.sqrt(LARGEST_INT64)
POPULATION_LIMIT = 10**9

Check = tuple[Callable[..., Any], str]


def _negative(x: Array) -> Array:
    return np.signbit(x) & ~np.isnan(x)  # -0.0 counts, as in NumPy


def _not_positive(x: Array) -> Array:
    return x <= 0.0


def no_chance(p: Array) -> Array:
    """Return where `p` is no probability.

    Examples
    --------
    >>> no_chance(np.array([0.5, 2.0, np.nan]))
    array([False,  True,  True])
    """
    return ~((p >= 0.0) & (p <= 1.0))


def _no_positive_chance(p: Array) -> Array:
    return ~((p > 0.0) & (p <= 1.0))


def _too_many_failures(n: Array, p: Array) -> Array:
    spread = n * (1.0 - p) / p + 10.0 * np.sqrt(n) * (1.0 - p) / p
    return spread > LAM_LIMIT


def _at(position: int, bad: Callable[..., Any], message: str) -> Check:
    return (lambda *parameters: bad(parameters[position])), message


# Per distribution: the names of its parameters, then the checks in NumPy's order.
# "{is NaN}" is spelled "contains NaNs" for arrays.
_SHAPE_SCALE = [_at(0, _negative, "shape < 0"), _at(1, _negative, "scale < 0")]
_LOC_SCALE = [_at(1, _negative, "scale < 0")]
_CHANCE = "p <= 0, p > 1 or p contains NaNs"
RULES: dict[str, tuple[str, list[Check]]] = {
    "beta": ("a b", [_at(0, _not_positive, "a <= 0"), _at(1, _not_positive, "b <= 0")]),
    "binomial": (
        "n p",
        [_at(1, no_chance, "p < 0, p > 1 or p {is NaN}"), _at(0, _negative, "n < 0")],
    ),
    "chisquare": ("df", [_at(0, _not_positive, "df <= 0")]),
    "exponential": ("scale", [_at(0, _negative, "scale < 0")]),
    "f": (
        "dfnum dfden",
        [_at(0, _not_positive, "dfnum <= 0"), _at(1, _not_positive, "dfden <= 0")],
    ),
    "gamma": ("shape scale", _SHAPE_SCALE),
    "geometric": ("p", [_at(0, _no_positive_chance, _CHANCE)]),
    "gumbel": ("loc scale", _LOC_SCALE),
    "hypergeometric": (
        "ngood nbad nsample",
        [
            (
                lambda good, bad, sample: (good >= POPULATION_LIMIT) | (bad >= POPULATION_LIMIT),
                f"both ngood and nbad must be less than {POPULATION_LIMIT}",
            ),
            (lambda good, bad, sample: good + bad < sample, "ngood + nbad < nsample"),
            _at(0, _negative, "ngood < 0"),
            _at(1, _negative, "nbad < 0"),
            _at(2, _negative, "nsample < 0"),
        ],
    ),
    "laplace": ("loc scale", _LOC_SCALE),
    "logistic": ("loc scale", _LOC_SCALE),
    "lognormal": ("mean sigma", [_at(1, _negative, "sigma < 0")]),
    "logseries": (
        "p",
        [_at(0, lambda p: ~((p >= 0.0) & (p < 1.0)), "p < 0, p >= 1 or p {is NaN}")],
    ),
    "negative_binomial": (
        "n p",
        [
            _at(0, np.isnan, "n must not be NaN"),
            _at(0, _not_positive, "n <= 0"),
            _at(1, _no_positive_chance, _CHANCE),
            (
                _too_many_failures,
                "n too large or p too small, see Generator.negative_binomial Notes",
            ),
        ],
    ),
    "noncentral_chisquare": (
        "df nonc",
        [_at(0, _not_positive, "df <= 0"), _at(1, _negative, "nonc < 0")],
    ),
    "noncentral_f": (
        "dfnum dfden nonc",
        [
            _at(0, _not_positive, "dfnum <= 0"),
            _at(1, _not_positive, "dfden <= 0"),
            _at(2, _negative, "nonc < 0"),
        ],
    ),
    "normal": ("loc scale", _LOC_SCALE),
    "pareto": ("a", [_at(0, _not_positive, "a <= 0")]),
    "poisson": (
        "lam",
        [
            _at(0, lambda lam: ~(lam >= 0.0), "lam < 0 or lam {is NaN}"),
            _at(0, lambda lam: lam > LAM_LIMIT, "lam value too large"),
        ],
    ),
    "power": ("a", [_at(0, _not_positive, "a <= 0")]),
    "random": ("", []),
    "rayleigh": ("scale", [_at(0, _negative, "scale < 0")]),
    "standard_cauchy": ("", []),
    "standard_exponential": ("", []),
    "standard_gamma": ("shape", [_at(0, _negative, "shape < 0")]),
    "standard_normal": ("", []),
    "standard_t": ("df", [_at(0, _not_positive, "df <= 0")]),
    "triangular": (
        "left mode right",
        [
            (lambda left, mode, right: left > mode, "left > mode"),
            (lambda left, mode, right: mode > right, "mode > right"),
            (lambda left, mode, right: left == right, "left == right"),
        ],
    ),
    "uniform": ("low high", [(lambda low, high: high - low < 0.0, "high - low < 0")]),
    "vonmises": ("mu kappa", [_at(1, _negative, "kappa < 0")]),
    "wald": (
        "mean scale",
        [_at(0, _not_positive, "mean <= 0"), _at(1, _not_positive, "scale <= 0")],
    ),
    "weibull": ("a", [_at(0, _negative, "a < 0")]),
    "zipf": ("a", [_at(0, lambda a: ~(a > 1.0), "a <= 1 or a {is NaN}")]),
}
# Parameters that count things.
WHOLE = {"binomial": {0}, "hypergeometric": {0, 1, 2}}


def parameter_names(name: str) -> tuple[str, ...]:
    """Return the names of a distribution's parameters, in order.

    Examples
    --------
    >>> parameter_names("gamma")
    ('shape', 'scale')
    """
    return tuple(RULES[name][0].split())


def check_parameters(name: str, *parameters: Any) -> tuple[Array, ...]:
    """Return the parameters of a distribution as float64 or int64 arrays, if they are legal.

    Parameters
    ----------
    name : the distribution, as a method of `numpy.random.Generator`.
    parameters : array_like, each a scalar or an array; they need to broadcast.

    Raises
    ------
    ValueError
        Where a parameter is out of its range, with NumPy's message.
    OverflowError
        For "uniform", where high - low is not finite.
    TypeError
        For an array of fractions where whole numbers are wanted, or a wrong number of parameters.

    Examples
    --------
    >>> check_parameters("exponential", -1.0)
    Traceback (most recent call last):
    ...
    ValueError: scale < 0
    """
    names, checks = parameter_names(name), RULES[name][1]
    if len(parameters) != len(names):
        raise TypeError(f"{name} takes the parameters ({', '.join(names)}), not {len(parameters)}")
    arrays = tuple(
        as_whole(value) if k in WHOLE.get(name, ()) else np.asarray(value, np.float64)
        for k, value in enumerate(parameters)
    )
    scalar = all(array.ndim == 0 for array in arrays)
    with np.errstate(all="ignore"):
        if name == "uniform" and not np.isfinite(arrays[1] - arrays[0]).all():
            raise OverflowError(
                "high - low range exceeds valid bounds" if scalar else "Range exceeds valid bounds"
            )
        for bad, message in checks:
            if np.any(bad(*arrays)):
                raise ValueError(
                    message.replace("{is NaN}", "is NaN" if scalar else "contains NaNs")
                )
    return arrays


def as_whole(value: Any) -> Array:
    """Return int64: a single fraction is cut as by `int`, an array of fractions is refused.

    Examples
    --------
    >>> as_whole(5.5)
    array(5)
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return np.asarray(int(array), np.int64)
    return array.astype(np.int64, casting="safe")
