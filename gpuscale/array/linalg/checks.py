"""What matrices must be like, with NumPy's exceptions where they are not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.linalg import LinAlgError

from gpuscale.array.construct import cast
from gpuscale.array.convert import known_node
from gpuscale.base.config import get
from gpuscale.expr.node import Node
from gpuscale.memory.limits import parse_bytes

__all__ = ["ROOM", "common_dtype", "is_cut", "matrices", "real_dtype", "require_square"]

ROOM = {
    "cholesky": 0.6,
    "det": 1.5,
    "eig": 1.5,
    "eigh": 1.6,
    "eigvals": 1.5,
    "eigvalsh": 1.1,
    "inv": 1.3,
    "qr": 1.5,
    "r": 2.0,
    "solve": 1.5,
    "svd": 2.1,
    "svdvals": 1.2,
}
"""Bytes that NumPy and LAPACK take inside for each byte of matrices and results.

In double precision, and the most that was measured, as resident memory, of tall, square and wide
matrices.
"""


def common_dtype(*dtypes: Any) -> np.dtype[Any]:
    """Dtype that linear algebra is done in: float64 for integers, single precision where given.

    Raises
    ------
    TypeError
        If LAPACK has no such numbers.

    Examples
    --------
    >>> common_dtype(np.int8), common_dtype(np.float32, np.complex64)
    (dtype('float64'), dtype('complex64'))
    """
    exact = [np.dtype(d) if np.dtype(d).kind in "fc" else np.dtype(np.float64) for d in dtypes]
    for given, dtype in zip(dtypes, exact, strict=True):
        if np.dtype(given).kind not in "biufc" or dtype.char not in "fdFD":
            raise TypeError(f"array type {np.dtype(given)} is unsupported in linalg")
    return np.result_type(*exact)


def real_dtype(dtype: Any) -> np.dtype[Any]:
    """Dtype of absolute values.

    Examples
    --------
    >>> real_dtype(np.complex64)
    dtype('float32')
    """
    return np.empty(0, dtype).real.dtype


def matrices(*arrays: Any) -> list[Node]:
    """Nodes of matrices, or stacks of them, cast to one dtype that LAPACK knows.

    Raises
    ------
    numpy.linalg.LinAlgError
        If an array has less than two axes.
    """
    nodes = [known_node(x) for x in arrays]
    for node in nodes:
        if node.meta.ndim < 2:
            raise LinAlgError(
                f"{node.meta.ndim}-dimensional array given. Array must be at least two-dimensional"
            )
    dtype = common_dtype(*(node.meta.dtype for node in nodes))
    return [cast(node, dtype) for node in nodes]


def require_square(node: Node) -> int:
    """Check that matrices are square; return their size.

    Raises
    ------
    numpy.linalg.LinAlgError
        If they are not.
    """
    m, n = node.meta.shape[-2:]
    if m != n:
        raise LinAlgError(
            f"Last 2 dimensions of the array must be square, the shape is {node.meta.shape}"
        )
    return int(n)


def is_cut(node: Node) -> bool:
    """Whether one large matrix lies in several blocks, so that work on it is done by blocks.

    A small one is put together: LAPACK is faster than blocks, and it fits where a chunk does.
    """
    meta = node.meta
    several = meta.numblocks[-1] * meta.numblocks[-2] > 1
    return meta.ndim == 2 and several and meta.nbytes > parse_bytes(get("array.chunk-size"))
