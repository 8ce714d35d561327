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
from ..rounds import words
from ..uniform import ZERO, bits53, open_unit
from .rejection import Array, Method, Stream, draw_accepted


def attempt_gamma(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (d * v, accepted) for constants (d, 1 / sqrt(9 d)); d = shape - 1/3 is at least 2/3.

    v is the cube of 1 + x / sqrt(9 d) for a normal x. Differences of large numbers are taken by
    log1p and products, so that any d is fine.

    Examples
    --------
    >>> bits = tuple(np.full(1, 2**50, np.uint64) for _ in range(4))
    >>> attempt_gamma(bits, (1.0, 1.0 / 3.0))
    (array([1.41173716]), array([ True]))
    """
    d, c = constants[0], constants[1]
    x, _ = legs(bits[0], bits[1])
    t = c * x
    positive = t > -1.0
    t = select(positive, t, 0.0)
    growth = t * (3.0 + t * (3.0 + t))  # v - 1
    bound = 0.5 * x * x + d * (3.0 * log1p(t) - growth)
    side = 1.0 + t
    return d * side * side * side, positive & (log(open_unit(bits[2])) < bound)


GAMMA = Method(attempt_gamma, blocks=2)


def gamma_and_boost(stream: Stream, shape: Array) -> tuple[Array, Any]:
    """Return (g, b) such that g * exp(b) is gamma distributed; b = 0 where shape >= 1.

    A shape below 1 takes the draw for shape + 1 times U**(1 / shape). Kept apart, the factors do
    not underflow, so ratios of gammas of tiny shapes stay finite. `shape` is positive.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(3, dtype=np.uint64))
    >>> gamma_and_boost(stream, np.array(2.0))[1]
    0.0
    """
    small = shape < 1.0
    d = shape + small - 1.0 / 3.0
    drawn = draw_accepted(GAMMA, stream, d, 1.0 / np.sqrt(9.0 * d))
    if not np.any(small):
        return drawn, 0.0
    w0, w1, _, _ = words(*stream.key, stream.index, ZERO, np.uint64(stream.stage))
    return drawn, np.where(small, log(open_unit(bits53(w0, w1))) / shape, 0.0)


def standard_gamma(stream: Stream, shape: Array) -> Array:
    """Return gamma draws of unit scale; shape 0 gives 0.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> standard_gamma(stream, np.array(3.0)).mean().round(1)
    np.float64(3.0)
    """
    drawn, boost = gamma_and_boost(stream, np.where(shape == 0.0, 1.0, shape))
    return np.where(shape == 0.0, 0.0, drawn * exp(boost) if np.ndim(boost) else drawn)


def gamma(stream: Stream, shape: Array, scale: Array) -> Array:
    """Return gamma draws.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> gamma(stream, np.array(3.0), np.array(2.0)).mean().round(1)
    np.float64(6.0)
    """
    return scale * standard_gamma(stream, shape)
