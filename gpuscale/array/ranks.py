"""Which elements of sorted data a quantile is made of, and how, for each of NumPy's methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["MEAN", "METHODS", "QuantileRule"]

# Plotting positions of Hyndman and Fan, "Sample quantiles in statistical packages", 1996.
_ALPHA_BETA = {
    "hazen": (0.5, 0.5),
    "interpolated_inverted_cdf": (0.0, 1.0),
    "median_unbiased": (1 / 3.0, 1 / 3.0),
    "normal_unbiased": (3 / 8.0, 3 / 8.0),
    "weibull": (0.0, 0.0),
}
_WHOLE = {"lower": np.floor, "higher": np.ceil, "nearest": np.around}
_STEPS = {"inverted_cdf": 1.0, "closest_observation": 1.5}

METHODS = (
    "averaged_inverted_cdf",
    "linear",
    "midpoint",
    *_ALPHA_BETA,
    *_STEPS,
    *_WHOLE,
)
MEAN = "mean"  # of the one or two elements in the middle: what medians are


@dataclass(frozen=True)
class QuantileRule:
    """Quantiles of a number of elements, as NumPy computes them.

    Parameters
    ----------
    q : tuple of float
        Between 0 and 1.
    method : str
        One of `METHODS`, or `MEAN`.
    dtype : dtype
        Of the results.
    weak : bool
        Whether the fractions leave the dtype of the elements alone, as Python's numbers do.
    skip_nan : bool
        Whether elements that are NaN do not count; else one of them makes all results NaN.
    """

    q: tuple[float, ...]
    method: str
    dtype: np.dtype[Any]
    weak: bool = False
    skip_nan: bool = False

    def neighbours(self, count: Any, q: Any = None) -> tuple[Any, Any]:
        """Ranks of the elements below and above each quantile of ``count`` elements.

        On a device the count is an array that broadcasts against ``q``, the fractions there.

        Examples
        --------
        >>> rule = QuantileRule((0.5, 1.0), "linear", np.dtype(float))
        >>> rule.neighbours(4)
        (array([1, 3]), array([2, 3]))
        """
        position = _position(self.method, count, np.asarray(self.q) if q is None else q)
        below = np.floor(position)
        # Where the position is whole the other neighbour has no weight, but NumPy multiplies it.
        above = below if self.method in _STEPS or self.method in _WHOLE else below + 1
        if self.method == MEAN:
            above = np.ceil(position)
        last = position >= count - 1
        low, high = (np.where(last, count - 1, np.maximum(each, 0)) for each in (below, above))
        high = np.where(position < 0, 0, high)
        return low.astype(np.int64), high.astype(np.int64)

    def combine(self, low: Any, high: Any, count: Any, q: Any = None) -> Any:
        """Make the quantiles of ``count`` elements from those of the ranks of `neighbours`."""
        if self.method in _STEPS or self.method in _WHOLE:
            return low.astype(self.dtype)
        if self.method == MEAN:
            where_low, where_high = self.neighbours(count)
            high = np.where(where_low == where_high, high.dtype.type(0), high)  # may overflow
            middle = np.stack([low, high]).mean(axis=0)
            return np.where(where_low == where_high, low, middle).astype(self.dtype)
        share = self._share_of_high(count, q)
        precision = np.result_type(low.dtype, 0.0) if self.weak else share.dtype
        step = high - low
        near_low = low + step * share.astype(precision)
        near_high = high - step * (1 - share).astype(precision)
        return np.where(share >= 0.5, near_high, near_low).astype(self.dtype)

    def _share_of_high(self, count: Any, q: Any) -> Any:
        position = _position(self.method, count, np.asarray(self.q) if q is None else q)
        share = position - np.floor(position)
        if self.method == "averaged_inverted_cdf":
            return np.where(share == 0, 0.5, 1.0)
        return np.where(share == 0, 0.0, 0.5) if self.method == "midpoint" else share


def _position(method: str, count: Any, q: Any) -> Any:
    """Where each quantile lies in sorted data: a whole number is an element."""
    if method in _ALPHA_BETA:
        alpha, beta = _ALPHA_BETA[method]
        return count * q + (alpha + q * (1 - alpha - beta)) - 1
    if method == "averaged_inverted_cdf":
        return count * q - 1
    if method in _STEPS:
        below = count * q - _STEPS[method]
        whole = np.floor(below)
        stays = below == whole
        if method == "closest_observation":
            stays &= whole % 2 == 1
        return np.where(stays, whole, whole + 1).clip(0)
    position = (count - 1) * q
    return _WHOLE[method](position) if method in _WHOLE else position  # type: ignore[operator]
