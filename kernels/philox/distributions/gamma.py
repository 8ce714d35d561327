"""Gamma draws: the normal cubed and corrected by rejection, in 1.05 attempts at most.

Algorithm: G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM
Transactions on Mathematical Software 26, 2000.
"""

from typing import Any

import numpy as np

from ...elementary.exponential import exp
from ...elementary.logarithm import log, log1p
from ...portable import select
from ..normal import legs
from ..uniform import open_unit
from .rejection import Array, Method, Stream, draw_accepted


def gamma_constants(parameters: Any) -> tuple[Any, ...]:
    """Return (d, 1 / sqrt(9 d), log d, 1 / shape or 0) for the shape; d >= 2/3.

    A shape below 1 takes the draw for shape + 1 times U**(1 / shape).

    Examples
    --------
    >>> gamma_constants((np.array([4.0 / 3.0]),))
    (array([1.]), array([0.33333333]), array([0.]), array([0.]))
    """
    shape = parameters[0]
    small = shape < 1.0
    d = shape - 1.0 / 3.0 + select(small, 1.0, 0.0)
    return d, 1.0 / np.sqrt(9.0 * d), log(d), select(small, 1.0 / shape, 0.0)


def _step(bits: tuple[Any, ...], constants: Any) -> tuple[Any, ...]:
    """Return (t, log(1 + t), log of the factor for small shapes, accepted), t = x / sqrt(9 d).

    Differences of large numbers are taken by log1p and products, so that any d is fine.
    """
    x, _ = legs(bits[0], bits[1])
    t = constants[1] * x
    positive = t > -1.0
    t = select(positive, t, 0.0)
    log_side = log1p(t)
    growth = t * (3.0 + t * (3.0 + t))  # (1 + t)**3 - 1
    bound = 0.5 * x * x + constants[0] * (3.0 * log_side - growth)
    accepted = positive & (log(open_unit(bits[2])) < bound)
    return t, log_side, log(open_unit(bits[3])) * constants[3], accepted


def attempt_gamma(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (value, accepted) for `gamma_constants`.

    Examples
    --------
    >>> bits = tuple(np.full(1, 2**50, np.uint64) for _ in range(4))
    >>> attempt_gamma(bits, (1.0, 1.0 / 3.0, 0.0, 0.0))
    (array([1.41173716]), array([ True]))
    """
    t, _, log_factor, accepted = _step(bits, constants)
    side = 1.0 + t
    return constants[0] * side * side * side * exp(log_factor), accepted


def attempt_log_gamma(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (log of the value, accepted): it does not underflow, however small the shape is.

    Examples
    --------
    >>> bits = tuple(np.full(1, 2**50, np.uint64) for _ in range(4))
    >>> attempt_log_gamma(bits, (1.0, 1.0 / 3.0, 0.0, 0.0))
    (array([0.34482097]), array([ True]))
    """
    _, log_side, log_factor, accepted = _step(bits, constants)
    return constants[2] + 3.0 * log_side + log_factor, accepted


GAMMA = Method(gamma_constants, attempt_gamma, blocks=2)
LOG_GAMMA = Method(gamma_constants, attempt_log_gamma, blocks=2)


def log_gamma(stream: Stream, shape: Array) -> Array:
    """Return logarithms of gamma draws of unit scale, for ratios of them; `shape` is positive.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(1000, dtype=np.uint64))
    >>> np.isfinite(log_gamma(stream, np.array(1e-6))).all()
    np.True_
    """
    return draw_accepted(LOG_GAMMA, stream, shape)


def standard_gamma(stream: Stream, shape: Array) -> Array:
    """Return gamma draws of unit scale; shape 0 gives 0.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> standard_gamma(stream, np.array(3.0)).mean().round(1)
    np.float64(3.0)
    """
    drawn = draw_accepted(GAMMA, stream, np.where(shape == 0.0, 1.0, shape))
    return np.where(shape == 0.0, 0.0, drawn)


def gamma(stream: Stream, shape: Array, scale: Array) -> Array:
    """Return gamma draws.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> gamma(stream, np.array(3.0), np.array(2.0)).mean().round(1)
    np.float64(6.0)
    """
    return scale * standard_gamma(stream, shape)
