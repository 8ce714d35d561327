"""Distributions that are a formula of one uniform, normal or exponential draw.

A formula takes the namespace of its functions first (`numpy`, or one of lazy arrays), then the
draw and the parameters, which may be scalars or arrays: the same text computes chunks and builds
elementwise expressions, which fuse.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

NEARLY_ONE = 1.0 - 2.0**-53
TWO_TO_63 = 2.0**63


@dataclass(frozen=True)
class Transform:
    """A distribution as a formula.

    Attributes
    ----------
    base : "uniform" in [0, 1), "open_uniform" in (0, 1), "normal", or "exponential" (never 0).
    formula : (xp, draw, *parameters) -> values.
    """

    base: str
    formula: Callable[..., Any]


def _gumbel(xp: Any, e: Any, loc: Any, scale: Any) -> Any:
    return loc - scale * xp.log(e)


def _laplace(xp: Any, u: Any, loc: Any, scale: Any) -> Any:
    centered = 2.0 * u - 1.0  # exact
    return loc - scale * xp.sign(centered) * xp.log1p(-xp.abs(centered))


def _logistic(xp: Any, e: Any, loc: Any, scale: Any) -> Any:
    return loc + scale * xp.log(xp.expm1(e))


def _weibull(xp: Any, e: Any, a: Any) -> Any:
    # exp and log, since `**` rounds differently for a scalar and an array of the same exponent
    none = xp.equal(a, 0.0)
    return xp.where(none, 0.0, xp.exp(xp.log(e) / xp.where(none, 1.0, a)))


def _triangular(xp: Any, u: Any, left: Any, mode: Any, right: Any) -> Any:
    base = right - left
    rising = left + xp.sqrt(u * base * (mode - left))
    falling = right - xp.sqrt((1.0 - u) * base * (right - mode))
    return xp.where(u * base <= mode - left, rising, falling)


def _geometric(xp: Any, e: Any, p: Any) -> Any:
    # p = 1 would divide by infinity; the nearest number below gives 1 as well
    trials = xp.maximum(1.0, xp.ceil(-e / xp.log1p(-xp.minimum(p, NEARLY_ONE))))
    fits = trials < TWO_TO_63
    return xp.where(fits, xp.where(fits, trials, 0.0).astype(np.int64), np.iinfo(np.int64).max)


TRANSFORMS: dict[str, Transform] = {
    "random": Transform("uniform", lambda xp, u: u),
    "uniform": Transform("uniform", lambda xp, u, low, high: low + (high - low) * u),
    "standard_normal": Transform("normal", lambda xp, z: z),
    "normal": Transform("normal", lambda xp, z, loc, scale: loc + scale * z),
    "lognormal": Transform("normal", lambda xp, z, mean, sigma: xp.exp(mean + sigma * z)),
    "standard_exponential": Transform("exponential", lambda xp, e: e),
    "exponential": Transform("exponential", lambda xp, e, scale: scale * e),
    "gumbel": Transform("exponential", _gumbel),
    "laplace": Transform("open_uniform", _laplace),
    "logistic": Transform("exponential", _logistic),
    "pareto": Transform("exponential", lambda xp, e, a: xp.expm1(e / a)),
    "power": Transform("exponential", lambda xp, e, a: xp.exp(-e / a)),
    "rayleigh": Transform("exponential", lambda xp, e, scale: scale * xp.sqrt(2.0 * e)),
    "weibull": Transform("exponential", _weibull),
    "triangular": Transform("uniform", _triangular),
    "standard_cauchy": Transform("open_uniform", lambda xp, u: xp.tan(np.pi * (u - 0.5))),
    "geometric": Transform("exponential", _geometric),
}
