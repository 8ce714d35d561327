"""Distributions made of draws of others: each part takes a stage of its own.

Ratios of gammas are taken between parts that cannot underflow (see `gamma_and_boost`).
"""

from typing import Any

import numpy as np

from ...elementary.exponential import exp, expm1
from ...elementary.logarithm import log, log1p
from ..normal import legs, normal
from ..rounds import words
from ..uniform import ONE, UNIT53, ZERO, bits53, open_unit
from .counts import as_counts, poisson
from .gamma import gamma, gamma_and_boost, standard_gamma
from .rejection import Array, Stream

LARGEST_LAM = 9.2e18


def _ratio(stream: Stream, above: Array, below: Array) -> Array:
    """Return the ratio of two independent gamma draws of these shapes: stages 0 and 1."""
    top, top_boost = gamma_and_boost(stream.at(0), above)
    bottom, bottom_boost = gamma_and_boost(stream.at(1), below)
    boost = top_boost - bottom_boost
    return top / bottom * exp(boost) if np.ndim(boost) else top / bottom


def beta(stream: Stream, a: Array, b: Array) -> Array:
    """Return beta draws.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> beta(stream, np.array(1.0), np.array(3.0)).mean().round(2)
    np.float64(0.25)
    """
    return 1.0 / (1.0 + _ratio(stream, b, a))


def f(stream: Stream, dfnum: Array, dfden: Array) -> Array:
    """Return draws of Fisher's F.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> np.median(f(stream, np.array(9.0), np.array(9.0))).round(1)
    np.float64(1.0)
    """
    return _ratio(stream, dfnum / 2.0, dfden / 2.0) * (dfden / dfnum)


def chisquare(stream: Stream, df: Array) -> Array:
    """Return chi-square draws.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> chisquare(stream, np.array(3.0)).mean().round(1)
    np.float64(3.0)
    """
    return 2.0 * standard_gamma(stream, df / 2.0)


def noncentral_chisquare(stream: Stream, df: Array, nonc: Array) -> Array:
    """Return noncentral chi-square draws: a Poisson mixture of chi-squares, stages 1 and 0.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> abs(noncentral_chisquare(stream, np.array(3.0), np.array(2.0)).mean() - 5.0) < 0.2
    np.True_
    """
    known = np.isfinite(nonc)
    extra = poisson(stream.at(1), np.where(known, nonc, 0.0) / 2.0)
    return np.where(known, chisquare(stream.at(0), df + 2.0 * extra), np.nan)


def noncentral_f(stream: Stream, dfnum: Array, dfden: Array, nonc: Array) -> Array:
    """Return noncentral F draws.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> shape = np.array(9.0)
    >>> np.median(noncentral_f(stream, shape, shape, np.array(9.0))) > 1.5
    np.True_
    """
    above = noncentral_chisquare(stream, dfnum, nonc)
    return above / dfnum / (chisquare(stream.at(2), dfden) / dfden)


def standard_t(stream: Stream, df: Array) -> Array:
    """Return draws of Student's t.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> abs(np.median(standard_t(stream, np.array(3.0)))) < 0.05
    np.True_
    """
    half = df / 2.0
    drawn, boost = gamma_and_boost(stream.at(1), half)
    scale = np.sqrt(half / drawn)
    return stream.draws(normal) * (scale * exp(-boost / 2.0) if np.ndim(boost) else scale)


def negative_binomial(stream: Stream, n: Array, p: Array) -> Array:
    """Return negative binomial draws as int64: a gamma mixture of Poissons, stages 0 and 1.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> negative_binomial(stream, np.array(2.0), np.array(0.5)).mean().round(1)
    np.float64(2.0)
    """
    lam = gamma(stream.at(0), n, (1.0 - p) / p)
    return poisson(stream.at(1), np.minimum(lam, LARGEST_LAM))


def wald(stream: Stream, mean: Array, scale: Array) -> Array:
    """Return inverse Gaussian draws.

    Algorithm: J. R. Michael, W. R. Schucany, R. W. Haas, "Generating random variates using
    transformations with multiple roots", The American Statistician 30, 1976; the smaller root is
    written without cancellation.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> abs(wald(stream, np.array(3.0), np.array(9.0)).mean() - 3.0) < 0.1
    np.True_
    """
    first, second = _bits_of_block(stream, draw=0)
    z, _ = legs(first, second)
    p = mean * z * z / (4.0 * scale)
    side = np.sqrt(p) + np.sqrt(p + 1.0)
    smaller = mean / (side * side)
    u = _bits_of_block(stream, draw=1)[0] * UNIT53
    return np.where(u * (mean + smaller) <= mean, smaller, mean * (mean / smaller))


def logseries(stream: Stream, p: Array) -> Array:
    """Return logarithmic series draws as int64.

    Algorithm: A. W. Kemp, "Efficient generation of logarithmically distributed pseudo-random
    variables", Applied Statistics 30, 1981 (method LK).

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> logseries(stream, np.array(0.5)).mean().round(1)
    np.float64(1.4)
    """
    first, second = _bits_of_block(stream, draw=0)
    v, u = open_unit(first), open_unit(second)
    q = np.maximum(-expm1(log1p(-p) * u), 1e-300)
    tail = np.floor(1.0 + log(v) / log(q))
    return as_counts(np.where(v >= q, 1.0, np.where(v >= q * q, 2.0, np.maximum(tail, 1.0))))


def _bits_of_block(stream: Stream, draw: int) -> tuple[Any, Any]:
    """Return two 53-bit integers of each element's own block."""
    stage = np.uint64(stream.stage)
    w0, w1, w2, w3 = words(*stream.key, stream.index, ONE if draw else ZERO, stage)
    return bits53(w0, w1), bits53(w2, w3)
