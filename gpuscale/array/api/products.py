"""Products of vectors, matrices and tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.joining import stack
from gpuscale.array.api.manipulation import expand_dims, moveaxis, squeeze
from gpuscale.array.api.reductions import any as _any
from gpuscale.array.api.reductions import sum as _sum
from gpuscale.array.api.reshaping import ravel, reshape
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast
from gpuscale.array.contraction import contract
from gpuscale.array.convert import as_arrays, known_node
from gpuscale.array.ufunc import call, into, result_of
from gpuscale.chunks.axes import normalize_axes, normalize_axis
from gpuscale.expr.node import Node

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]


def same_dtype(what: str, *arrays: Any, dtype: Any = None) -> list[Node]:
    """Nodes of arrays with known sizes, all cast to their common dtype, or the given one."""
    nodes = [known_node(x) for x in as_arrays(arrays, what)]
    if any(n.meta.dtype.kind in "mM" for n in nodes):
        raise TypeError(
            "products of matrices and vectors of dates or durations are not defined: NumPy's "
            "lose the unit and NaT; multiply and sum, as in (x * y).sum(axis=-1)"
        )
    common = np.result_type(*(n.meta.dtype for n in nodes)) if dtype is None else np.dtype(dtype)
    return [cast(n, common) for n in nodes]


def sum_as(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """Sum that keeps the dtype, as products do: booleans are ored, small integers wrap around."""
    if x.dtype == np.bool_:
        return _any(x, axis=axis, keepdims=keepdims)
    return _sum(x, axis=axis, dtype=x.dtype, keepdims=keepdims)


def matmul(x1: Any, x2: Any, /, out: Any = None, *, dtype: Any = None) -> Array:
    """Matrix product; axes before the last two are a stack of matrices.

    Parameters
    ----------
    x1, x2 : array
        One with a single axis is a row (first) or column (second), an axis that goes.
    out : Array, optional
    dtype : dtype, optional
        To compute in; the common one by default.

    Raises
    ------
    ValueError
        If one has no axes, or the shapes do not fit.
    TypeError
        If an operand cannot be cast to ``dtype``, as complex numbers cannot to integers.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.arange(4, chunks=3).reshape(2, 2)
    >>> ga.matmul(x, x).compute()
    array([[ 2,  3],
           [ 6, 11]])
    """
    first, second = as_arrays((x1, x2), "matmul")
    if dtype is not None:
        dtype = result_of(np.matmul, (first, second), dtype, "same_kind")
    a, b = same_dtype("matmul", first, second, dtype=dtype)
    for number, each in enumerate((a, b)):
        if each.meta.ndim == 0:
            raise ValueError(
                f"matmul: Input operand {number} does not have enough dimensions (has 0, gufunc "
                "core with signature (n?,k),(k,m?)->(n?,m?) requires 1)"
            )
    ndim = max(a.meta.ndim, b.meta.ndim)
    left: tuple[Any, ...] = ("row", "sum") if a.meta.ndim > 1 else ("sum",)
    right: tuple[Any, ...] = ("sum", "column") if b.meta.ndim > 1 else ("sum",)
    n, m = a.meta.shape[-1], b.meta.shape[-len(right)]
    if n != m:
        raise ValueError(
            "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
            f"(n?,k),(k,m?)->(n?,m?) (size {m} is different from {n}); the shapes are "
            f"{a.meta.shape} and {b.meta.shape}"
        )
    stacks = [tuple(range(ndim - x.meta.ndim, ndim - 2)) for x in (a, b)]
    letters = ((*stacks[0], *left), (*stacks[1], *right))
    ends = tuple(x for x in (*left, *right) if x != "sum")
    result = product_sum(a, b, letters, (*max(stacks, key=len), *ends), "matmul")
    return into(out, Array(result))


def product_sum(
    a: Node, b: Node, letters: tuple[Any, Any], out: tuple[Any, ...], label: str
) -> Node:
    """Sum of products over letters as `contract`, for operands that broadcast."""
    lengths = [
        dict(zip(own, node.meta.shape, strict=True))
        for node, own in zip((a, b), letters, strict=True)
    ]
    x, first = _without_ones(Array(a), letters[0], lengths[1])
    y, second = _without_ones(Array(b), letters[1], lengths[0])
    x, first = _summed_alone(x, first, {*second, *out})
    y, second = _summed_alone(y, second, {*first, *out})
    return contract(x.expr, y.expr, (first, second), out, label)


def _without_ones(
    x: Array, own: tuple[Any, ...], others: dict[Any, int]
) -> tuple[Array, tuple[Any, ...]]:
    """Drop axes of length 1 where the other operand is longer: multiplying repeats them."""
    ones = tuple(k for k, y in enumerate(own) if x.shape[k] == 1 and others.get(y, 1) != 1)
    return squeeze(x, ones), tuple(y for k, y in enumerate(own) if k not in ones)


def _summed_alone(
    x: Array, own: tuple[Any, ...], needed: set[Any]
) -> tuple[Array, tuple[Any, ...]]:
    """Sum over letters that neither the other operand nor the result has."""
    alone = tuple(k for k, y in enumerate(own) if y not in needed)
    return (sum_as(x, alone) if alone else x), tuple(y for y in own if y in needed)


def tensordot(a: Any, b: Any, /, axes: Any = 2) -> Array:
    """Sum the products over pairs of axes.

    Parameters
    ----------
    a, b : array
    axes : int or (axes of a, axes of b)
        A number stands for so many last axes of ``a`` and first axes of ``b``.

    Raises
    ------
    ValueError
        If the lengths of paired axes differ.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.tensordot(ga.ones((2, 3)), ga.ones((3, 4)), 1).compute()
    array([[3., 3., 3., 3.],
           [3., 3., 3., 3.]])
    """
    x, y = same_dtype("tensordot", a, b)
    first, second = _paired_axes(axes, x.meta.ndim, y.meta.ndim)
    sizes = [tuple(n.meta.shape[k] for k in own) for n, own in ((x, first), (y, second))]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"shape-mismatch for sum: axes {first} of shape {x.meta.shape} and axes {second} of "
            f"shape {y.meta.shape} have the lengths {sizes[0]} and {sizes[1]}"
        )
    own: list[Any] = [("a", k) for k in range(x.meta.ndim)]
    other: list[Any] = [("b", k) for k in range(y.meta.ndim)]
    for k, m in zip(first, second, strict=True):
        own[k] = other[m] = ("sum", k)
    out = tuple(letter for letter in (*own, *other) if letter[0] != "sum")
    return Array(contract(x, y, (tuple(own), tuple(other)), out, "tensordot"))


def _paired_axes(axes: Any, n_a: int, n_b: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(axes, int | np.integer):
        if axes > min(n_a, n_b):
            raise ValueError(
                f"tensordot cannot sum over {axes} axes of arrays with {n_a} and {n_b} axes"
            )
        return tuple(range(n_a - axes, n_a)), tuple(range(axes))
    first, second = axes
    pair = normalize_axes(first, n_a), normalize_axes(second, n_b)
    if len(pair[0]) != len(pair[1]):
        raise ValueError(f"shape-mismatch for sum: axes={axes!r} pairs unequal numbers of axes")
    return pair


def dot(a: Any, b: Any, out: Any = None) -> Array:
    """Sum the products over the last axis of ``a`` and the last but one, or only, of ``b``.

    Raises
    ------
    ValueError
        If these have different lengths.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.dot(ga.arange(3), ga.arange(3)).compute()
    np.int64(5)
    """
    x, y = as_arrays((a, b), "dot")
    if not (x.ndim and y.ndim):
        return into(out, call("multiply", x, y) if x.dtype != bool else x & y)
    axis = max(y.ndim - 2, 0)
    if x.shape[-1] != y.shape[axis]:
        raise ValueError(
            f"shapes {x.shape} and {y.shape} not aligned: {x.shape[-1]} (dim {x.ndim - 1}) != "
            f"{y.shape[axis]} (dim {axis})"
        )
    return into(out, _vectors(x, y) if x.ndim == y.ndim == 1 else tensordot(x, y, ((-1,), (axis,))))


def _vectors(x: Array, y: Array) -> Array:
    """Inner product along the last axis, in one pass that fuses with whatever made the vectors."""
    a, b = map(Array, same_dtype("dot", x, y))
    return sum_as(call("multiply", a, b), -1)


def inner(a: Any, b: Any, /) -> Array:
    """Sum the products over the last axes.

    Raises
    ------
    ValueError
        If these have different lengths.
    """
    x, y = as_arrays((a, b), "inner")
    if not (x.ndim and y.ndim):
        return call("multiply", x, y)
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(
            f"shapes {x.shape} and {y.shape} not aligned: {x.shape[-1]} (dim {x.ndim - 1}) != "
            f"{y.shape[-1]} (dim {y.ndim - 1})"
        )
    return _vectors(x, y) if x.ndim == y.ndim == 1 else tensordot(x, y, ((-1,), (-1,)))


def vdot(a: Any, b: Any, /) -> Array:
    """Inner product of the flattened arrays, the first one conjugated.

    Raises
    ------
    ValueError
        If they have different sizes.
    """
    x, y = as_arrays((a, b), "vdot")
    if x.size != y.size:
        raise ValueError(f"cannot multiply arrays of {x.size} and {y.size} elements: vdot flattens")
    if x.shape != y.shape:
        x, y = ravel(x), ravel(y)
    x, y = map(Array, same_dtype("vdot", x, y))
    return sum_as(call("multiply", _conj(x), y))


def _conj(x: Array) -> Array:
    return call("conjugate", x) if x.dtype.kind == "c" else x


def vecdot(x1: Any, x2: Any, /, out: Any = None, *, axis: int = -1) -> Array:
    """Inner products along an axis, of the first array conjugated; the others broadcast.

    Raises
    ------
    ValueError
        If the axis has different lengths.
    numpy.exceptions.AxisError
        If there is no such axis.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.vecdot(ga.ones((2, 3)), ga.arange(3)).compute()
    array([3., 3.])
    """
    x, y = map(Array, same_dtype("vecdot", x1, x2))
    x, y = moveaxis(x, axis, -1), moveaxis(y, axis, -1)
    _check_core("vecdot", "(n),(n)->()", x.shape[-1], y.shape[-1])
    return into(out, sum_as(call("multiply", _conj(x), y), -1))


def matvec(x1: Any, x2: Any, /) -> Array:
    """Products of stacks of matrices with stacks of vectors."""
    x, y = as_arrays((x1, x2), "matvec")
    _check_ndim("matvec", (x, 2), (y, 1))
    _check_core("matvec", "(m,n),(n)->(m)", x.shape[-1], y.shape[-1])
    return squeeze(matmul(x, expand_dims(y, -1)), -1)


def vecmat(x1: Any, x2: Any, /) -> Array:
    """Products of stacks of vectors, conjugated, with stacks of matrices."""
    x, y = as_arrays((x1, x2), "vecmat")
    _check_ndim("vecmat", (x, 1), (y, 2))
    _check_core("vecmat", "(n),(n,m)->(m)", x.shape[-1], y.shape[-2])
    return squeeze(matmul(expand_dims(_conj(x), -2), y), -2)


def _check_ndim(name: str, *operands: tuple[Array, int]) -> None:
    for x, ndim in operands:
        if x.ndim < ndim:
            raise ValueError(f"{name}: an operand has {x.ndim} axes where {ndim} are needed")


def _check_core(name: str, signature: str, n: int, m: int) -> None:
    if n != m:
        raise ValueError(
            f"{name}: Input operand 1 has a mismatch in its core dimension 0, with gufunc "
            f"signature {signature} (size {m} is different from {n})"
        )


def outer(a: Any, b: Any, /, out: Any = None) -> Array:
    """Products of all pairs of elements of two arrays, which are flattened.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.outer(ga.arange(2), ga.arange(3)).compute()
    array([[0, 0, 0],
           [0, 1, 2]])
    """
    x, y = map(ravel, as_arrays((a, b), "outer"))
    return into(out, call("multiply", expand_dims(x, 1), expand_dims(y, 0)))


def kron(a: Any, b: Any) -> Array:
    """Kronecker product: the second array times each element of the first.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.kron(ga.arange(2), ga.ones(2)).compute()
    array([0., 0., 1., 1.])
    """
    x, y = as_arrays((a, b), "kron")
    ndim = max(x.ndim, y.ndim)
    x, y = x[(None,) * (ndim - x.ndim)], y[(None,) * (ndim - y.ndim)]
    shape = tuple(n * m for n, m in zip(x.shape, y.shape, strict=True))
    spread = call(
        "multiply",
        expand_dims(x, tuple(range(1, 2 * ndim, 2))),
        expand_dims(y, tuple(range(0, 2 * ndim, 2))),
    )
    return reshape(spread, shape)


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Array:
    """Vector product of vectors with three elements, or two, whose third is zero.

    Parameters
    ----------
    a, b : array
        They broadcast.
    axisa, axisb, axisc : int
        Axes of the vectors in both arrays and in the result.
    axis : int, optional
        One axis for all three.

    Raises
    ------
    ValueError
        If vectors have another length.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.cross([1, 0, 0], [0, 1, 0]).compute()
    array([0, 0, 1])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = map(Array, same_dtype("cross", a, b))
    x, y = moveaxis(x, axisa, -1), moveaxis(y, axisb, -1)
    lengths = x.shape[-1], y.shape[-1]
    if any(n not in (2, 3) for n in lengths):
        raise ValueError(
            "incompatible dimensions for cross product (dimension must be 2 or 3), got vectors of "
            f"{lengths[0]} and {lengths[1]} elements"
        )
    p, q = _components(x), _components(y)
    z = _difference(p[0], q[1], p[1], q[0])
    if lengths == (2, 2):
        return z
    parts = [_difference(p[1], q[2], p[2], q[1]), _difference(p[2], q[0], p[0], q[2]), z]
    result = stack(parts, -1)
    return moveaxis(result, -1, normalize_axis(axisc, result.ndim))


def _components(x: Array) -> list[Array | None]:
    parts: list[Array | None] = [x[..., k] for k in range(x.shape[-1])]
    return [*parts, None][:3]


def _difference(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Return ``a * b - c * d``, where None is zero."""
    if a is None or b is None:
        return -(c * d)
    if c is None or d is None:
        return a * b
    return a * b - c * d
