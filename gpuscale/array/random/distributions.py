"""Distributions of single numbers, under the names and with the parameters of NumPy's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import gpuscale.array.api.elementwise as xp
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.random.draw import Place, base_draw, sampled
from gpuscale.array.random.streams import Streams
from gpuscale.kernels.philox.distributions.bounds import check_integers
from gpuscale.kernels.philox.distributions.parameters import (
    check_parameters,
    parameter_names,
)
from gpuscale.kernels.philox.distributions.transforms import TRANSFORMS

__all__ = ["Distributions"]

_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "exponential": (1.0,),
    "gamma": (..., 1.0),
    "gumbel": (0.0, 1.0),
    "laplace": (0.0, 1.0),
    "logistic": (0.0, 1.0),
    "lognormal": (0.0, 1.0),
    "normal": (0.0, 1.0),
    "poisson": (1.0,),
    "rayleigh": (1.0,),
    "uniform": (0.0, 1.0),
}
_SINGLE = {"random", "standard_normal", "standard_exponential"}
_BASE_OF_SINGLE = {
    "uniform": "uniform_float32",
    "normal": "normal_float32",
    "exponential": "exponential_float32",
}


def _method(name: str) -> Callable[..., Array]:
    """A method for a distribution of single numbers, with NumPy's parameters."""
    names = parameter_names(name)
    defaults = _DEFAULTS.get(name, (...,) * len(names))

    def draw(
        self: Distributions,
        *args: Any,
        size: Any = None,
        chunks: Any = "auto",
        dtype: Any = None,
        like: Any = None,
        backend: str | None = None,
        **kwargs: Any,
    ) -> Array:
        if len(args) > len(names):
            *args, size = args  # type: ignore[assignment]
        params = _bound(name, names, defaults, args, kwargs)
        return self._draw(name, params, size, chunks, dtype, like, backend)

    draw.__name__ = name
    draw.__qualname__ = f"Generator.{name}"
    listed = ", ".join(n if d is ... else f"{n}={d}" for n, d in zip(names, defaults, strict=True))
    draw.__doc__ = (
        f"Draw from the distribution of :meth:`numpy.random.Generator.{name}`.\n\n"
        f"``{name}({listed}{', ' if listed else ''}size=None, *, chunks='auto', dtype=None, "
        "like=None, backend=None)``: parameters may be arrays that broadcast to ``size``. "
        "The same seed gives the same numbers for every chunking.\n"
    )
    return draw


def _bound(
    name: str, names: tuple[str, ...], defaults: tuple[Any, ...], args: Any, kwargs: dict[str, Any]
) -> list[Any]:
    if len(args) > len(names):
        raise TypeError(f"{name}() takes {len(names)} parameters and a size, got {len(args)}")
    unknown = sorted(set(kwargs) - set(names[len(args) :]))
    if unknown:
        raise TypeError(f"{name}() got an unexpected keyword argument '{unknown[0]}'")
    values = list(args)
    for each, default in list(zip(names, defaults, strict=True))[len(args) :]:
        value = kwargs.get(each, default)
        if value is ...:
            raise TypeError(f"{name}() missing 1 required argument: '{each}'")
        values.append(value)
    return values


class Distributions(Streams):
    """Draws of single numbers."""

    def _draw(
        self,
        name: str,
        params: list[Any],
        size: Any,
        chunks: Any,
        dtype: Any,
        like: Any,
        backend: str | None,
    ) -> Array:
        dtype = _checked_dtype(name, dtype)
        if not any(isinstance(p, Array) for p in params):
            params = list(check_parameters(name, *params))
            params = [p[()] if p.ndim == 0 else p for p in params]
        place = Place.of(size, chunks, like, backend, params)
        if name not in TRANSFORMS:
            return sampled(name, self._key(), place, params)
        transform = TRANSFORMS[name]
        base = transform.base
        if dtype == np.float32:
            return base_draw(f"philox_{_BASE_OF_SINGLE[base]}", self._key(), place)
        number = base_draw(f"philox_{base}", self._key(), place)
        arrays = [as_array(p) if isinstance(p, np.ndarray) else p for p in params]
        result: Array = transform.formula(xp, number, *arrays)
        return result

    def random(
        self,
        size: Any = None,
        dtype: Any = np.float64,
        out: None = None,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw uniform numbers in [0, 1).

        Parameters
        ----------
        size : int or tuple of int, optional
        dtype : {float64, float32}
        out : None
            Lazy arrays are not filled.
        chunks : int, str, tuple or dict
        like, backend : optional
            Library of the chunks.

        Examples
        --------
        >>> import gpuscale.array as ga
        >>> ga.random.default_rng(0).random(3).shape
        (3,)
        """
        return self._draw("random", [], size, chunks, dtype, like, backend)

    def standard_normal(
        self,
        size: Any = None,
        dtype: Any = np.float64,
        out: None = None,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw normal numbers with mean 0 and variance 1; parameters as for `random`."""
        return self._draw("standard_normal", [], size, chunks, dtype, like, backend)

    def standard_exponential(
        self,
        size: Any = None,
        dtype: Any = np.float64,
        method: str = "zig",
        out: None = None,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw exponential numbers with mean 1; parameters as for `random`."""
        return self._draw("standard_exponential", [], size, chunks, dtype, like, backend)

    beta = _method("beta")
    binomial = _method("binomial")
    chisquare = _method("chisquare")
    exponential = _method("exponential")
    f = _method("f")
    gamma = _method("gamma")
    geometric = _method("geometric")
    gumbel = _method("gumbel")
    hypergeometric = _method("hypergeometric")
    laplace = _method("laplace")
    logistic = _method("logistic")
    lognormal = _method("lognormal")
    logseries = _method("logseries")
    negative_binomial = _method("negative_binomial")
    noncentral_chisquare = _method("noncentral_chisquare")
    noncentral_f = _method("noncentral_f")
    normal = _method("normal")
    pareto = _method("pareto")
    poisson = _method("poisson")
    power = _method("power")
    rayleigh = _method("rayleigh")
    standard_cauchy = _method("standard_cauchy")
    standard_gamma = _method("standard_gamma")
    standard_t = _method("standard_t")
    triangular = _method("triangular")
    uniform = _method("uniform")
    vonmises = _method("vonmises")
    wald = _method("wald")
    weibull = _method("weibull")
    zipf = _method("zipf")

    def integers(
        self,
        low: Any,
        high: Any = None,
        size: Any = None,
        dtype: Any = np.int64,
        endpoint: bool = False,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw integers from ``low`` up to, not including, ``high``.

        Parameters
        ----------
        low, high : int or array of int
            With one bound, it is ``high`` and ``low`` is 0.
        size : int or tuple of int, optional
        dtype : integer dtype or bool
        endpoint : bool
            Include ``high``.
        chunks, like, backend
            As for `random`.

        Raises
        ------
        ValueError
            If the range is empty or does not fit the dtype.
        """
        if high is None:
            low, high = 0, low
        first, span = check_integers(low, high, dtype, endpoint)
        place = Place.of(size, chunks, like, backend, (first, span))
        return sampled("integers", self._key(), place, (first, span), np.dtype(dtype))

    def bytes(self, length: int) -> bytes:
        """Draw bytes, computed now."""
        words: bytes = (
            sampled("bits64", self._key(), Place.of(-(-length // 8), "auto", None, None), ())
            .compute()
            .tobytes()
        )
        return words[:length]


def _checked_dtype(name: str, dtype: Any) -> np.dtype[Any] | None:
    if dtype is None or np.dtype(dtype) == np.float64:
        return None
    if np.dtype(dtype) == np.float32 and name in _SINGLE:
        return np.dtype(np.float32)
    raise TypeError(f"Unsupported dtype {np.dtype(dtype)!r} for {name}")
