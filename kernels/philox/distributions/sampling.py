"""The one door to all distributions: values of any elements of any array of random numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..exponential import exponential, exponential_float32
from ..integers import bits64, integers32, integers64
from ..normal import normal, normal_float32
from ..uniform import open_uniform, uniform, uniform_float32
from . import counts, gamma, mixtures, tails, vectors
from .choice import choice
from .rejection import Array, Stream
from .transforms import TRANSFORMS

TILE = 4096  # elements at a time: some forty intermediate arrays then stay in the L2 cache
ROOM = 430  # bytes that these take for an element, where parameters are arrays

BASES: dict[str, Callable[..., Any]] = {
    "uniform": uniform,
    "open_uniform": open_uniform,
    "normal": normal,
    "exponential": exponential,
}
# Draws that have a float32 form of their own; other distributions are rounded from float64.
FLOAT32: dict[str, Callable[..., Any]] = {
    "random": uniform_float32,
    "standard_normal": normal_float32,
    "standard_exponential": exponential_float32,
}


def _integers(stream: Stream, low: Array, span: Array) -> Array:
    narrow = span < 2**32
    if np.all(narrow):
        return integers32(*stream.key, stream.index, low, span)
    wide = integers64(*stream.key, stream.index, low, span)
    if not np.any(narrow):
        return wide
    return np.where(narrow, integers32(*stream.key, stream.index, low, span), wide)


def _bits64(stream: Stream) -> Array:
    return bits64(*stream.key, stream.index)


SCALARS: dict[str, Callable[..., Array]] = {
    "beta": mixtures.beta,
    "binomial": counts.binomial,
    "bits64": _bits64,
    "chisquare": mixtures.chisquare,
    "f": mixtures.f,
    "gamma": gamma.gamma,
    "hypergeometric": counts.hypergeometric,
    "integers": _integers,
    "logseries": mixtures.logseries,
    "negative_binomial": mixtures.negative_binomial,
    "noncentral_chisquare": mixtures.noncentral_chisquare,
    "noncentral_f": mixtures.noncentral_f,
    "poisson": counts.poisson,
    "standard_gamma": gamma.standard_gamma,
    "standard_t": mixtures.standard_t,
    "vonmises": tails.vonmises,
    "wald": mixtures.wald,
    "zipf": tails.zipf,
}
# Their parameters belong to the distribution as a whole; all but "choice" add an axis at the end.
WHOLES: dict[str, Callable[..., Array]] = {
    "choice": choice,
    "dirichlet": vectors.dirichlet,
    "multinomial": vectors.multinomial,
    "multivariate_hypergeometric": vectors.multivariate_hypergeometric,
    "multivariate_normal": vectors.multivariate_normal,
}
COUNTS = {"binomial", "choice", "geometric", "hypergeometric", "integers", "logseries"}
COUNTS |= {"multinomial", "multivariate_hypergeometric", "negative_binomial", "poisson", "zipf"}


def result_dtype(name: str) -> np.dtype[Any]:
    """Return the dtype that a distribution is drawn in.

    Examples
    --------
    >>> result_dtype("poisson"), result_dtype("gamma")
    (dtype('int64'), dtype('float64'))
    """
    if name == "bits64":
        return np.dtype(np.uint64)
    return np.dtype(np.int64 if name in COUNTS else np.float64)


def bytes_beside(size: int) -> int:
    """Return the bytes that `sample` takes at most beside so many positions and their values.

    Examples
    --------
    >>> bytes_beside(1000), bytes_beside(10**9)
    (430000, 1761280)
    """
    return ROOM * min(size, TILE)


def sample(
    name: str,
    key: tuple[int, int],
    index: Any,
    params: Sequence[Any] = (),
    dtype: Any = None,
    *,
    compiled: bool = False,
) -> Array:
    """Return the random values of the elements at `index`: a function of its arguments alone.

    Parameters
    ----------
    name : a method of `numpy.random.Generator`, or "bits64" for raw bits. "integers" takes
        (low, span) of `check_integers`, "choice" the sums of `cumulative`, "multivariate_normal"
        (mean, factor) of `covariance_factor`.
    key : two 32-bit integers, see `key_from_seed`.
    index : integer array of any shape: the positions, in C order, in the array of all values; for
        distributions of vectors the positions of the vectors.
    params : legal parameters (`check_parameters`), each a scalar or broadcastable to `index`.
    dtype : of the result; the default is `result_dtype(name)`.
    compiled : whether to run rejection methods as compiled loops: equal values, several times
        faster, once a second is spent on compiling each.

    Returns
    -------
    Array of the shape of `index`, with a last axis for distributions of vectors. Besides it and
    `index`, memory for a tile is needed, see `bytes_beside`.

    Raises
    ------
    KeyError
        For a name that is no distribution.

    Examples
    --------
    >>> whole = sample("gamma", (1, 2), np.arange(4), (2.5, 1.0))
    >>> part = sample("gamma", (1, 2), np.arange(2, 4), (2.5, 1.0))
    >>> (whole[2:] == part).all()
    np.True_
    """
    index = np.asarray(index)
    flat = index.reshape(-1).astype(np.uint64, copy=False)
    arrays = [np.asarray(parameter) for parameter in params]
    target = result_dtype(name) if dtype is None else np.dtype(dtype)
    if name in WHOLES:
        return _sample_whole(name, key, index.shape, flat, arrays, target, compiled)
    out = np.empty(index.size, target)
    draw = _drawer(name, target)
    for start in range(0, index.size, TILE):
        tile = slice(start, start + TILE)
        stream = Stream(key, flat[tile], compiled=compiled)
        with np.errstate(all="ignore"):  # infinities on the way are meant, and selected away
            out[tile] = draw(stream, *(_tile(array, index.shape, tile) for array in arrays))
    return out.reshape(index.shape)


def _drawer(name: str, dtype: np.dtype[Any]) -> Callable[..., Array]:
    """Return the function (stream, *params) -> values of a distribution."""
    if name in FLOAT32 and dtype == np.float32:
        single = FLOAT32[name]
        return lambda stream: single(*stream.key, stream.index)
    if name in SCALARS:
        return SCALARS[name]
    transform = TRANSFORMS[name]
    base = BASES[transform.base]
    return lambda stream, *params: transform.formula(np, stream.draws(base), *params)


def _tile(parameter: Array, shape: tuple[int, ...], tile: slice) -> Array:
    """Return a parameter's values for a stretch of flattened elements; scalars stay scalars."""
    return parameter if parameter.ndim == 0 else np.broadcast_to(parameter, shape).flat[tile]


def _sample_whole(
    name: str,
    key: tuple[int, int],
    shape: tuple[int, ...],
    flat: Array,
    params: list[Array],
    dtype: np.dtype[Any],
    compiled: bool,
) -> Array:
    extra = () if name == "choice" else params[name == "multinomial"].shape[-1:]
    out = np.empty((flat.size, *extra), dtype)
    step = max(1, TILE // max(1, *extra, 1))
    for start in range(0, flat.size, step):
        stream = Stream(key, flat[start : start + step], compiled=compiled)
        with np.errstate(all="ignore"):
            out[start : start + step] = WHOLES[name](stream, *params)
    return out.reshape(*shape, *extra)
