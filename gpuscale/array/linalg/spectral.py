"""Eigenvalues and eigenvectors; a matrix is decomposed in one task, a stack block by block."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpuscale.array.batched import Output, batched
from gpuscale.array.collection import Array
from gpuscale.array.linalg.checks import ROOM, matrices, real_dtype, require_square
from gpuscale.backends.seams import array_namespace

__all__ = ["EigResult", "EighResult", "eig", "eigh", "eigvals", "eigvalsh"]


class EigResult(NamedTuple):
    """Eigenvalues, and eigenvectors as columns."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """Real eigenvalues in ascending order, and orthonormal eigenvectors as columns."""

    eigenvalues: Array
    eigenvectors: Array


def _complex(dtype: Any) -> np.dtype[Any]:
    return np.result_type(dtype, np.complex64)


class _Eigen:
    """A function of `numpy.linalg` on the matrices of one block, with results of given dtypes.

    NumPy returns real numbers where all eigenvalues happen to be real, which only the data say.
    """

    def __init__(self, name: str, uplo: str | None = None) -> None:
        self.name, self.uplo = name, uplo

    def __call__(self, a: Any) -> Any:
        function = getattr(array_namespace(a).linalg, self.name)
        if self.uplo is not None:
            found = function(a, UPLO=self.uplo)
        else:
            found = function(a)
        results = found if isinstance(found, tuple) else (found,)
        if self.uplo is None:
            results = tuple(each.astype(_complex(a.dtype), copy=False) for each in results)
        return results[0] if len(results) == 1 else tuple(results)


def eig(a: Any, /) -> EigResult:
    """Eigenvalues and right eigenvectors of square matrices, as complex numbers.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrices are not square; when it is computed, if it does not converge.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.eig(ga.asarray([[0.0, -1.0], [1.0, 0.0]])).eigenvalues.compute()
    array([0.+1.j, 0.-1.j])
    """
    (node,) = matrices(a)
    n = require_square(node)
    dtype = _complex(node.meta.dtype)
    outputs = [Output((n,), dtype), Output((n, n), dtype)]
    return EigResult(*map(Array, batched(_Eigen("eig"), [node], [2], outputs, "eig", ROOM["eig"])))


def eigvals(a: Any, /) -> Array:
    """Eigenvalues of square matrices, as complex numbers; see `eig`."""
    (node,) = matrices(a)
    output = Output((require_square(node),), _complex(node.meta.dtype))
    return Array(batched(_Eigen("eigvals"), [node], [2], [output], "eigvals", ROOM["eigvals"])[0])


def _checked(uplo: str) -> str:
    if uplo.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return uplo.upper()


def eigh(a: Any, /, UPLO: str = "L") -> EighResult:
    """Eigenvalues and eigenvectors of Hermitian matrices.

    Parameters
    ----------
    a : array (..., n, n)
    UPLO : {"L", "U"}
        The triangle that is read.

    Raises
    ------
    ValueError
        If ``UPLO`` is neither.
    numpy.linalg.LinAlgError
        If the matrices are not square; when it is computed, if it does not converge.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.linalg.eigh(ga.asarray([[2.0, 0.0], [0.0, 1.0]])).eigenvalues.compute()
    array([1., 2.])
    """
    uplo = _checked(UPLO)
    (node,) = matrices(a)
    n = require_square(node)
    outputs = [Output((n,), real_dtype(node.meta.dtype)), Output((n, n), node.meta.dtype)]
    return EighResult(
        *map(Array, batched(_Eigen("eigh", uplo), [node], [2], outputs, "eigh", ROOM["eigh"]))
    )


def eigvalsh(a: Any, /, UPLO: str = "L") -> Array:
    """Eigenvalues of Hermitian matrices, in ascending order; see `eigh`."""
    uplo = _checked(UPLO)
    (node,) = matrices(a)
    output = Output((require_square(node),), real_dtype(node.meta.dtype))
    return Array(
        batched(_Eigen("eigvalsh", uplo), [node], [2], [output], "eigvalsh", ROOM["eigvalsh"])[0]
    )
