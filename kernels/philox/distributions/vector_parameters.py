"""Legal parameters of the distributions whose elements are vectors."""

from typing import Any

import numpy as np

from .parameters import POPULATION_LIMIT, as_whole, no_chance
from .rejection import Array


def check_multinomial(n: Any, pvals: Any) -> tuple[Array, Array]:
    """Return (n, pvals) of a multinomial distribution as arrays, if they are legal.

    Raises
    ------
    ValueError
        For negative n, probabilities outside [0, 1], or all but the last summing to more than 1.

    Examples
    --------
    >>> check_multinomial(3, [0.5, 0.5])
    (array(3), array([0.5, 0.5]))
    """
    n, pvals = as_whole(n), np.asarray(pvals, np.float64)
    if pvals.ndim == 0 or pvals.shape[-1] == 0:
        raise ValueError(
            "pvals must have at least 1 dimension and the last dimension of pvals must be greater "
            "than 0."
        )
    if np.any(no_chance(pvals)):
        raise ValueError("pvals < 0, pvals > 1 or pvals contains NaNs")
    if np.any(pvals[..., :-1].sum(axis=-1) > 1.0 + 1e-12):
        raise ValueError("sum(pvals[:-1]) > 1.0")
    if np.any(n < 0):
        raise ValueError("n < 0")
    return n, pvals


def check_multivariate_hypergeometric(colors: Any, nsample: Any) -> tuple[Array, Array]:
    """Return (colors, nsample) as int64 arrays, if they are legal.

    Raises
    ------
    ValueError
        For negative numbers, a sample larger than the population, or a population of 10**9 or more.

    Examples
    --------
    >>> check_multivariate_hypergeometric([2, 3], 4)
    (array([2, 3]), array(4))
    """
    nsample = as_whole(nsample)
    if np.any(nsample < 0):
        raise ValueError("nsample must be nonnegative.")
    colors = np.asarray(colors)
    if colors.ndim != 1 or (colors.size and colors.dtype.kind not in "iu") or np.any(colors < 0):
        raise ValueError(
            "colors must be a one-dimensional sequence of nonnegative integers not exceeding "
            f"{np.iinfo(np.int64).max}."
        )
    total = sum(map(int, colors))
    if total >= POPULATION_LIMIT:
        raise ValueError(f"sum(colors) must be less than {POPULATION_LIMIT}.")
    if np.any(nsample > total):
        raise ValueError("nsample > sum(colors)")
    return colors.astype(np.int64), nsample


def check_dirichlet(alpha: Any) -> Array:
    """Return the concentrations of a Dirichlet distribution as an array, if they are legal.

    Raises
    ------
    ValueError
        For a negative concentration or more than one dimension.

    Examples
    --------
    >>> check_dirichlet([1, 2])
    array([1., 2.])
    """
    alpha = np.asarray(alpha, np.float64)
    if alpha.ndim != 1:
        raise ValueError("alpha must be a one-dimensional sequence")
    if np.any(alpha < 0.0):
        raise ValueError("alpha < 0")
    return alpha
