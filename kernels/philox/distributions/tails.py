"""Zipf draws and draws of von Mises angles, by rejection from an invertible hat."""

from typing import Any

import numpy as np

from ...elementary.circle import cosine_sine
from ...elementary.exponential import exp, expm1
from ...elementary.fractions import unit53
from ...elementary.logarithm import log, log1p
from ...portable import select
from ..uniform import ONE, open_unit
from .counts import LARGEST, as_counts
from .rejection import Array, Method, Stream, draw_accepted

LOG_2 = 0.6931471805599453
LOG_LARGEST = 63.0 * LOG_2
STEEPEST = 1025.0  # from this exponent on, 2 is as good as impossible


def attempt_zipf(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (k, accepted) for constants (a - 1, probability of the hat beyond int64).

    Algorithm: L. Devroye, "Non-uniform random variate generation", 1986, section X.6.1.

    Examples
    --------
    >>> attempt_zipf((np.zeros(1, np.uint64), np.zeros(1, np.uint64)), (1.0, 1e-19))
    (array([1.]), array([ True]))
    """
    exponent, beyond = constants[0], constants[1]
    u = open_unit(bits[0])
    k = np.floor(exp(log(u * beyond + (1.0 - u)) / -exponent))
    inside = (k >= 1.0) & (k <= LARGEST)
    k = select(inside, k, 1.0)
    growth = expm1(exponent * log1p(1.0 / k))  # (1 + 1 / k)**exponent - 1
    limit = expm1(exponent * LOG_2)
    v = unit53(bits[1])
    return k, inside & (v * k * growth * (1.0 + limit) <= limit * (1.0 + growth))


def zipf_constants(parameters: Any) -> tuple[Any, ...]:
    """Return (a - 1, probability of the hat beyond int64) for the exponent a.

    Examples
    --------
    >>> zipf_constants((np.array([2.0]),))
    (array([1.]), array([1.08420217e-19]))
    """
    exponent = parameters[0] - 1.0
    return exponent, exp(exponent * -LOG_LARGEST)


ZIPF = Method(zipf_constants, attempt_zipf, blocks=1)


def zipf(stream: Stream, a: Array) -> Array:
    """Return Zipf draws as int64.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> (zipf(stream, np.array(2.0)) == 1).mean().round(1)
    np.float64(0.6)
    """
    steep = a >= STEEPEST
    drawn = draw_accepted(ZIPF, stream, np.where(steep, 2.0, a))
    return as_counts(np.where(steep, 1.0, drawn))


def attempt_vonmises(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (tan(angle / 2), accepted) for constants (rho, (1 - rho) / (1 + rho), weight).

    The hat is the wrapped Cauchy distribution, in half angles.

    Examples
    --------
    >>> attempt_vonmises((np.zeros(1, np.uint64), np.zeros(1, np.uint64)), (0.5, 1 / 3, 1.0))
    (array([0.]), array([ True]))
    """
    rho, ratio, weight = constants[0], constants[1], constants[2]
    cosine, sine = cosine_sine(bits[0] >> ONE)  # of half the hat's angle
    whole = cosine * cosine - sine * sine
    narrow = (1.0 - rho) * (1.0 + rho)
    y = weight * narrow * narrow / (1.0 + rho * (rho + 2.0 * whole))
    accepted = log(open_unit(bits[1])) <= log(y) + 1.0 - y
    return ratio * sine / cosine, accepted


def vonmises_constants(parameters: Any) -> tuple[Any, ...]:
    """Return (rho, (1 - rho) / (1 + rho), weight) of the hat for a concentration.

    Written without cancellation, so that any concentration is fine.

    Examples
    --------
    >>> vonmises_constants((np.array([0.0]),))
    (array([0.]), array([1.]), array([1.]))
    """
    kappa = np.minimum(parameters[0], 1e150)  # its square stays finite
    root = np.sqrt(1.0 + 4.0 * kappa * kappa)
    r = 1.0 + root
    side = r + np.sqrt(2.0 * r)
    rho = 2.0 * kappa / side
    missing = (1.0 + 1.0 / (root + 2.0 * kappa) + np.sqrt(2.0 * r)) / side  # 1 - rho
    return 1.0 - missing, missing / (1.0 + rho), side / 4.0


VONMISES = Method(vonmises_constants, attempt_vonmises, blocks=1)


def vonmises(stream: Stream, mu: Array, kappa: Array) -> Array:
    """Return von Mises angles in [-pi, pi]; a concentration of 0 is uniform on the circle.

    Algorithm: D. J. Best and N. I. Fisher, "Efficient simulation of the von Mises distribution",
    Applied Statistics 28, 1979.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> abs(vonmises(stream, np.array(0.5), np.array(9.0)).mean() - 0.5) < 0.02
    np.True_
    """
    angle = 2.0 * np.arctan(draw_accepted(VONMISES, stream, kappa)) + mu
    return angle - 2.0 * np.pi * np.round(angle / (2.0 * np.pi))
