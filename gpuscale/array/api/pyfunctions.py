"""Python functions of single elements, of some of them, and of vectors along an axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.gufunc import apply_gufunc
from gpuscale.array.api.manipulation import broadcast_to, expand_dims, moveaxis
from gpuscale.array.batched import Output, batched
from gpuscale.array.calls import name_of
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_array, as_arrays, known_node
from gpuscale.backends.seams import array_namespace
from gpuscale.chunks.axes import listed_axes, normalize_axis
from gpuscale.expr.meta import ArrayMeta

__all__ = ["apply_along_axis", "apply_over_axes", "frompyfunc", "piecewise", "vectorize"]


def frompyfunc(func: Callable[..., Any], /, nin: int, nout: int) -> Callable[..., Any]:
    """Make a function of arrays of a function of Python objects.

    Parameters
    ----------
    func : callable
    nin, nout : int
        Numbers of arguments and results.

    Returns
    -------
    callable
        Of arrays that broadcast, chunk by chunk; the results hold Python objects.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.frompyfunc(bin, 1, 1)(ga.arange(3)).compute()
    array(['0b0', '0b1', '0b10'], dtype=object)
    """
    each = np.frompyfunc(func, nin, nout)
    signature = f"{','.join(['()'] * nin)}->{','.join(['()'] * nout)}"

    def function(*args: Any) -> Any:
        if len(args) != nin:
            raise TypeError(f"{name_of(func)} takes {nin} arrays, got {len(args)}")
        return apply_gufunc(each, signature, *args, output_dtypes=[np.dtype(object)] * nout)

    function.__name__ = name_of(func)
    function.__doc__ = func.__doc__
    return function


class vectorize:  # noqa: N801 - NumPy's name
    """A Python function of single elements as a function of arrays, chunk by chunk.

    A convenience, as in NumPy: it is a loop. Write the function for arrays where you can.

    Parameters
    ----------
    pyfunc : callable
    otypes : str or sequence of dtype, optional
        Dtypes of the results; by default the function is tried on ones.
    doc : str, optional
        Its documentation; that of the function by default.
    excluded : set of str or int, optional
        Arguments that are passed as they are.
    cache : bool
        Accepted for NumPy's sake.
    signature : str, optional
        Core axes, for a function of vectors or matrices, as ``"(n),(n)->()"``.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.vectorize(lambda a, b: a if a > b else b)(ga.arange(3, chunks=2), 1).compute()
    array([1, 1, 2])
    """

    def __init__(
        self,
        pyfunc: Callable[..., Any],
        otypes: Any = None,
        doc: str | None = None,
        excluded: Any = None,
        cache: bool = False,
        signature: str | None = None,
    ) -> None:
        self.pyfunc, self.otypes, self.signature = pyfunc, otypes, signature
        self.excluded = set(excluded or ())
        self.__name__ = name_of(pyfunc)
        self.__doc__ = doc or pyfunc.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the function to each element of arrays that broadcast."""
        call = _Arguments(self.pyfunc, args, kwargs, self.excluded)
        n = len(call.arrays)
        signature = self.signature or f"{','.join(['()'] * n)}->{self._results(call)}"
        dtypes = None if self.otypes is None else [np.dtype(each) for each in self.otypes]
        return apply_gufunc(
            call, signature, *call.arrays, vectorize=True, output_dtypes=dtypes, allow_rechunk=True
        )

    def _results(self, call: _Arguments) -> str:
        """How many results there are, by the types given or by a trial."""
        if self.otypes is not None:
            return ",".join(["()"] * len(self.otypes))
        ones = [np.ones((), as_array(x).dtype)[()] for x in call.arrays]
        result = call(*ones)
        return ",".join(["()"] * (len(result) if isinstance(result, tuple) else 1))


class _Arguments:
    """A function whose excluded arguments are filled in; the others are positional."""

    def __init__(
        self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], excluded: Any
    ) -> None:
        self.func = func
        self.__name__ = name_of(func)
        named: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
        self.fixed = {key: value for key, value in named.items() if key in excluded}
        self.free = [key for key in named if key not in excluded]
        self.arrays = [named[key] for key in self.free]

    def __gpuscale_tokenize__(self) -> tuple[Any, ...]:
        return (self.func, self.fixed, self.free)

    def __call__(self, *values: Any) -> Any:
        named = {**self.fixed, **dict(zip(self.free, values, strict=True))}
        places = sorted(key for key in named if isinstance(key, int))
        kwargs = {key: value for key, value in named.items() if isinstance(key, str)}
        return self.func(*(named[place] for place in places), **kwargs)


def apply_along_axis(
    func1d: Callable[..., Any],
    axis: int,
    arr: Any,
    *args: Any,
    dtype: Any = None,
    shape: Any = None,
    **kwargs: Any,
) -> Array:
    """Apply a function of vectors along an axis.

    Parameters
    ----------
    func1d : callable
        Called as ``func1d(vector, *args, **kwargs)``.
    axis : int
    arr : array
    *args, **kwargs
        Passed to the function.
    dtype : dtype, optional
    shape : tuple of int, optional
        Dtype and shape of what it returns; by default it is tried on a vector of ones of NumPy,
        so that a function for vectors of a device needs both.

    Raises
    ------
    ValueError
        If the function fails on that vector.
    numpy.exceptions.AxisError
        If the axis does not exist.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.apply_along_axis(np.cumsum, 0, ga.ones((2, 2), chunks=1)).compute()
    array([[1., 1.],
           [2., 2.]])
    """
    x = as_array(arr)
    axis = normalize_axis(axis, x.ndim)
    vectors = known_node(moveaxis(x, axis, -1))
    if dtype is None or shape is None:
        trial = _tried(func1d, vectors.meta, args, kwargs)
        dtype = trial.dtype if dtype is None else dtype
        shape = trial.shape if shape is None else shape
    core = tuple(shape)
    call = _Along(func1d, args, tuple(kwargs.items()))
    (node,) = batched(call, [vectors], [1], [Output(core, np.dtype(dtype))], name_of(func1d))
    last = tuple(range(-len(core), 0))
    return moveaxis(Array(node), last, tuple(range(axis, axis + len(core))))


def _tried(func1d: Callable[..., Any], vectors: ArrayMeta, args: Any, kwargs: Any) -> Any:
    ones = np.ones(vectors.shape[-1], vectors.dtype)
    try:
        return np.asarray(func1d(ones, *args, **kwargs))
    except Exception as error:
        raise ValueError(
            f"{name_of(func1d)} failed on a vector of NumPy's, which is how the dtype and shape of "
            f"its result are found; pass both dtype= and shape= ({type(error).__name__}: {error})"
        ) from error


class _Along:
    """Apply a function to each vector along the last axis of a block."""

    def __init__(self, func: Any, args: tuple[Any, ...], kwargs: tuple[Any, ...]) -> None:
        self.func, self.args, self.kwargs = func, args, kwargs

    def __call__(self, block: Any) -> Any:
        return np.apply_along_axis(self.func, -1, block, *self.args, **dict(self.kwargs))


def apply_over_axes(func: Callable[..., Any], a: Any, axes: int | Sequence[int]) -> Array:
    """Apply a function of an array and an axis, one axis after the other.

    Raises
    ------
    ValueError
        If the function returns an array that has neither as many axes nor one less.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.apply_over_axes(ga.sum, ga.ones((2, 3, 4)), [0, 2]).compute()
    array([[[8.],
            [8.],
            [8.]]])
    """
    x = as_array(a)
    ndim = x.ndim
    for each in listed_axes(axes):
        axis = normalize_axis(each, ndim)
        result = as_array(func(x, axis))
        if result.ndim == ndim - 1:
            result = expand_dims(result, axis)
        if result.ndim != ndim:
            raise ValueError("function is not returning an array of the correct shape")
        x = result
    return x


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Array:
    """Apply to each element the function of the last condition that holds there.

    Parameters
    ----------
    x : array
    condlist : sequence of bool array
    funclist : sequence of callable or number
        One for each condition, and perhaps one for all other elements, which are zero else.
        Functions are called with the elements of a block that they are for.
    *args, **kw
        Passed to the functions.

    Raises
    ------
    ValueError
        If there are not as many functions as conditions, or one more.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(-2, 3)
    >>> ga.piecewise(x, [x < 0, x >= 0], [lambda v: -v, 10]).compute()
    array([ 2,  1, 10, 10, 10])
    """
    alone = np.isscalar(condlist) or np.ndim(x) and np.ndim(condlist[0]) == 0
    x, *conditions = as_arrays([x, *([condlist] if alone else condlist)], "piecewise")
    n, functions = len(conditions), list(funclist)
    if len(functions) not in (n, n + 1):
        raise ValueError(f"with {n} condition(s), either {n} or {n + 1} functions are expected")
    masks = [broadcast_to(each.astype(bool), x.shape) for each in conditions]
    return map_blocks(
        _piecewise, x, *masks, functions=tuple(functions), args=args, kw=kw, dtype=x.dtype
    )


def _piecewise(
    x: Any, *masks: Any, functions: Sequence[Callable[..., Any] | Any], args: Any, kw: Any
) -> Any:
    xp = array_namespace(x)  # CuPy's own function takes numbers alone
    if len(functions) > len(masks):
        masks = (*masks, ~reduce(xp.logical_or, masks))
    result = xp.zeros_like(x)
    for mask, function in zip(masks, functions, strict=True):
        if not callable(function):
            result[mask] = function
        elif (chosen := x[mask]).size:
            result[mask] = function(chosen, *args, **kw)
    return result
