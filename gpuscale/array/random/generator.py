"""`Generator`: NumPy's, with values that depend on seed, call and element alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import gpuscale.array.api.elementwise as xp
from gpuscale.array.api.sorting import argsort
from gpuscale.array.api.taking import take_along_axis
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array
from gpuscale.array.random.draw import Key, Place, base_draw, sampled, size_of
from gpuscale.chunks.axes import normalize_axis
from gpuscale.kernels.philox.distributions.bounds import check_integers
from gpuscale.kernels.philox.distributions.choice import cumulative
from gpuscale.kernels.philox.distributions.parameters import (
    check_parameters,
    parameter_names,
)
from gpuscale.kernels.philox.distributions.transforms import TRANSFORMS
from gpuscale.kernels.philox.distributions.vector_parameters import (
    check_dirichlet,
    check_multinomial,
    check_multivariate_hypergeometric,
)
from gpuscale.kernels.philox.distributions.vectors import covariance_factor
from gpuscale.kernels.philox.keys import key_from_seed

__all__ = ["Generator", "default_rng"]

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


def _seed_sequence(seed: Any) -> np.random.SeedSequence:
    return seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)


def _method(name: str) -> Callable[..., Array]:
    """A method for a distribution of single numbers, with NumPy's parameters."""
    names = parameter_names(name)
    defaults = _DEFAULTS.get(name, (...,) * len(names))

    def draw(
        self: Generator,
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


class Generator:
    """Random arrays from one seed.

    Every call takes a stream of its own, numbered by the call, so equal programs give equal
    numbers; within a stream an element's value is a function of its position in the whole array.

    Parameters
    ----------
    seed : int, sequence of int, SeedSequence or None
        None takes fresh entropy.

    Examples
    --------
    >>> a = Generator(42).random(12, chunks=6).compute()
    >>> b = Generator(42).random(12, chunks=4).compute()
    >>> (a == b).all()
    np.True_
    """

    def __init__(self, seed: Any = None) -> None:
        self._lock = threading.Lock()
        self._start(seed)

    def _start(self, seed: Any) -> None:
        if isinstance(seed, Generator):
            seed = seed._seed
        # Fresh entropy waits for the first draw: the shared generator is made on import, and
        # numpy.random takes long to load.
        self._parent = None if seed is None else _seed_sequence(seed)
        self._calls = 0

    @property
    def _seed(self) -> np.random.SeedSequence:
        with self._lock:
            if self._parent is None:
                self._parent = np.random.SeedSequence()
            return self._parent

    def __getstate__(self) -> dict[str, Any]:
        return {"_parent": self._seed, "_calls": self._calls}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Generator(Philox4x32-10, seed={self._seed.entropy}, calls={self._calls})"

    def spawn(self, n_children: int) -> list[Generator]:
        """Return generators whose numbers are independent of this one's and of each other's."""
        return [type(self)(child) for child in self._seed.spawn(n_children)]

    def _key(self) -> Key:
        with self._lock:
            call = self._calls
            self._calls += 1
        return key_from_seed(self._seed, call)

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

    # --- single numbers ---------------------------------------------------------------------------
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
        >>> Generator(0).random(3).shape
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

    # --- vectors ----------------------------------------------------------------------------------
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

    # --- choice and order -------------------------------------------------------------------------
    def choice(
        self,
        a: Any,
        size: Any = None,
        replace: bool = True,
        p: Any = None,
        axis: int = 0,
        shuffle: bool = True,
        *,
        chunks: Any = "auto",
        like: Any = None,
        backend: str | None = None,
    ) -> Array:
        """Draw items of an array, or integers below a number.

        Parameters
        ----------
        a : int or array
        size : int or tuple of int, optional
        replace : bool
            Whether an item can be drawn twice.
        p : sequence of float, optional
            Probability of each item.
        axis : int
            Of the items.
        shuffle : bool
            Accepted for NumPy's sake: items drawn without replacement are always in random order.
        chunks, like, backend
            As for `random`.

        Raises
        ------
        ValueError
            If there are too few items, or the probabilities are wrong.
        """
        items = None if np.ndim(a) == 0 and not isinstance(a, Array) else as_array(a)
        n = int(a) if items is None else items.shape[normalize_axis(axis, items.ndim)]
        if n <= 0 and np.prod(size_of(() if size is None else size)) != 0:
            raise ValueError("a must be a positive integer unless no samples are taken")
        place = Place.of(() if size is None else size, chunks, like, backend)
        if replace:
            at = self._with_replacement(n, p, place)
        else:
            at = self._without_replacement(n, p, place)
        if items is None:
            return at
        where = at.compute()
        result = items[(*(slice(None),) * normalize_axis(axis, items.ndim), where)]
        return result

    def _with_replacement(self, n: int, p: Any, place: Place) -> Array:
        if p is None:
            first, span = check_integers(0, n, np.int64, endpoint=False)
            return sampled("integers", self._key(), place, (first, span), np.dtype(np.int64))
        return sampled("choice", self._key(), place, (cumulative(p, n),))

    def _without_replacement(self, n: int, p: Any, place: Place) -> Array:
        count = int(np.prod(place.shape, dtype=np.int64))
        if count > n:
            raise ValueError("Cannot take a larger sample than population when replace is False")
        if p is None:
            order = self.permutation(n)
        else:
            cumulative(p, n)  # checks them
            chances = np.asarray(p, float)
            if np.count_nonzero(chances) < count:
                raise ValueError("Fewer non-zero entries in p than size")
            # Efraimidis and Spirakis 2006: the first arrivals of clocks that tick at rates p.
            clocks = self.exponential(1.0, size=n)
            order = argsort(clocks / as_array(np.where(chances > 0, chances, 5e-324)))
        return order[:count].reshape(place.shape)

    def permutation(self, x: Any, axis: int = 0, *, chunks: Any = "auto") -> Array:
        """Return a random order of integers below a number, or of the items of an array.

        The order is that of random 64-bit keys, so it does not depend on chunks.
        """
        if isinstance(x, int | np.integer):
            keys = sampled("bits64", self._key(), Place.of(int(x), chunks, None, None), ())
            return argsort(keys)
        x = as_array(x)
        axis = normalize_axis(axis, x.ndim)
        order = self.permutation(x.shape[axis]).compute()
        return x[(*(slice(None),) * axis, order)]

    def shuffle(self, x: Array, axis: int = 0) -> None:
        """Put the items of an array into a random order, in place.

        Raises
        ------
        TypeError
            If ``x`` is not a gpuscale array.
        """
        if not isinstance(x, Array):
            raise TypeError("shuffle works in place on gpuscale arrays; use permutation instead")
        x._expr = self.permutation(x, axis).expr

    def permuted(self, x: Any, *, axis: int | None = None) -> Array:
        """Shuffle each line along an axis on its own; all elements where no axis is given."""
        x = as_array(x)
        if axis is None:
            return self.permutation(x.ravel()).reshape(x.shape)
        axis = normalize_axis(axis, x.ndim)
        keys = sampled("bits64", self._key(), Place(x.shape, x.chunks, "numpy"), ())
        return take_along_axis(x, argsort(keys, axis), axis)


def _checked_dtype(name: str, dtype: Any) -> np.dtype[Any] | None:
    if dtype is None or np.dtype(dtype) == np.float64:
        return None
    if np.dtype(dtype) == np.float32 and name in _SINGLE:
        return np.dtype(np.float32)
    raise TypeError(f"Unsupported dtype {np.dtype(dtype)!r} for {name}")


def default_rng(seed: Any = None) -> Generator:
    """Return a `Generator`; the one given, where it is one.

    Examples
    --------
    >>> default_rng(1).integers(5, size=2).compute() < 5
    array([ True,  True])
    """
    return seed if isinstance(seed, Generator) else Generator(seed)
