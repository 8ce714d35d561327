"""Linear algebra: ``ga.linalg``, with the names of `numpy.linalg`, the Array API and dask.

Stacks of matrices are worked on block by block of the axes in front of the last two. One large
matrix in several blocks is factorized by blocks: `recurrences` says which block needs which
others, `orthogonal` holds the trees for tall matrices; `kernels` work inside a block.

To add a function: NumPy's meaning and exceptions, one of `gpuscale.array.batched` (stacks),
`gpuscale.expr.plans.RecurrencePlan` (blocks of one matrix) or a composition of what is here.
"""

from numpy.linalg import LinAlgError

from gpuscale.array.api.manipulation import matrix_transpose
from gpuscale.array.api.products import matmul, tensordot, vecdot
from gpuscale.array.linalg.chains import cross, diagonal, multi_dot, outer, trace
from gpuscale.array.linalg.factor import cholesky, lu, solve_triangular
from gpuscale.array.linalg.least import lstsq, matrix_rank, pinv, svd_compressed
from gpuscale.array.linalg.norms import cond, matrix_norm, norm, vector_norm
from gpuscale.array.linalg.orthogonal import qr, sfqr, svd, svdvals, tsqr
from gpuscale.array.linalg.solve import (
    det,
    inv,
    matrix_power,
    slogdet,
    solve,
    tensorinv,
    tensorsolve,
)
from gpuscale.array.linalg.spectral import eig, eigh, eigvals, eigvalsh

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "lu",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "sfqr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svd_compressed",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "tsqr",
    "vecdot",
    "vector_norm",
]
