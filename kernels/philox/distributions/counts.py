"""Poisson, binomial and hypergeometric draws, by one ratio-of-uniforms method for all parameters.

With u in (0, 1] and v in [-1/2, 1/2) the candidate is floor(mean + 1/2 + width * v / u); it is
accepted if u**2 is at most its probability over that of the mode. It takes 1.4 to 4.2 candidates
on average. Algorithm and width: E. Stadlober, "The ratio of uniforms approach for generating
discrete random variates", Journal of Computational and Applied Mathematics 31, 1990.
"""

from typing import Any

import numpy as np

from ...elementary.fractions import unit53
from ...elementary.logarithm import log, log1p, stirling_tail
from ..uniform import open_unit
from .rejection import Array, Method, Stream, draw_accepted

WIDTH_FACTOR = 2.0 * np.sqrt(2.0 / np.e)
WIDTH_OFFSET = 3.0 - 2.0 * np.sqrt(3.0 / np.e)
LARGEST = 9223372036854774784.0  # the largest float64 that int64 holds
TINY = 1e-280  # stands for 0 where a logarithm follows: such an event never happens


def as_counts(values: Any) -> Array:
    """Return whole float64 numbers as int64; what is too large for it becomes its largest value.

    Examples
    --------
    >>> as_counts(np.array([2.0, 1e30]))
    array([                  2, 9223372036854775807])
    """
    fits = values <= LARGEST
    return np.where(fits, np.where(fits, values, 0.0).astype(np.int64), np.iinfo(np.int64).max)


def candidate(bits: tuple[Any, ...], center: Any, width: Any) -> tuple[Any, Any]:
    """Return (k, 2 log u): a candidate and the bound that its log probability has to reach.

    Examples
    --------
    >>> candidate((np.array([2**52], np.uint64), np.array([2**52], np.uint64)), 3.5, 2.0)[0]
    array([3.])
    """
    u = open_unit(bits[0])
    v = unit53(bits[1]) - 0.5
    return np.floor(center + width * (v / u)), 2.0 * log(u)


def factorial_curve(k: Any, mode: Any) -> Any:
    """Return log(k! / mode!) less its tangent at the mode, but for a constant of the mode.

    That is h log(h / m) - (h - m) + tail(h) for h = k + 1/2, m = mode + 1/2: no difference of large
    numbers, so it holds for any mode. Add `factorial_slope` * (k - mode) and `- tail(m)`.

    Examples
    --------
    >>> factorial_curve(np.array([3.0]), 3.0) - stirling_tail(3.5)
    array([0.])
    """
    h, m = k + 0.5, mode + 0.5
    change = k - mode
    return h * log1p(change / m) - change + stirling_tail(h)


def width_of(variance: Any) -> Any:
    """Return the width of the rectangle around the acceptance region.

    Examples
    --------
    >>> width_of(9.5).round(3)
    np.float64(6.324)
    """
    return WIDTH_FACTOR * np.sqrt(variance + 0.5) + WIDTH_OFFSET


def attempt_poisson(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (k, accepted) for constants (center, width, mode, slope, offset).

    Examples
    --------
    >>> middle = np.array([2**52], np.uint64)
    >>> attempt_poisson((middle, middle), (3.5, 5.0, 3.0, 0.0, stirling_tail(3.5)))
    (array([3.]), array([ True]))
    """
    center, width, mode = constants[0], constants[1], constants[2]
    k, bound = candidate(bits, center, width)
    inside = k >= 0.0
    k = np.maximum(k, 0.0)
    log_ratio = constants[3] * (k - mode) + constants[4] - factorial_curve(k, mode)
    return k, inside & (bound <= log_ratio)


def poisson_constants(parameters: Any) -> tuple[Any, ...]:
    """Return (center, width, mode, slope, offset) for the mean.

    Examples
    --------
    >>> center, width, mode, slope, offset = poisson_constants((np.array([3.5]),))
    >>> center, mode, slope
    (array([4.]), array([3.]), array([0.]))
    """
    lam = np.maximum(parameters[0], TINY)
    mode = np.floor(lam)
    slope = log(lam / (mode + 0.5))
    return lam + 0.5, width_of(lam), mode, slope, stirling_tail(mode + 0.5)


POISSON = Method(poisson_constants, attempt_poisson, blocks=1)


def poisson(stream: Stream, lam: Array) -> Array:
    """Return Poisson draws as int64.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> poisson(stream, np.array(4.0)).mean().round(1)
    np.float64(4.0)
    """
    return as_counts(draw_accepted(POISSON, stream, lam))


def attempt_binomial(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (k, accepted) for constants (center, width, mode, slope, offset, n).

    Examples
    --------
    >>> middle = np.array([2**52], np.uint64)
    >>> attempt_binomial((middle, middle), (2.5, 4.0, 2.0, 0.0, 2 * stirling_tail(2.5), 4.0))
    (array([2.]), array([ True]))
    """
    center, width, mode, n = constants[0], constants[1], constants[2], constants[5]
    k, bound = candidate(bits, center, width)
    inside = (k >= 0.0) & (k <= n)
    k = np.minimum(np.maximum(k, 0.0), n)
    curves = factorial_curve(k, mode) + factorial_curve(n - k, n - mode)
    log_ratio = constants[3] * (k - mode) + constants[4] - curves
    return k, inside & (bound <= log_ratio)


def binomial_constants(parameters: Any) -> tuple[Any, ...]:
    """Return (center, width, mode, slope, offset, n) for n and p <= 1/2.

    Examples
    --------
    >>> constants = binomial_constants((np.array([4.0]), np.array([0.5])))
    >>> [float(constants[k][0]) for k in (0, 2, 3, 5)]
    [2.5, 2.0, 0.0, 4.0]
    """
    n, p = parameters[0], np.maximum(parameters[1], TINY)
    mode = np.minimum(np.floor((n + 1.0) * p), n)
    m, rest = mode + 0.5, n - mode + 0.5
    slope = log(p / (1.0 - p) * (rest / m))
    offset = stirling_tail(m) + stirling_tail(rest)
    return n * p + 0.5, width_of(n * p * (1.0 - p)), mode, slope, offset, n


BINOMIAL = Method(binomial_constants, attempt_binomial, blocks=1)


def binomial(stream: Stream, n: Array, p: Array) -> Array:
    """Return binomial draws as int64.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> binomial(stream, np.array(10), np.array(0.25)).mean().round(1)
    np.float64(2.5)
    """
    mirrored = p > 0.5
    n = np.asarray(n, np.float64)
    drawn = draw_accepted(BINOMIAL, stream, n, np.where(mirrored, 1.0 - p, p))
    return as_counts(np.where(mirrored, n - drawn, drawn))


def attempt_hypergeometric(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (k, accepted) for (center, width, mode, slope, offset, good, sample, surplus).

    `surplus` is bad - sample, so that surplus + k of the bad ones stay behind.

    Examples
    --------
    >>> middle = np.array([2**52], np.uint64)
    >>> constants = (1.5, 3.0, 1.0, 0.0, 4 * stirling_tail(1.5), 2.0, 2.0, 0.0)
    >>> attempt_hypergeometric((middle, middle), constants)
    (array([1.]), array([ True]))
    """
    center, width, mode = constants[0], constants[1], constants[2]
    good, sample, surplus = constants[5], constants[6], constants[7]
    k, bound = candidate(bits, center, width)
    lowest, highest = np.maximum(0.0, -surplus), np.minimum(good, sample)
    inside = (k >= lowest) & (k <= highest)
    k = np.minimum(np.maximum(k, lowest), highest)
    curves = (
        factorial_curve(k, mode)
        + factorial_curve(good - k, good - mode)
        + factorial_curve(sample - k, sample - mode)
        + factorial_curve(surplus + k, surplus + mode)
    )
    log_ratio = constants[3] * (k - mode) + constants[4] - curves
    return k, inside & (bound <= log_ratio)


def hypergeometric_constants(parameters: Any) -> tuple[Any, ...]:
    """Return (center, width, mode, slope, offset, good, sample, surplus) for (good, bad, sample).

    Examples
    --------
    >>> two = np.array([2.0])
    >>> constants = hypergeometric_constants((two, two, two))
    >>> [float(constants[k][0]) for k in (0, 2, 3, 7)]
    [1.5, 1.0, 0.0, 0.0]
    """
    good, bad, sample = parameters[0], parameters[1], parameters[2]
    total = good + bad
    share = good / np.maximum(total, 1.0)
    mean = sample * share
    variance = mean * (1.0 - share) * (total - sample) / np.maximum(total - 1.0, 1.0)
    mode = np.floor((good + 1.0) * (sample + 1.0) / (total + 2.0))
    mode = np.minimum(np.maximum(mode, np.maximum(0.0, sample - bad)), np.minimum(good, sample))
    surplus = bad - sample
    taken, left = mode + 0.5, good - mode + 0.5
    unsampled, behind = sample - mode + 0.5, surplus + mode + 0.5
    slope = log(left / taken * (unsampled / behind))
    offset = (stirling_tail(taken) + stirling_tail(left)) + (
        stirling_tail(unsampled) + stirling_tail(behind)
    )
    return mean + 0.5, width_of(variance), mode, slope, offset, good, sample, surplus


HYPERGEOMETRIC = Method(hypergeometric_constants, attempt_hypergeometric, blocks=1)


def hypergeometric(stream: Stream, good: Array, bad: Array, sample: Array) -> Array:
    """Return hypergeometric draws as int64: how many of a sample are good.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> hypergeometric(stream, np.array(5), np.array(15), np.array(8)).mean().round(1)
    np.float64(2.0)
    """
    return as_counts(draw_accepted(HYPERGEOMETRIC, stream, good, bad, sample))
