"""Where sorted data is cut: ranks of block boundaries, samples, and ranks of quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from gpuscale.chunks.blocks import offsets

__all__ = [
    "QUANTILE_METHODS",
    "boundary_ranks",
    "quantile_ranks",
    "sample_counts",
    "sample_positions",
    "splitter_positions",
]


def boundary_ranks(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the rank of the first element of each block but the first, in sorted order.

    Examples
    --------
    >>> boundary_ranks((3, 3, 2))
    (3, 6)
    """
    return offsets(sizes)[1:-1]


def sample_counts(sizes: Sequence[int], n_splitters: int, oversample: int = 16) -> tuple[int, ...]:
    """Return how many samples to draw from each block, in proportion to its size.

    With s samples per splitter an output block is larger than (1 + e) times its share with a
    probability of about exp(-s e**2 / 2).

    Examples
    --------
    >>> sample_counts((100, 50, 0), 3, 10)
    (20, 10, 0)
    """
    total = sum(sizes)
    wanted = min(total, n_splitters * oversample)
    return tuple(min(size, -(-size * wanted // total)) if total else 0 for size in sizes)


def sample_positions(size: int, n_samples: int) -> tuple[int, ...]:
    """Return evenly spaced positions of a sorted block, each in the middle of its stretch.

    Examples
    --------
    >>> sample_positions(10, 2)
    (2, 7)
    """
    return tuple((2 * i + 1) * size // (2 * n_samples) for i in range(n_samples))


def splitter_positions(sizes: tuple[int, ...], n_samples: int) -> tuple[int, ...]:
    """Return which of the sorted samples split the data into output blocks of these sizes.

    Examples
    --------
    >>> splitter_positions((50, 50), 10), splitter_positions((25, 75), 8)
    ((5,), (2,))
    """
    total = max(1, sum(sizes))
    return tuple(min(n_samples - 1, rank * n_samples // total) for rank in boundary_ranks(sizes))


#: Continuous methods of Hyndman and Fan (1996): alpha and beta of their plotting positions.
QUANTILE_METHODS = {
    "linear": (1.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
    "interpolated_inverted_cdf": (0.0, 1.0),
}


def quantile_ranks(q: float, n: int, method: str = "linear") -> tuple[int, int, float]:
    """Return the two ranks between which a quantile lies, and the weight of the upper one.

    Parameters
    ----------
    q : float
        Quantile between 0 and 1.
    n : int
        Number of elements, at least 1.
    method : str
        Name of the method, as for `numpy.quantile`.

    Returns
    -------
    lower, upper, weight
        The quantile is ``x[lower] + weight * (x[upper] - x[lower])`` for sorted x.

    Raises
    ------
    ValueError
        If q is out of range or the method is unknown.

    References
    ----------
    R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American
    Statistician 50 (1996).

    Examples
    --------
    >>> quantile_ranks(0.5, 4), quantile_ranks(0.5, 4, "lower")
    ((1, 2, 0.5), (1, 1, 0.0))
    """
    if not 0 <= q <= 1:
        raise ValueError("Quantiles must be in the range [0, 1]")
    if method in QUANTILE_METHODS:
        alpha, beta = QUANTILE_METHODS[method]
        return _between(n * q + (alpha + q * (1 - alpha - beta)) - 1, n)
    place = (n - 1) * q
    if method == "lower":
        return _at(floor(place), n)
    if method == "higher":
        return _at(-floor(-place), n)
    if method == "nearest":
        return _at(round(place), n)
    if method == "midpoint":
        lower = floor(place)
        return (lower, lower + 1, 0.5) if place != lower else _at(lower, n)
    return _by_steps(q * n, n, method)


def _between(place: float, n: int) -> tuple[int, int, float]:
    place = min(max(place, 0.0), n - 1.0)
    lower = floor(place)
    return lower, min(lower + 1, n - 1), place - lower


def _at(rank: int, n: int) -> tuple[int, int, float]:
    rank = min(max(rank, 0), n - 1)
    return rank, rank, 0.0


def _by_steps(place: float, n: int, method: str) -> tuple[int, int, float]:
    """Return the ranks for the methods that invert the steps of the distribution function."""
    whole = floor(place)
    if method == "inverted_cdf":
        return _at(whole if place > whole else whole - 1, n)
    if method == "averaged_inverted_cdf":
        if place > whole or whole in (0, n):
            return _at(whole, n)
        return whole - 1, whole, 0.5
    if method == "closest_observation":
        return _at(round(place) - 1, n)
    raise ValueError(f"{method!r} is not a quantile method")
