"""Elementwise functions that users call: operands in, lazy arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.array.collection import Array
from gpuscale.array.construct import PYTHON_SCALARS, cast, elementwise
from gpuscale.array.convert import as_operand, as_operands, beside, is_masked
from gpuscale.base.errors import NotSupportedError, UnknownSizeError
from gpuscale.chunks.broadcast import unify_chunks
from gpuscale.expr.node import Node
from gpuscale.graph.lazy_values import handle_of

__all__ = ["Ufunc", "beside_out", "call", "into", "result_of"]


def call(op: str, *operands: Any, dtype: Any = None) -> Array:
    """Apply a row of `codegen.ops.OPS` to whatever users hand in.

    Raises
    ------
    ValueError
        If the shapes do not broadcast, or integers are to be raised to a negative power.
    TypeError
        If there is no such operation for the dtypes.
    """
    values = as_operands(operands)
    if op == "power":
        _check_power(values[0], operands[1])
    return Array(elementwise(op, *_count_where_needed(values, operands), dtype=dtype))


def _check_power(base: Any, exponent: Any) -> None:
    negative = isinstance(exponent, int | np.integer) and exponent < 0
    if not negative or not isinstance(base, Node):
        return
    if base.meta.dtype.kind in "bi" and 0 not in base.meta.shape:
        raise ValueError("Integers to negative integer powers are not allowed.")


def _count_where_needed(values: list[Any], operands: tuple[Any, ...]) -> list[Any]:
    """Unknown sizes of two different origins are counted, so that they can be compared."""
    nodes = [v for v in values if isinstance(v, Node)]
    if all(v.meta.known for v in nodes):
        return values
    try:
        unify_chunks(*((v.meta.chunks, v.meta.shape) for v in nodes))
        return values
    except UnknownSizeError:
        return [
            x.compute_chunk_sizes().expr if isinstance(x, Array) else v
            for v, x in zip(values, operands, strict=True)
        ]


def beside_out(operands: Sequence[Any], out: Any) -> Sequence[Any]:
    """Put numbers and lists where ``out`` is, which says where if no operand does.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> (x,) = beside_out(([1, 2],), out=ga.ones(2, like="cupy"))
    >>> x.backend
    'cupy'
    """
    places = [x for x in (out if isinstance(out, tuple) else (out,)) if isinstance(x, Array)]
    if all(x.backend == "numpy" for x in places):  # where they are anyway
        return operands
    return [
        Array(new) if isinstance(new, Node) and not isinstance(given, Array) else given
        for given, new in zip(operands, as_operands((*operands, *places)), strict=False)
    ]


def into(out: Any, result: Array, casting: Any = "same_kind") -> Array:
    """Make ``out`` hold a result, as NumPy's ``out=`` does.

    Raises
    ------
    TypeError
        If ``out`` is not a gpuscale array, or its dtype cannot hold the result.
    ValueError
        If the shapes differ.
    BackendError
        If the result is on another backend.
    """
    if isinstance(out, tuple):
        (out,) = out
    if out is None:
        return result
    if not isinstance(out, Array):
        raise TypeError(
            f"out must be a gpuscale array, got {type(out).__name__}, which cannot be computed "
            "later: say out[...] = result.compute(), or result.store(out) block by block"
        )
    if out._meta.shape != result._meta.shape and out.shape != result.shape:
        raise ValueError(f"out has shape {out.shape}, the result has shape {result.shape}")
    if not np.can_cast(result.dtype, out.dtype, casting):
        raise TypeError(
            f"Cannot cast output from dtype('{result.dtype}') to dtype('{out.dtype}') with "
            f"casting rule '{casting}'"
        )
    out._expr = cast(beside(result, out, "out=").expr, out.dtype)
    return out


def _dtype_of(operand: Any) -> np.dtype[Any]:
    if handle_of(operand) is not None:
        as_operand(operand)  # which says what a delayed value lacks
    dtype = getattr(operand, "dtype", None)
    return np.dtype(np.asarray(operand).dtype if dtype is None else dtype)


def result_of(ufunc: np.ufunc, operands: Any, dtype: Any, casting: Any) -> np.dtype[Any]:
    """The dtype that NumPy gives the result of a ufunc called with ``dtype=``.

    Raises
    ------
    TypeError
        As NumPy's: there is no such loop, or an operand cannot be cast for it.

    Examples
    --------
    >>> result_of(np.add, [np.ones(2, "m8[s]"), 3], float, "same_kind")
    dtype('<m8[s]')
    """
    # NumPy answers for arrays without elements as for others; only Python's numbers are weak.
    trial = [x if type(x) in PYTHON_SCALARS else np.empty((0, 0), _dtype_of(x)) for x in operands]
    result = ufunc(*trial, dtype=dtype, casting=casting)
    return np.dtype((result[0] if isinstance(result, tuple) else result).dtype)


class Ufunc:
    """One elementwise function, called as NumPy's ufunc of that name.

    Parameters
    ----------
    name : str
        Public name, and that of a row of `codegen.ops.OPS`.
    ufunc : numpy.ufunc
        NumPy's function, whose documentation this one extends.
    """

    def __init__(self, name: str, ufunc: Any) -> None:
        self.__name__ = self.__qualname__ = self.op = name
        self.__module__ = "gpuscale.array"  # where pickle finds it
        self.ufunc = ufunc
        self.nin: int = getattr(ufunc, "nin", 1)
        self.nout = 1
        self.__doc__ = _document(name, ufunc)

    def __call__(
        self,
        *operands: Any,
        out: Any = None,
        where: Any = True,
        dtype: Any = None,
        casting: Any = "same_kind",
        order: str = "K",
        subok: bool = True,
    ) -> Array:
        """Apply the function to arrays, element by element.

        Chunks have no order in memory that is promised, and no subclasses: ``order`` and ``subok``
        are taken, as NumPy takes them, and change nothing.
        """
        if order not in ("K", "A", "C", "F"):
            raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
        if len(operands) == self.nin + 1 and out is None:
            *operands, out = operands  # type: ignore[assignment]
        if len(operands) != self.nin:
            raise TypeError(f"{self.__name__}() takes {self.nin} arrays, got {len(operands)}")
        kept = None if dtype is None else result_of(self.ufunc, operands, dtype, casting)
        if any(map(is_masked, operands)):
            return self._of_masked(operands, out, where, dtype)
        operands = tuple(beside_out(operands, out))
        if kept is not None and any(_dtype_of(x).kind in "mM" for x in operands):
            result = Array(cast(call(self.op, *operands).expr, kept))  # their unit stays theirs
        else:
            result = call(self.op, *operands, dtype=kept)
        if where is not True:
            result = _masked(self.__name__, where, result, out)
        return into(out, result, casting)

    def _of_masked(self, operands: Any, out: Any, where: Any, dtype: Any) -> Any:
        """Leave it to masked arrays, of which the result is one."""
        if out is not None or where is not True:
            raise TypeError(
                f"{self.__name__} of a masked array has a mask, which out= and where= cannot take; "
                "assign the result, or give masked elements a value by x.filled(value)"
            )
        from gpuscale.array.ma.array import apply  # which builds on this module

        return apply(self.op, *operands, dtype=dtype)

    def outer(self, a: Any, b: Any, **kwargs: Any) -> Array:
        """Apply the function to all pairs of elements of ``a`` and ``b``."""
        from gpuscale.array.convert import as_arrays

        first, second = as_arrays((a, b), f"{self.__name__}.outer")
        return self(first[(..., *(None,) * second.ndim)], second, **kwargs)

    def reduce(self, x: Any, axis: Any = 0, *args: Any, **kwargs: Any) -> Array:
        """Apply the function between all elements along an axis, the first by default."""
        result: Array = self._method("reduce", x, axis, *args, **kwargs)
        return result

    def accumulate(self, x: Any, axis: Any = 0, *args: Any, **kwargs: Any) -> Array:
        """Apply the function between each element and what came of those before it."""
        result: Array = self._method("accumulate", x, axis, *args, **kwargs)
        return result

    def reduceat(self, x: Any, indices: Any, axis: Any = 0, *args: Any, **kwargs: Any) -> Array:
        """Apply the function between the elements from each index to the next, along an axis."""
        result: Array = self._method("reduceat", x, indices, axis, *args, **kwargs)
        return result

    def at(self, x: Array, indices: Any, *operand: Any) -> None:
        """Apply the function to elements in place, as often as an index names them."""
        self._method("at", x, indices, *operand)

    def _method(self, method: str, *args: Any, **kwargs: Any) -> Any:
        from gpuscale.array.api.protocols import array_ufunc  # which builds on this module

        return array_ufunc(self.ufunc, method, args, kwargs)

    def __repr__(self) -> str:
        return f"<gpuscale ufunc {self.__name__!r}>"

    def __reduce__(self) -> str:
        return self.__name__


def _masked(name: str, where: Any, result: Array, out: Any) -> Array:
    if out is None or isinstance(out, tuple) and out[0] is None:
        raise NotSupportedError(
            f"{name}(where=...) without out= leaves elements undefined; pass out=, or use "
            f"gpuscale.array.where(mask, {name}(x), other)"
        )
    previous = out[0] if isinstance(out, tuple) else out
    return call("where", where, result, previous)


def _document(name: str, ufunc: Any) -> str:
    lines = (ufunc.__doc__ or "").strip().splitlines()
    text = [line.strip() for line in lines if line.strip()]
    sentence = next((t for t in text if not t.startswith(name + "(")), name)
    return (
        f"{sentence}\n\nThe gpuscale version of :data:`numpy.{name}`: lazy, chunked, fused with "
        "its neighbours.\n"
    )
