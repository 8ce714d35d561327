"""Cholesky and LU factorizations, and systems with triangular matrices."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.linalg import LinAlgError

from gpuscale.array.api.creation import arange
from gpuscale.array.api.manipulation import matrix_transpose
from gpuscale.array.batched import Output, batched
from gpuscale.array.collection import Array
from gpuscale.array.construct import cast, rechunk
from gpuscale.array.convert import as_arrays
from gpuscale.array.linalg.checks import ROOM, is_cut, matrices, require_square
from gpuscale.array.linalg.recurrences import (
    Cholesky,
    Elimination,
    LowerColumn,
    PermutationOf,
    SolvedRows,
    UpperBlock,
)
from gpuscale.array.ufunc import call
from gpuscale.backends.seams import array_namespace
from gpuscale.base.types import Chunks
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Exchange
from gpuscale.expr.plans import RecurrencePlan

__all__ = ["Eliminated", "adjoint", "cholesky", "eliminate", "lu", "solve_triangular"]


def recurrence(rule: Any, inputs: tuple[Node, ...], meta: ArrayMeta, label: str) -> Node:
    """Node of blocks that are made of each other."""
    return Exchange(inputs, RecurrencePlan(rule.reads, rule, label), meta)


# --- Cholesky ------------------------------------------------------------------------------------


def cholesky(a: Any, /, *, upper: bool = False, lower: bool | None = None) -> Array:
    """Triangular factor of Hermitian, positive definite matrices.

    Parameters
    ----------
    a : array (..., n, n)
        One triangle is read: the lower one, or the upper one for the upper factor.
    upper : bool
        Return U with ``a = conj(U.T) @ U`` instead of L with ``a = L @ conj(L.T)``.
    lower : bool, optional
        dask's word for the opposite.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrices are not square; when it is computed, if they are not positive definite.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.cholesky(ga.asarray([[4.0, 2.0], [2.0, 5.0]])).compute()
    array([[2., 0.],
           [1., 2.]])
    """
    upper = upper if lower is None else not lower
    (node,) = matrices(a)
    n = require_square(node)
    if not is_cut(node):
        output = Output((n, n), node.meta.dtype)
        return Array(
            batched(_Factor(upper), [node], [2], [output], "cholesky", ROOM["cholesky"])[0]
        )
    if upper:
        node = adjoint(Array(node)).expr
    node = _square_blocks(node)
    result = Array(recurrence(Cholesky(node.meta.dtype), (node,), node.meta, "cholesky"))
    return adjoint(result) if upper else result


class _Factor:
    """Cholesky factors of the matrices of one block."""

    def __init__(self, upper: bool) -> None:
        self.upper = upper

    def __call__(self, a: Any) -> Any:
        cholesky_of = array_namespace(a).linalg.cholesky
        if not self.upper:
            return cholesky_of(a)
        # Of the conjugate transpose, so that the upper triangle is the one that is read.
        return cholesky_of(a.swapaxes(-1, -2).conj()).swapaxes(-1, -2).conj()


def adjoint(x: Array) -> Array:
    """Conjugate transpose of matrices."""
    transposed = matrix_transpose(x)
    return call("conjugate", transposed) if x.dtype.kind == "c" else transposed


def _square_blocks(node: Node) -> Node:
    """Cut both axes of a square matrix alike."""
    rows, columns = node.meta.chunks
    sizes = rows if len(rows) >= len(columns) else columns
    return rechunk(node, (sizes, sizes))


# --- triangular systems --------------------------------------------------------------------------


def solve_triangular(a: Any, b: Any, lower: bool = False, *, unit_diagonal: bool = False) -> Array:
    """Solve systems with a triangular matrix.

    Parameters
    ----------
    a : array (n, n)
        Only one triangle is read.
    b : array (n,) or (n, m)
    lower : bool
        Which triangle.
    unit_diagonal : bool
        Take the diagonal for ones.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    numpy.linalg.LinAlgError
        If the matrix is not square; when it is computed, if there is a zero on the diagonal.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.solve_triangular([[2.0, 0.0], [1.0, 1.0]], ga.asarray([2.0, 4.0]), True).compute()
    array([1., 3.])
    """
    t, b, columns = system(a, b)
    if t.meta.ndim != 2:
        raise LinAlgError(f"solve_triangular takes one matrix, the shape is {t.meta.shape}")
    x = triangular(t, b, lower, unit_diagonal)
    return Array(x) if columns else Array(x)[..., 0]


def system(a: Any, b: Any) -> tuple[Node, Node, bool]:
    """Check a linear system; return both sides, and whether the right one is of columns."""
    first, right = as_arrays((a, b), "solve")
    if right.ndim == 0:
        raise LinAlgError("0-dimensional array given. Array must be at least one-dimensional")
    columns = right.ndim > 1
    left, node = matrices(first, right if columns else right[:, None])
    n = require_square(left)
    if node.meta.shape[-2] != n:
        raise ValueError(
            f"solve: the matrix has {n} rows but the right-hand side has {node.meta.shape[-2]}; "
            f"the shapes are {left.meta.shape} and {right.shape}"
        )
    return left, node, columns


def triangular(t: Node, b: Node, lower: bool, unit: bool = False) -> Node:
    """Solution of a triangular system, block by block."""
    t = _square_blocks(t)
    sizes = t.meta.chunks[0]
    b = rechunk(b, (sizes, b.meta.chunks[1]))
    rule = SolvedRows(len(sizes), lower, unit)
    return recurrence(rule, (t, b), b.meta, "solve_triangular")


# --- LU ------------------------------------------------------------------------------------------


class Eliminated(NamedTuple):
    """What Gaussian elimination of a matrix, perhaps with right-hand sides, leaves."""

    steps: Node
    heights: tuple[int, ...]  # rows of U that each panel finishes
    n_panels: int  # of the matrix; those of the right-hand sides follow
    dtype: np.dtype[Any]

    def upper(self, widths: tuple[int, ...]) -> Node:
        """U of the matrix; ``widths`` are those of its panels."""
        return self._node(UpperBlock(self.dtype), (self.heights, widths), "lu")

    def reduced(self, widths: tuple[int, ...]) -> Node:
        """Right-hand sides after elimination: what U times the solution is."""
        return self._node(UpperBlock(self.dtype, self.n_panels), (self.heights, widths), "lu")

    def lower(self, n_rows: int) -> Node:
        """L of the matrix, in whole columns."""
        return self._node(LowerColumn(len(self.heights)), ((n_rows,), self.heights), "lu")

    def order(self, n_rows: int) -> Node:
        """Order in which the rows were taken."""
        meta = ArrayMeta(np.dtype(np.int64), ((n_rows,),), self.steps.meta.backend)
        return recurrence(PermutationOf(len(self.heights)), (self.steps,), meta, "lu")

    def _node(self, rule: Any, chunks: Chunks, label: str) -> Node:
        meta = ArrayMeta(self.dtype, chunks, self.steps.meta.backend)
        return recurrence(rule, (self.steps,), meta, label)


def eliminate(a: Node, b: Node | None = None) -> Eliminated:
    """Eliminate the columns of a matrix, from right-hand sides as well where given."""
    m, _ = a.meta.shape
    inputs = (a,) if b is None else (a, rechunk(b, (a.meta.chunks[0], b.meta.chunks[1])))
    panels = [(0, k) for k in range(len(a.meta.chunks[1]))]
    widths = list(a.meta.chunks[1])
    n_panels = len(panels)
    if b is not None:
        panels += [(1, k) for k in range(len(b.meta.chunks[1]))]
        widths += list(b.meta.chunks[1])
    starts = list(accumulate(a.meta.chunks[1], initial=0))[:-1]
    heights = tuple(min(w, m - s) for s, w in zip(starts, widths, strict=False) if s < m) or (0,)
    rule = Elimination(tuple(panels), tuple(len(x.meta.chunks[0]) for x in inputs))
    # One step as bytes: rows that are left times the width of the panel.
    itemsize = a.meta.dtype.itemsize
    left = tuple(m - s for s in starts[: len(heights)])
    chunks = (left, tuple(w * itemsize for w in widths))
    meta = ArrayMeta(np.dtype(np.uint8), chunks, a.meta.backend)
    return Eliminated(recurrence(rule, inputs, meta, "eliminate"), heights, n_panels, a.meta.dtype)


class LUResult(NamedTuple):
    """``P @ L @ U`` is the matrix."""

    P: Array
    L: Array
    U: Array


def lu(a: Any) -> LUResult:
    """Factorize a matrix into a permutation, a unit lower and an upper triangle.

    Pivots are the largest of their whole column, as in LAPACK, whatever the blocks are.

    Parameters
    ----------
    a : array (m, n)

    Returns
    -------
    LUResult
        P (m, m), L (m, k) and U (k, n), with k the smaller length.

    Raises
    ------
    numpy.linalg.LinAlgError
        If it is not one matrix.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> p, l, u = ga.linalg.lu(ga.asarray([[1.0, 2.0], [2.0, 2.0]]))
    >>> (p @ l @ u).compute()
    array([[1., 2.],
           [2., 2.]])
    """
    (node,) = matrices(a)
    if node.meta.ndim != 2:
        raise LinAlgError(f"lu takes one matrix, the shape is {node.meta.shape}")
    m, _ = node.meta.shape
    rows, widths = node.meta.chunks
    done = eliminate(node)
    order = Array(done.order(m))
    positions = arange(m, chunks=(rows,), like=order)
    permutation = cast(call("equal", positions[:, None], order[None, :]).expr, node.meta.dtype)
    lower = rechunk(done.lower(m), (rows, done.heights))
    return LUResult(Array(permutation), Array(lower), Array(done.upper(widths)))
