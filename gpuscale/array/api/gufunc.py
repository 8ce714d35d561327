"""Generalized ufuncs: functions of the last axes, mapped over all others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.array.api.manipulation import expand_dims, moveaxis
from gpuscale.array.api.signatures import Signature
from gpuscale.array.batched import Output, batched
from gpuscale.array.calls import as_promised, name_of
from gpuscale.array.collection import Array
from gpuscale.array.convert import as_arrays, known_node
from gpuscale.array.infer import infer_results
from gpuscale.base.errors import BackendError
from gpuscale.expr.node import Node

__all__ = ["apply_gufunc", "as_gufunc", "gufunc"]


def apply_gufunc(
    func: Callable[..., Any],
    signature: str,
    *args: Any,
    axes: Sequence[Any] | None = None,
    axis: int | None = None,
    keepdims: bool = False,
    output_dtypes: Any = None,
    output_sizes: dict[str, int] | None = None,
    vectorize: bool | None = None,
    allow_rechunk: bool = False,
    meta: Any = None,
    **kwargs: Any,
) -> Any:
    """Apply a function of the last axes to all blocks of the axes in front.

    Parameters
    ----------
    func : callable
        Called as ``func(*blocks, **kwargs)``; the axes in front broadcast against each other. As
        for `map_blocks`, it must not change its blocks, which nothing refuses on a device.
    signature : str
        Core axes of inputs and outputs, as ``"(m,n),(n)->(m)"``.
    *args : array
    axes : list of tuple, optional
        Core axes of each input, and their places in each output.
    axis : int, optional
        The one core axis that all operands share.
    keepdims : bool
        Keep core axes that the output lacks with length 1.
    output_dtypes : dtype or sequence of dtype, optional
        By default the function is tried on something tiny.
    output_sizes : dict, optional
        Lengths of core axes that only outputs have.
    vectorize : bool, optional
        The function takes one element of the axes in front at a time.
    allow_rechunk : bool
        Core axes in several blocks are joined; else they are refused.
    meta : array or tuple of array, optional
        Arrays of the dtypes of the outputs.
    **kwargs
        Passed to the function.

    Returns
    -------
    Array or tuple of Array

    Raises
    ------
    ValueError
        If the arrays do not fit the signature, or a core axis has several blocks.
    BackendError
        If ``vectorize`` is asked for arrays on a device.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.ones((4, 3), chunks=(2, 3))
    >>> mean, std = ga.apply_gufunc(lambda b: (b.mean(-1), b.std(-1)), "(i)->(),()", x)
    >>> std.compute()
    array([0., 0., 0., 0.])
    """
    if not callable(func):
        raise TypeError(f"the first argument of apply_gufunc must be callable, got {func!r}")
    parsed = Signature.parse(signature)
    if len(args) != len(parsed.inputs):
        raise ValueError(f"{signature} takes {len(parsed.inputs)} arrays, got {len(args)}")
    sources, places = parsed.places(axes, axis, keepdims)
    arrays = [
        _core_last(x, own, parsed)
        for x, own in zip(as_arrays(args, name_of(func)), sources, strict=True)
    ]
    shapes = [x.expr.meta.shape[x.ndim - len(n) :] for x, n in zip(arrays, sources, strict=True)]
    sizes = parsed.sizes(shapes, output_sizes or {})
    if not allow_rechunk:
        _refuse_cut_core(arrays, parsed)
    nodes = [x.expr if len(parsed.outputs) == 1 else known_node(x) for x in arrays]
    if vectorize:
        _refuse_devices(nodes, name_of(func))
    call = _Call(func, tuple(kwargs.items()), len(parsed.outputs))
    dtypes = _dtypes(call, nodes, output_dtypes, meta, vectorize, parsed)
    outputs = [
        Output(tuple(sizes[name] for name in names), dtype)
        for names, dtype in zip(parsed.outputs, dtypes, strict=True)
    ]
    function = _vectorized(func, parsed, dtypes) if vectorize else func
    backend = nodes[0].meta.backend
    call = _Call(function, call.kwargs, call.n_outputs, tuple(outputs), backend)
    results = batched(call, nodes, [len(own) for own in sources], outputs, name_of(func))
    final = tuple(
        _place(Array(node), own, len(names))
        for node, own, names in zip(results, places, parsed.outputs, strict=True)
    )
    return final[0] if len(final) == 1 else final


def _core_last(x: Array, axes: tuple[int, ...], signature: Signature) -> Array:
    if x.ndim < len(axes):
        raise ValueError(f"an array with {x.ndim} axes does not fit the signature {signature}")
    last = tuple(range(-len(axes), 0))
    return x if axes == last else moveaxis(x, axes, last)


def _place(x: Array, axes: tuple[int, ...], n_core: int) -> Array:
    """Put core axes, or axes of length 1 in place of those that are reduced, where they go."""
    if len(axes) > n_core:
        return expand_dims(x, axes)
    last = tuple(range(-n_core, 0))
    return x if axes == last else moveaxis(x, last, axes)


def _refuse_cut_core(arrays: Sequence[Array], signature: Signature) -> None:
    for x, names in zip(arrays, signature.inputs, strict=True):
        for name, sizes in zip(names, x.chunks[x.ndim - len(names) :], strict=True):
            if len(sizes) > 1:
                raise ValueError(
                    f"core axis {name!r} consists of {len(sizes)} blocks; rechunk it into one, or "
                    "pass allow_rechunk=True, which may need much more memory"
                )


def _refuse_devices(nodes: Sequence[Node], name: str) -> None:
    backend = next((n.meta.backend for n in nodes if n.meta.backend != "numpy"), None)
    if backend is not None:
        raise BackendError(
            f"vectorize calls {name} in Python for each element, which only the host can, and an "
            f"array is on the backend {backend!r}; move it by ga.asarray(x, like='numpy'), or "
            "write the function for whole arrays"
        )


@dataclass(frozen=True)
class _Call:
    """The user's function with its options; its results are checked against what was promised."""

    func: Callable[..., Any]
    kwargs: tuple[tuple[str, Any], ...]
    n_outputs: int
    promised: tuple[Output, ...] = ()
    backend: str = "numpy"

    def __call__(self, *blocks: Any) -> Any:
        result = self.func(*blocks, **dict(self.kwargs))
        results = (result,) if self.n_outputs == 1 else result
        if not isinstance(results, tuple | list) or len(results) != self.n_outputs:
            raise ValueError(
                f"{name_of(self.func)} should return a tuple of {self.n_outputs} arrays"
            )
        if self.promised:
            results = [self._checked(*each) for each in zip(results, self.promised, strict=True)]
        return results[0] if self.n_outputs == 1 else tuple(results)

    def _checked(self, result: Any, promised: Output) -> Any:
        shape, core = np.shape(result), promised.core
        if len(core) > len(shape) or shape[len(shape) - len(core) :] != core:
            raise ValueError(
                f"{name_of(self.func)} returned a block of shape {shape}, whose last axes should "
                f"be {core}; see signature and output_sizes="
            )
        return as_promised(result, promised.dtype, self.backend, self.func)


def _dtypes(
    call: _Call,
    nodes: Sequence[Node],
    given: Any,
    meta: Any,
    vectorize: bool | None,
    signature: Signature,
) -> list[np.dtype[Any]]:
    """Dtype of each output: as said, as in an example, or as a trial shows."""
    n = call.n_outputs
    if given is None and meta is not None:
        given = [m.dtype for m in meta] if isinstance(meta, tuple | list) else [meta.dtype]
    if given is not None:
        several = isinstance(given, tuple | list) or isinstance(given, str) and len(given) == n > 1
        dtypes = list(given) if several else [given] * n
        if len(dtypes) != n:
            raise ValueError(f"output_dtypes has {len(dtypes)} items for {n} outputs")
        return [np.dtype(dtype) for dtype in dtypes]
    metas = [
        # Vectorized, the function sees the core axes alone.
        node.meta.with_(chunks=node.meta.chunks[node.meta.ndim - len(names) :])
        if vectorize
        else node.meta
        for node, names in zip(nodes, signature.inputs, strict=True)
    ]
    results = infer_results(call, metas, name_of(call.func))
    return [np.asarray(result).dtype for result in results[:n]]


def _vectorized(
    func: Callable[..., Any], signature: Signature, dtypes: Sequence[np.dtype[Any]]
) -> Any:
    otypes = [dtype.char for dtype in dtypes]
    if any(signature.inputs) or any(signature.outputs):
        return np.vectorize(func, otypes=otypes, signature=str(signature))
    return np.vectorize(func, otypes=otypes)


class gufunc:  # noqa: N801 - dask's name
    """A function bound to its signature, called with arrays alone.

    Parameters
    ----------
    pyfunc : callable
    signature : str
    **options
        Those of `apply_gufunc`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> total = ga.gufunc(lambda b: b.sum(-1), signature="(i)->()", output_dtypes=float)
    >>> total(ga.ones((2, 3))).compute()
    array([3., 3.])
    """

    def __init__(self, pyfunc: Callable[..., Any], *, signature: str, **options: Any) -> None:
        Signature.parse(signature)
        self.pyfunc, self.signature, self.options = pyfunc, signature, options
        self.__name__ = name_of(pyfunc)
        self.__doc__ = pyfunc.__doc__ or f"{self.__name__} as a generalized ufunc {signature}."

    def __call__(self, *args: Any, allow_rechunk: bool = False, **kwargs: Any) -> Any:
        """Apply the function; options given here win."""
        options = {"allow_rechunk": allow_rechunk, **self.options, **kwargs}
        return apply_gufunc(self.pyfunc, self.signature, *args, **options)


def as_gufunc(signature: str, **options: Any) -> Callable[[Callable[..., Any]], gufunc]:
    """Decorate a function to make it a `gufunc`.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> @ga.as_gufunc("(i)->()", output_dtypes=float)
    ... def total(block):
    ...     return block.sum(-1)
    >>> total(ga.ones((2, 3))).compute()
    array([3., 3.])
    """
    return lambda pyfunc: gufunc(pyfunc, signature=signature, **options)
