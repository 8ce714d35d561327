"""QR and singular value decompositions: of tall matrices by a tree, of others in one task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpuscale.array.api.blockwise import by_number
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.manipulation import matrix_transpose
from gpuscale.array.api.products import matmul
from gpuscale.array.batched import Output, batched, room_of
from gpuscale.array.collection import Array
from gpuscale.array.construct import rechunk
from gpuscale.array.linalg.checks import ROOM, matrices, real_dtype
from gpuscale.array.linalg.factor import adjoint
from gpuscale.backends.seams import array_namespace
from gpuscale.base.config import get
from gpuscale.chunks.overlap import merge_below
from gpuscale.expr.kernels import Block, FunctionKernel
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise

__all__ = ["QRResult", "SVDResult", "qr", "sfqr", "svd", "svdvals", "tsqr"]


class QRResult(NamedTuple):
    """``Q @ R`` is the matrix; Q has orthonormal columns, R is upper triangular."""

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """``U * S @ Vh`` is the matrix; S descends."""

    U: Array
    S: Array
    Vh: Array


# --- tall matrices -------------------------------------------------------------------------------


def _qr(a: Any) -> tuple[Any, Any]:
    return tuple(array_namespace(a).linalg.qr(a))


def _svd(a: Any) -> tuple[Any, Any, Any]:
    u, s, vh = array_namespace(a).linalg.svd(a, full_matrices=False)
    return flip_signs(u, s, vh)


def flip_signs(u: Any, s: Any, vh: Any) -> tuple[Any, Any, Any]:
    """Choose the signs of singular vectors so that they do not depend on how they were found."""
    k = s.shape[-1]
    xp = array_namespace(vh)
    negative = vh[..., :k, :].sum(axis=-1, keepdims=True).real < 0
    signs = xp.where(negative, -1, 1).astype(s.dtype)
    u, vh = u.copy(), vh.copy()
    vh[..., :k, :] *= signs
    u[..., :k] *= signs.swapaxes(-1, -2)
    return u, s, vh


def tall(node: Node, root: Callable[..., Any], rest: Sequence[Output], label: str) -> list[Node]:
    """Factorize a tall matrix by a tree of QR factorizations of its rows.

    Every block of rows is factorized; their triangles, one above the other, are a smaller tall
    matrix, and so on until there is one block, which ``root`` factorizes (Demmel et al.,
    Communication-optimal parallel and sequential QR and LU factorizations, 2012).

    Parameters
    ----------
    node : Node (m, n)
    root : callable
        ``root(block) -> (left factor with orthonormal columns, *others)``.
    rest : sequence of Output
        The others.
    label : str

    Returns
    -------
    list of Node
        The left factor (m, k) of the whole matrix, and the others.
    """
    m, n = node.meta.shape
    rows = merge_below(node.meta.chunks[0], n)
    node = rechunk(node, (rows, (n,)))
    dtype = node.meta.dtype
    if len(rows) == 1:
        outputs = [Output((m, min(m, n)), dtype), *rest]
        return batched(root, [node], [2], outputs, label, ROOM[label])
    left, triangles = _each_block(node, label)
    few = _grouped(triangles)
    top, *others = tall(few, root, rest, label)
    top = rechunk(top, ((n,) * len(rows), top.meta.chunks[1]))
    meta = node.meta.with_(chunks=(rows, top.meta.chunks[1]))
    axes = [(0, None), (0, None)]
    return [by_number(_multiply, [left, top], axes, meta, label), *others]


def _each_block(node: Node, label: str) -> tuple[Node, Node]:
    """Orthonormal columns and triangle of every block of rows."""
    rows, (n,) = node.meta.chunks
    itemsize = node.meta.dtype.itemsize
    sizes = tuple((m + n) * n * itemsize for m in rows)
    parcel = ArrayMeta(np.dtype(np.uint8), (sizes,), node.meta.backend)
    kernel = FunctionKernel(_qr, label=label, room=room_of(ROOM["qr"], [node], parcel))
    together = Blockwise(kernel, (BlockInput(node, axes=(0, None)),), (sizes,), parcel)
    results = []
    for number, chunks in enumerate(((rows, (n,)), ((n,) * len(rows), (n,)))):
        kernel = FunctionKernel(_pick, (number,), label=label, room=0)
        meta = node.meta.with_(chunks=chunks)
        results.append(Blockwise(kernel, (BlockInput(together, axes=(0,)),), chunks, meta))
    return results[0], results[1]


def _pick(pair: tuple[Any, Any], number: int) -> Any:
    return pair[number]


def _grouped(triangles: Node) -> Node:
    """Put some triangles together, as many as a step of a tree combines."""
    rows, columns = triangles.meta.chunks
    width = int(get("array.split-every"))
    groups = tuple(sum(rows[k : k + width]) for k in range(0, len(rows), width))
    return rechunk(triangles, (groups, columns))


def _multiply(block: Block, a: Any, b: Any) -> Any:
    return a @ b


# --- QR ------------------------------------------------------------------------------------------


def qr(a: Any, mode: str = "reduced") -> Any:
    """Factorize matrices into orthonormal columns and an upper triangle.

    One matrix in several blocks is cut into rows if it is tall, into columns if it is wide, and
    is factorized block by block; where signs are free they are those that LAPACK finds for the
    blocks.

    Parameters
    ----------
    a : array (..., m, n)
    mode : {"reduced", "complete", "r", "raw"}
        "r" gives R alone; "complete" a square Q; "raw" LAPACK's reflectors and factors. The last
        two are done in one task.

    Returns
    -------
    QRResult, Array or tuple

    Raises
    ------
    ValueError
        If there is no such mode.
    numpy.linalg.LinAlgError
        If an array has less than two axes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> x = ga.random.default_rng(0).normal(size=(100, 3), chunks=(10, 3))
    >>> q, r = ga.linalg.qr(x)
    >>> bool(ga.allclose(q @ r, x))
    True
    """
    if mode not in _MODES:
        raise ValueError(f"Unrecognized mode {mode!r}; it is one of {', '.join(_MODES)}")
    (node,) = matrices(a)
    if mode in ("reduced", "r") and _in_blocks(node):
        m, n = node.meta.shape
        result = tsqr(Array(node)) if m >= n else sfqr(Array(node))
        return result if mode == "reduced" else result.R
    m, n = node.meta.shape[-2:]
    cores = {
        "reduced": [(m, min(m, n)), (min(m, n), n)],
        "complete": [(m, m), (m, n)],
        "r": [(min(m, n), n)],
        "raw": [(n, m), (min(m, n),)],
    }[mode]
    outputs = [Output(core, node.meta.dtype) for core in cores]
    results = [
        Array(each)
        for each in batched(
            _Factorize(mode), [node], [2], outputs, "qr", ROOM["r" if mode == "r" else "qr"]
        )
    ]
    if mode == "r":
        return results[0]
    return tuple(results) if mode == "raw" else QRResult(*results)


_MODES = ("reduced", "complete", "r", "raw")


class _Factorize:
    """NumPy's QR factorization of the matrices of one block."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def __call__(self, a: Any) -> Any:
        result = array_namespace(a).linalg.qr(a, mode=self.mode)
        return result if self.mode == "r" else tuple(result)


def _in_blocks(node: Node) -> bool:
    return node.meta.ndim == 2 and node.meta.numblocks != (1, 1)


def tsqr(data: Any, compute_svd: bool = False) -> Any:
    """Factorize a tall matrix in blocks of rows, by a tree; see `qr`.

    Parameters
    ----------
    data : array (m, n)
    compute_svd : bool
        Return U, S, Vh instead of Q, R.

    Returns
    -------
    QRResult or SVDResult
    """
    (node,) = matrices(data)
    k, n = min(node.meta.shape), node.meta.shape[1]
    dtype = node.meta.dtype
    if compute_svd:
        rest = [Output((k,), real_dtype(dtype)), Output((k, n), dtype)]
        return SVDResult(*map(Array, tall(node, _svd, rest, "svd")))
    return QRResult(*map(Array, tall(node, _qr, [Output((k, n), dtype)], "qr")))


def sfqr(data: Any) -> QRResult:
    """Factorize a wide matrix: its first columns, then the others in terms of these."""
    (node,) = matrices(data)
    x = Array(node)
    m, n = node.meta.shape
    if n <= m:
        return tsqr(x)
    first = tsqr(x[:, :m])
    others = matmul(adjoint(first.Q), x[:, m:])
    return QRResult(first.Q, concatenate([first.R, others], 1))


# --- singular values -----------------------------------------------------------------------------


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    *,
    coerce_signs: bool = True,
) -> Any:
    """Singular value decomposition of matrices.

    One matrix in several blocks is cut along its longer axis and decomposed by a tree; its square
    factor is found only if it is computed.

    Parameters
    ----------
    a : array (..., m, n)
    full_matrices : bool
        Square U and Vh, as NumPy and the Array API standard have it.
    compute_uv : bool
        False gives S alone.
    hermitian : bool
        The matrices are Hermitian.
    coerce_signs : bool
        Choose signs so that they do not depend on the blocks.

    Returns
    -------
    SVDResult or Array

    Raises
    ------
    numpy.linalg.LinAlgError
        If an array has less than two axes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> u, s, vh = ga.linalg.svd(ga.asarray([[3.0, 0.0], [0.0, 4.0]]))
    >>> s.compute()
    array([4., 3.])
    """
    (node,) = matrices(a)
    if not compute_uv:
        return svdvals(a)
    if _in_blocks(node):
        return _svd_in_blocks(Array(node), full_matrices)
    m, n = node.meta.shape[-2:]
    k, dtype = min(m, n), node.meta.dtype
    cores = ((m, m), (n, n)) if full_matrices else ((m, k), (k, n))
    outputs = [Output(cores[0], dtype), Output((k,), real_dtype(dtype)), Output(cores[1], dtype)]
    kernel = _Decompose(full_matrices, hermitian, coerce_signs)
    return SVDResult(*map(Array, batched(kernel, [node], [2], outputs, "svd", ROOM["svd"])))


class _Decompose:
    """Singular value decomposition of the matrices of one block, by their library."""

    def __init__(self, full_matrices: bool, hermitian: bool, coerce_signs: bool) -> None:
        self.full_matrices, self.hermitian = full_matrices, hermitian
        self.coerce_signs = coerce_signs

    def __call__(self, a: Any) -> Any:
        if self.hermitian:
            found = _of_eigenvectors(a)
        else:
            found = array_namespace(a).linalg.svd(a, full_matrices=self.full_matrices)
        return flip_signs(*found) if self.coerce_signs else tuple(found)


def _of_eigenvectors(a: Any) -> tuple[Any, Any, Any]:
    """Decompose Hermitian matrices, whose singular values are the sizes of their eigenvalues."""
    xp = array_namespace(a)
    values, vectors = xp.linalg.eigh(a)
    order = xp.argsort(-xp.abs(values), axis=-1)
    values = xp.take_along_axis(values, order, -1)
    u = xp.take_along_axis(vectors, order[..., None, :], -1)
    v = xp.where(values < 0, -1, 1)[..., None, :].astype(u.dtype) * u
    return u, xp.abs(values), v.swapaxes(-1, -2).conj()


def _svd_in_blocks(x: Array, full_matrices: bool) -> SVDResult:
    m, n = x.shape
    if m < n:
        v, s, uh = _svd_in_blocks(matrix_transpose(x), full_matrices)
        return SVDResult(matrix_transpose(uh), s, matrix_transpose(v))
    u, s, vh = tsqr(x, compute_svd=True)
    if full_matrices and m > n:
        (complement,) = batched(
            _complement, [u.expr], [2], [Output((m, m - n), u.dtype)], "svd", ROOM["svd"]
        )
        u = concatenate([u, Array(complement)], 1)
    return SVDResult(u, s, vh)


def _complement(q: Any) -> Any:
    """Orthonormal columns that are orthogonal to the given ones."""
    return array_namespace(q).linalg.qr(q, mode="complete")[0][:, q.shape[1] :]


def svdvals(x: Any, /) -> Array:
    """Singular values of matrices, in descending order."""
    (node,) = matrices(x)
    m, n = node.meta.shape[-2:]
    real = real_dtype(node.meta.dtype)
    if _in_blocks(node):
        if m < n:
            return svdvals(matrix_transpose(Array(node)))
        node = tsqr(Array(node)).R.expr
    return Array(
        batched(_svdvals, [node], [2], [Output((min(m, n),), real)], "svdvals", ROOM["svdvals"])[0]
    )


def _svdvals(a: Any) -> Any:
    return array_namespace(a).linalg.svd(a, compute_uv=False)
