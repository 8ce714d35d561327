"""Statistical tests of `scipy.stats`: moments are lazy and fuse, SciPy gives the probabilities.

Results are pairs of lazy arrays, ``statistic`` and ``pvalue``; SciPy is needed when the
probabilities are computed, on one number for each test.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpuscale.array.api.averages import mean, var
from gpuscale.array.api.elementwise import log, sqrt, where
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.reductions import sum as _sum
from gpuscale.array.api.reshaping import ravel
from gpuscale.array.api.statistics import moment as _moment
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, as_arrays, as_given
from gpuscale.backends.seams import backend_name
from gpuscale.backends.transfer import to_device, to_host
from gpuscale.base.errors import NotSupportedError
from gpuscale.chunks.axes import normalize_axis

__all__ = [
    "chisquare",
    "f_oneway",
    "kurtosis",
    "kurtosistest",
    "moment",
    "normaltest",
    "power_divergence",
    "skew",
    "skewtest",
    "ttest_1samp",
    "ttest_ind",
    "ttest_rel",
]


class Outcome(NamedTuple):
    """A test statistic and how likely one at least as extreme is if the hypothesis holds."""

    statistic: Array
    pvalue: Array


def _samples(a: Any, axis: int | None, nan_policy: str = "propagate") -> tuple[Array, int, int]:
    """The array, its axis, and how many observations there are along it."""
    if nan_policy != "propagate":
        raise NotSupportedError(
            f"nan_policy={nan_policy!r} is not supported; drop NaN first, or propagate them"
        )
    x = as_array(a).compute_chunk_sizes()
    if axis is None:
        x, axis = ravel(x), 0
    axis = normalize_axis(axis, x.ndim)
    x = x if x.dtype.kind in "fc" else x.astype(float)
    return x, axis, x.shape[axis]


def _probability(
    distribution: str, statistic: Array, *shape: Any, two_sided: bool = False
) -> Array:
    """Probability of a larger value, of a larger magnitude if two-sided."""
    return map_blocks(
        _survival, statistic, *shape, name=distribution, law=distribution, two_sided=two_sided,
        dtype=np.float64,
    )  # fmt: skip


def _survival(statistic: Any, *shape: Any, law: str, two_sided: bool) -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise ImportError(
            f"probabilities need SciPy ({error}); install it with 'pip install scipy'"
        ) from error
    family = getattr(stats, law)
    on_host, *given = to_host([statistic, *shape])
    if two_sided:
        result = 2 * family.sf(np.abs(on_host), *given)
    else:
        result = family.sf(on_host, *given)
    return to_device(result, backend_name(statistic))


# --- moments -------------------------------------------------------------------------------------


def moment(a: Any, moment: int = 1, axis: int | None = 0, nan_policy: str = "propagate") -> Array:
    """Central moment of some order along an axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.stats.moment(ga.arange(5, chunks=2), 2).compute()
    np.float64(2.0)
    """
    x, axis, _ = _samples(a, axis, nan_policy)
    return _moment(x, moment, axis)


def _standardized(x: Array, axis: int, order: int) -> Array:
    """Central moment over a power of the variance; NaN where all elements are alike."""
    center = mean(x, axis, keepdims=True)
    off = x - center
    square = mean(off**2, axis)
    ratio = mean(off**order, axis) / square ** (order / 2)
    alike = square <= (np.finfo(x.dtype).resolution * mean(x, axis)) ** 2
    return where(alike, np.nan, ratio)


def skew(a: Any, axis: int | None = 0, bias: bool = True, nan_policy: str = "propagate") -> Array:
    """Skewness along an axis, corrected for its bias if ``bias`` is False.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.stats.skew(ga.asarray([1.0, 2.0, 3.0])).compute()
    np.float64(0.0)
    """
    x, axis, n = _samples(a, axis, nan_policy)
    result = _standardized(x, axis, 3)
    if not bias and n > 2:
        result = result * (np.sqrt((n - 1.0) * n) / (n - 2.0))
    return result


def kurtosis(
    a: Any,
    axis: int | None = 0,
    fisher: bool = True,
    bias: bool = True,
    nan_policy: str = "propagate",
) -> Array:
    """Kurtosis along an axis, less 3 if ``fisher``, corrected for its bias if not ``bias``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.stats.kurtosis(ga.asarray([1.0, 1.0, 3.0, 3.0])).compute()
    np.float64(-2.0)
    """
    x, axis, n = _samples(a, axis, nan_policy)
    result = _standardized(x, axis, 4)
    if not bias and n > 3:
        excess = (n**2 - 1.0) * result - 3 * (n - 1.0) ** 2
        result = excess / ((n - 2.0) * (n - 3.0)) + 3.0
    return result - 3.0 if fisher else result


# --- is it normal --------------------------------------------------------------------------------


def skewtest(a: Any, axis: int | None = 0, nan_policy: str = "propagate") -> Outcome:
    """Test whether the skewness is that of a normal distribution, two-sided.

    Notes
    -----
    D'Agostino, Belanger and D'Agostino, "A suggestion for using powerful and informative tests
    of normality", 1990.

    Raises
    ------
    ValueError
        If there are fewer than 8 observations.
    """
    x, axis, n = _samples(a, axis, nan_policy)
    if n < 8:
        raise ValueError(f"skewtest needs at least 8 observations, got {n}")
    y = skew(x, axis) * np.sqrt((n + 1) * (n + 3) / (6.0 * (n - 2)))
    beta2 = 3.0 * (n**2 + 27 * n - 70) * (n + 1) * (n + 3)
    beta2 /= (n - 2.0) * (n + 5) * (n + 7) * (n + 9)
    w2 = -1 + np.sqrt(2 * (beta2 - 1))
    y = where(y == 0, 1.0, y) / np.sqrt(2.0 / (w2 - 1))
    z = log(y + sqrt(y**2 + 1)) / np.sqrt(0.5 * np.log(w2))
    return Outcome(z, _probability("norm", z, two_sided=True))


def kurtosistest(a: Any, axis: int | None = 0, nan_policy: str = "propagate") -> Outcome:
    """Test whether the kurtosis is that of a normal distribution, two-sided.

    Notes
    -----
    Anscombe and Glynn, "Distribution of the kurtosis statistic b2 for normal samples", 1983.

    Raises
    ------
    ValueError
        If there are fewer than 5 observations.
    """
    x, axis, n = _samples(a, axis, nan_policy)
    if n < 5:
        raise ValueError(f"kurtosistest needs at least 5 observations, got {n}")
    b2 = kurtosis(x, axis, fisher=False)
    expected = 3.0 * (n - 1) / (n + 1)
    spread = 24.0 * n * (n - 2) * (n - 3) / ((n + 1) ** 2.0 * (n + 3) * (n + 5))
    y = (b2 - expected) / np.sqrt(spread)
    root = np.sqrt(6.0 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    skewness = 6.0 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9)) * root
    degrees = 6.0 + 8.0 / skewness * (2.0 / skewness + np.sqrt(1 + 4.0 / skewness**2))
    below = 1 + y * np.sqrt(2 / (degrees - 4.0))
    cube = (1 - 2.0 / degrees) / abs(below)
    third = where(below == 0, np.nan, where(below < 0, -1.0, 1.0) * cube ** (1 / 3.0))
    z = (1 - 2 / (9.0 * degrees) - third) / np.sqrt(2 / (9.0 * degrees))
    return Outcome(z, _probability("norm", z, two_sided=True))


def normaltest(a: Any, axis: int | None = 0, nan_policy: str = "propagate") -> Outcome:
    """Test skewness and kurtosis together for a normal distribution.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.random.default_rng(0).normal(size=1000, chunks=300)
    >>> bool(ga.stats.normaltest(x).pvalue > 0.001)
    True
    """
    s, k = skewtest(a, axis, nan_policy).statistic, kurtosistest(a, axis, nan_policy).statistic
    total = s * s + k * k
    return Outcome(total, _probability("chi2", total, 2))


# --- means ---------------------------------------------------------------------------------------


def ttest_1samp(
    a: Any, popmean: Any, axis: int | None = 0, nan_policy: str = "propagate"
) -> Outcome:
    """Test whether a mean is ``popmean``, two-sided.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.stats.ttest_1samp(ga.asarray([1.0, 2.0, 3.0]), 2.0).statistic.compute()
    np.float64(0.0)
    """
    if np.ndim(popmean):
        a, popmean = as_arrays((a, popmean), "ttest_1samp")
    x, axis, n = _samples(a, axis, nan_policy)
    t = (mean(x, axis) - popmean) / sqrt(var(x, axis, ddof=1) / n)
    return Outcome(t, _probability("t", t, n - 1, two_sided=True))


def ttest_rel(a: Any, b: Any, axis: int | None = 0, nan_policy: str = "propagate") -> Outcome:
    """Test whether two related samples have one mean, two-sided.

    Raises
    ------
    ValueError
        If the samples do not have as many observations.
    """
    a, b = as_arrays((a, b), "ttest_rel")
    x, along, n = _samples(a, axis, nan_policy)
    y, _, m = _samples(b, axis, nan_policy)
    if n != m:
        raise ValueError(f"unequal length arrays: {n} and {m} observations")
    return ttest_1samp(x - y, 0.0, along)


def ttest_ind(a: Any, b: Any, axis: int | None = 0, equal_var: bool = True) -> Outcome:
    """Test whether two independent samples have one mean, two-sided.

    Parameters
    ----------
    a, b : array
    axis : int or None
    equal_var : bool
        Take their variances for equal; else this is Welch's test.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x, y = ga.asarray([1.0, 2.0, 3.0]), ga.asarray([2.0, 3.0, 4.0])
    >>> round(float(ga.stats.ttest_ind(x, y).statistic), 4)
    -1.2247
    """
    a, b = as_arrays((a, b), "ttest_ind")
    x, axis_x, n = _samples(a, axis)
    y, axis_y, m = _samples(b, axis)
    v, w = var(x, axis_x, ddof=1), var(y, axis_y, ddof=1)
    if equal_var:
        free: Any = float(n + m - 2)
        spread = ((n - 1) * v + (m - 1) * w) / free * (1.0 / n + 1.0 / m)
    else:
        vn, wm = v / n, w / m
        free = (vn + wm) ** 2 / (vn**2 / (n - 1) + wm**2 / (m - 1))
        free = where(free == free, free, 1.0)  # no spread at all: the statistic is not finite
        spread = vn + wm
    t = (mean(x, axis_x) - mean(y, axis_y)) / sqrt(spread)
    return Outcome(t, _probability("t", t, free, two_sided=True))


def f_oneway(*samples: Any) -> Outcome:
    """Test whether several samples, along their first axes, have one mean.

    Raises
    ------
    TypeError
        If there are fewer than two samples.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> float(ga.stats.f_oneway([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).statistic)
    1.5
    """
    if len(samples) < 2:
        raise TypeError(f"at least two inputs are required; got {len(samples)}.")
    groups = [_samples(each, 0) for each in as_arrays(samples, "f_oneway")]
    total = sum(n for _, _, n in groups)
    means = [mean(x, 0) for x, _, _ in groups]
    center = sum(m * n for m, (_, _, n) in zip(means, groups, strict=True)) / total
    between = sum((m - center) ** 2 * n for m, (_, _, n) in zip(means, groups, strict=True))
    within = sum(var(x, 0) * n for x, _, n in groups)
    free, rest = len(groups) - 1, total - len(groups)
    f = (between / float(free)) / (within / float(rest))
    return Outcome(f, _probability("f", f, free, rest))


# --- frequencies ---------------------------------------------------------------------------------

_POWERS = {
    "pearson": 1.0,
    "log-likelihood": 0.0,
    "freeman-tukey": -0.5,
    "mod-log-likelihood": -1.0,
    "neyman": -2.0,
    "cressie-read": 2 / 3,
}


def power_divergence(
    f_obs: Any, f_exp: Any = None, ddof: int = 0, axis: int | None = 0, lambda_: Any = None
) -> Outcome:
    """Test whether frequencies are as expected, by the Cressie-Read family of statistics.

    Parameters
    ----------
    f_obs : array
        Observed frequencies.
    f_exp : array, optional
        Expected ones; their mean by default.
    ddof : int
        Taken from the degrees of freedom, besides one.
    axis : int or None
    lambda_ : float or str, optional
        Power of the statistic, Pearson's by default.

    Raises
    ------
    ValueError
        If ``lambda_`` is no name of a statistic.
    """
    if isinstance(lambda_, str) and lambda_ not in _POWERS:
        names = repr(list(_POWERS))[1:-1]
        raise ValueError(f"invalid string for lambda_: {lambda_!r}. Valid strings are {names}")
    power = 1.0 if lambda_ is None else _POWERS.get(lambda_, lambda_)
    f_obs, expected = as_given((f_obs, f_exp), "power_divergence")
    x, axis, n = _samples(f_obs, axis)
    given = expected is not None
    expected = expected.astype(x.dtype) if given else mean(x, axis, keepdims=True)
    if power == 1:
        terms = (x - expected) ** 2 / expected
    elif power == 0:
        terms = 2.0 * where(x == 0, 0.0, x * log(x / expected))
    elif power == -1:
        terms = 2.0 * where(expected == 0, 0.0, expected * log(expected / x))
    else:
        terms = x * ((x / expected) ** power - 1) / (0.5 * power * (power + 1))
    statistic = _sum(terms, axis)
    return Outcome(statistic, _probability("chi2", statistic, n - 1 - ddof))


def chisquare(f_obs: Any, f_exp: Any = None, ddof: int = 0, axis: int | None = 0) -> Outcome:
    """Test whether frequencies are as expected, by Pearson's statistic.

    Parameters are those of `power_divergence`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> float(ga.stats.chisquare([16, 18, 16, 14, 12, 12]).statistic)
    2.0
    """
    return power_divergence(f_obs, f_exp, ddof, axis, "pearson")
