"""Distributions made of draws of others: each part takes a stage of its own.

Ratios of gammas are taken as differences of logarithms, which do not underflow.
"""

from typing import Any

import numpy as np

from ...elementary.exponential import exp, expm1
from ...elementary.fractions import unit53
from ...elementary.logarithm import log, log1p
from ...portable import select
from ..normal import legs, normal
from ..uniform import open_unit
from .counts import TINY, as_counts, poisson
from .gamma import gamma, log_gamma, standard_gamma
from .rejection import Array, Method, Stream, draw_accepted

LARGEST_LAM = 9.2e18


def _log_gammas(stream: Stream, one: Array, other: Array) -> tuple[Array, Array]:
    """Return the logarithms of two independent gamma draws of these shapes: stages 0 and 1."""
    return log_gamma(stream.at(0), one), log_gamma(stream.at(1), other)


def _share(logs: Any) -> tuple[Any, ...]:
    return (1.0 / (1.0 + exp(logs[1] - logs[0])),)


def _ratio(logs: Any) -> tuple[Any, ...]:
    return (exp(logs[0] - logs[1]),)


def beta(stream: Stream, a: Array, b: Array) -> Array:
    """Return beta draws.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> beta(stream, np.array(1.0), np.array(3.0)).mean().round(2)
    np.float64(0.25)
    """
    return stream.evaluate(_share, *_log_gammas(stream, a, b))[0]


def f(stream: Stream, dfnum: Array, dfden: Array) -> Array:
    """Return draws of Fisher's F.

    Examples
    --------
    >>> stream = Stream((1, 2), np.arange(10_000, dtype=np.uint64))
    >>> np.median(f(stream, np.array(9.0), np.array(9.0))).round(1)
    np.float64(1.0)
    """
    ratio = stream.evaluate(_ratio, *_log_gammas(stream, dfnum / 2.0, dfden / 2.0))[0]
    return ratio * (dfden / dfnum)


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
    logs = log_gamma(stream.at(1), df / 2.0)
    return stream.evaluate(_student, stream.draws(normal), df, logs)[0]


def _student(parts: Any) -> tuple[Any, ...]:
    # sqrt of half the degrees of freedom over the gamma draw
    return (parts[0] * np.sqrt(0.5 * parts[1]) * exp(-0.5 * parts[2]),)


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


def attempt_wald(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (value, True) for constants (mean, scale): one attempt is enough.

    Examples
    --------
    >>> zeros = (np.zeros(1, np.uint64),) * 4
    >>> attempt_wald(zeros, (3.0, 2.0))
    (array([3.]), array([ True]))
    """
    mean, scale = constants[0], constants[1]
    z, _ = legs(bits[0], bits[1])
    p = mean * z * z / (4.0 * scale)
    side = np.sqrt(p) + np.sqrt(p + 1.0)
    smaller = mean / (side * side)
    u = unit53(bits[2])
    value = select(u * (mean + smaller) <= mean, smaller, mean * (mean / smaller))
    return value, u < 1.0


def _unchanged(parameters: Any) -> tuple[Any, ...]:
    return parameters[0], parameters[1]


WALD = Method(_unchanged, attempt_wald, blocks=2)


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
    return draw_accepted(WALD, stream, mean, scale)


def attempt_logseries(bits: tuple[Any, ...], constants: Any) -> tuple[Any, Any]:
    """Return (k, True) for the constant log(1 - p): one attempt is enough.

    Examples
    --------
    >>> middle = np.array([2**52], np.uint64)
    >>> attempt_logseries((middle, middle), (-0.7,))
    (array([1.]), array([ True]))
    """
    v, u = open_unit(bits[0]), open_unit(bits[1])
    q = np.maximum(-expm1(constants[0] * u), TINY)
    beyond = np.maximum(np.floor(1.0 + log(v) / log(q)), 1.0)
    return select(v >= q, 1.0, select(v >= q * q, 2.0, beyond)), v < 1.0


def _log_of_rest(parameters: Any) -> tuple[Any, ...]:
    return (log1p(-parameters[0]),)


LOGSERIES = Method(_log_of_rest, attempt_logseries, blocks=1)


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
    return as_counts(draw_accepted(LOGSERIES, stream, p))
