"""Distributions of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.random.draw import Place, sampled
from gpuscale.array.random.streams import Streams
from gpuscale.kernels.philox.distributions.vector_parameters import (
    check_dirichlet,
    check_multinomial,
    check_multivariate_hypergeometric,
)
from gpuscale.kernels.philox.distributions.vectors import covariance_factor

__all__ = ["Vectors"]


class Vectors(Streams):
    """Draws of vectors, which are an axis more than their size says."""

    def multinomial(
        self,
        n: Any,
        pvals: Any,
        size: Any = None,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw counts of ``n`` experiments with the given probabilities of outcomes.

        Parameters
        ----------
        n : int
        pvals : sequence of float
        size : int or tuple of int, optional
            Of the array of vectors; an axis for the outcomes is added.
        chunks, like, backend
            As for `random`, without the added axis.
        """
        counts, chances = check_multinomial(n, pvals)
        return self._vectors(
            "multinomial", (counts, chances), chances.shape[-1], size, chunks, like, backend
        )

    def multivariate_hypergeometric(
        self,
        colors: Any,
        nsample: Any,
        size: Any = None,
        method: str = "marginals",
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw how many items of each color a sample without replacement holds."""
        params = check_multivariate_hypergeometric(colors, nsample)
        return self._vectors(
            "multivariate_hypergeometric", params, params[0].shape[-1], size, chunks, like, backend
        )

    def dirichlet(
        self,
        alpha: Any,
        size: Any = None,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw vectors of shares that sum to 1."""
        weights = check_dirichlet(alpha)
        return self._vectors(
            "dirichlet", (weights,), weights.shape[-1], size, chunks, like, backend
        )

    def multivariate_normal(
        self,
        mean: Any,
        cov: Any,
        size: Any = None,
        check_valid: str = "warn",
        tol: float = 1e-8,
        *,
        method: str = "svd",
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw normal vectors with a mean and a covariance matrix.

        Raises
        ------
        ValueError
            If the shapes do not fit.
        """
        mean = np.asarray(mean, float)
        factor = covariance_factor(cov, method)
        if mean.ndim != 1 or factor.shape != (mean.size, mean.size):
            raise ValueError("mean and cov must have same length")
        return self._vectors(
            "multivariate_normal", (mean, factor), mean.size, size, chunks, like, backend
        )

    def _vectors(
        self,
        name: str,
        params: Any,
        length: int,
        size: Any,
        chunks: Any,
        like: Any,
        backend: str | None,
    ) -> Array:
        place = Place.of(() if size is None else size, chunks, like, backend)
        return sampled(name, self._key(), place, params, vector=length)
