"""Calls of all public functions that take two or more arrays, with small arrays for them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

import gpuscale.array as ga

V = np.array([1.0, 2.0, 4.0, 8.0])
W = np.array([3.0, -1.0, 0.5, 2.0])
C = np.array([1.0, 2.0, 2.0])
K = np.array([2, 0, 1, 2])
B = np.array([True, False, True, True])
M = np.array([[4.0, 1.0, 0.0], [1.0, 5.0, 2.0], [0.0, 2.0, 6.0]])
R = np.arange(12.0).reshape(4, 3)


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes
    ----------
    call : callable
        ``call(namespace, *arrays)``.
    arrays : sequence of ndarray
    oracle : callable, optional
        The call for NumPy, where it is another one.
    planned : set of int
        Operands that may be arrays of NumPy and do not say where the result goes: indices and
        edges, which the host reads, and what is assigned.
    fixed : set of int
        Operands that must be a lazy array: those that change in place, and those of functions
        of users, which get anything else as it is.
    """

    call: Callable[..., Any]
    arrays: tuple[np.ndarray, ...]
    oracle: Callable[..., Any] | None = None
    planned: Collection[int] = ()
    fixed: Collection[int] = ()


def _case(call: Callable[..., Any], *arrays: Any, **about: Any) -> Case:
    return Case(call, arrays, **about)


def _of_two(name: str, a: Any = V, b: Any = W, *, planned: Any = (), **kwargs: Any) -> Case:
    def call(xp: Any, x: Any, y: Any) -> Any:
        for part in name.split("."):
            xp = getattr(xp, part)
        return xp(x, y, **kwargs)

    return _case(call, a, b, planned=planned)


def _in_place(change: Callable[..., Any]) -> Callable[..., Any]:
    """Calls that change their first operand return it."""

    def call(xp: Any, first: Any, *others: Any) -> Any:
        result = first.copy()
        change(xp, result, *others)
        return result

    return call


def _of_numpy(name: str) -> bool:
    return hasattr(np, name)


UFUNCS = sorted(
    name
    for name in dir(ga)
    if getattr(getattr(ga, name), "nin", 0) == 2 and _of_numpy(name) and name != "vecdot"
)
INTEGER = {"gcd", "lcm", "left_shift", "right_shift", "ldexp"} | {
    name for name in UFUNCS if name.startswith("bitwise")
}

CASES: dict[str, Case] = {
    name: _of_two(
        name, K if name in INTEGER and name != "ldexp" else V, K if name in INTEGER else W
    )
    for name in UFUNCS
}

CASES |= {
    name: _case(lambda xp, x, m, name=name: getattr(xp, name)(x, where=m), V, B)
    for name in [
        "all",
        "any",
        "mean",
        "nanmean",
        "nanprod",
        "nanstd",
        "nansum",
        "nanvar",
        "prod",
        "std",
        "sum",
        "var",
    ]
}
CASES |= {
    name: _case(lambda xp, x, m, name=name: getattr(xp, name)(x, where=m, initial=0.0), V, B)
    for name in ("max", "min", "nanmax", "nanmin")
}
CASES |= {
    # arithmetic
    "divmod": _of_two("divmod"),
    "clip": _case(lambda xp, x, lo, hi: xp.clip(x, lo, hi), V, W, W + 4),
    "isclose": _of_two("isclose"),
    "allclose": _of_two("allclose"),
    "array_equal": _of_two("array_equal"),
    "array_equiv": _of_two("array_equiv"),
    "where": _case(lambda xp, c, x, y: xp.where(c, x, y), B, V, W),
    # products
    "matmul": _of_two("matmul"),
    "dot": _of_two("dot"),
    "dot of matrices": _of_two("dot", M, M),
    "inner": _of_two("inner"),
    "outer": _of_two("outer"),
    "vdot": _of_two("vdot"),
    "vecdot": _of_two("vecdot"),
    "matvec": _of_two("matvec", M, C),
    "vecmat": _of_two("vecmat", C, M),
    "kron": _of_two("kron"),
    "cross": _of_two("cross", C, C[::-1]),
    "tensordot": _of_two("tensordot", M, R.T, axes=1),
    "einsum": _case(lambda xp, x, y: xp.einsum("ij,j->i", x, y), M, C),
    "einsum of many": _case(lambda xp, x, y, z: xp.einsum("i,ij,j->", x, y, z), C, M, C),
    "einsum_path": _case(lambda xp, x, y: xp.einsum_path("ij,j->i", x, y)[0][1:], M, C),
    # joining
    "concatenate": _case(lambda xp, x, y: xp.concatenate([x, y]), V, W),
    "concat": _case(lambda xp, x, y: xp.concat([x, y]), V, W),
    "stack": _case(lambda xp, x, y: xp.stack([x, y]), V, W),
    "hstack": _case(lambda xp, x, y: xp.hstack([x, y]), V, W),
    "vstack": _case(lambda xp, x, y: xp.vstack([x, y]), V, W),
    "dstack": _case(lambda xp, x, y: xp.dstack([x, y]), V, W),
    "column_stack": _case(lambda xp, x, y: xp.column_stack([x, y]), V, W),
    "block": _case(lambda xp, x, y: xp.block([[x], [y]]), V, W, fixed={0, 1}),
    "append": _of_two("append"),
    "insert": _case(lambda xp, x, v: xp.insert(x, 1, v), V, W),
    "insert at": _case(lambda xp, x, i, v: xp.insert(x, i, v), V, K, W, planned={1}),
    "delete": _of_two("delete", V, K, planned={1}),
    # selecting
    "choose": _case(lambda xp, i, x, y, z: xp.choose(i, [x, y, z]), K, V, W, V + W),
    "select": _case(lambda xp, c, d, x, y: xp.select([c, d], [x, y], 7.0), B, ~B, V, W),
    "select default": _case(lambda xp, c, x, y: xp.select([c], [x], y), B, V, W),
    "piecewise": _case(lambda xp, x, c: xp.piecewise(x, [c], [-1, 1]), V, B),
    "compress": _of_two("compress", B, V, planned={0}),
    "extract": _of_two("extract", B, V),
    "take": _of_two("take", V, K, planned={1}),
    "take_along_axis": _case(lambda xp, x, i: xp.take_along_axis(x, i, 0), V, K),
    "repeat": _of_two("repeat", V, K, planned={1}),
    # in place
    "place": _case(
        _in_place(lambda xp, x, m, v: xp.place(x, m, v)), V, B, C, planned={2}, fixed={0}
    ),
    "put": _case(
        _in_place(lambda xp, x, i, v: xp.put(x, i, v)), V, K[1:], C, planned={1, 2}, fixed={0}
    ),
    "putmask": _case(
        _in_place(lambda xp, x, m, v: xp.putmask(x, m, v)), V, B, W, planned={2}, fixed={0}
    ),
    "put_along_axis": _case(
        _in_place(lambda xp, x, i, v: xp.put_along_axis(x, i, v, 0)), V, K[1:], C,
        planned={2}, fixed={0},
    ),
    "copyto": _case(
        _in_place(lambda xp, x, v, m: xp.copyto(x, v, where=m)), V, W, B, planned={1}, fixed={0}
    ),
    "fill_diagonal": _case(
        _in_place(lambda xp, x, v: xp.fill_diagonal(x, v)), M, C, planned={1}, fixed={0}
    ),
    # shapes
    "broadcast_arrays": _case(lambda xp, x, y: xp.broadcast_arrays(x, y), V, R[:, :1]),
    "meshgrid": _case(lambda xp, x, y: xp.meshgrid(x, y), V, W),
    "resize": _case(lambda xp, x: xp.resize(x[:0], 2), V),
    "full_like": _case(lambda xp, x: xp.full_like(x, x[0]), V),
    "geomspace": _case(lambda xp, x, y: xp.geomspace(x, y, 3), V, W * W),
    "linspace": _case(lambda xp, x, y: xp.linspace(x, y, 3), V, W),
    # sets and searching
    "isin": _of_two("isin", V, W),
    "union1d": _of_two("union1d"),
    "intersect1d": _of_two("intersect1d"),
    "setdiff1d": _of_two("setdiff1d"),
    "setxor1d": _of_two("setxor1d"),
    "searchsorted": _of_two("searchsorted"),
    "digitize": _of_two("digitize", W, V, planned={1}),
    "lexsort": _case(lambda xp, x, y: xp.lexsort([x, y]), V, K),
    "ravel_multi_index": _case(lambda xp, x, y: xp.ravel_multi_index([x, y], (3, 3)), K, K[::-1]),
    # counting and statistics
    "bincount": _of_two("bincount", K, V),
    "average": _case(lambda xp, x, w: xp.average(x, weights=w), V, K),
    "average of rows": _case(lambda xp, x, w: xp.average(x, 1, weights=w), R, C),
    "cov": _of_two("cov"),
    "cov weighted": _case(lambda xp, x, f, a: xp.cov(x, fweights=f, aweights=a), V, K, V),
    "corrcoef": _of_two("corrcoef"),
    "histogram": _case(lambda xp, x, w: xp.histogram(x, 3, (0, 9), weights=w), V, W),
    "histogram edges": _case(lambda xp, x, e: xp.histogram(x, e)[0], W, V, planned={1}),
    "histogram2d": _case(lambda xp, x, y: xp.histogram2d(x, y, 2, [(0, 9), (-1, 3)]), V, W),
    "histogramdd": _case(lambda xp, x, y: xp.histogramdd([x, y], 2, [(0, 9), (-1, 3)])[0], V, W),
    "quantile": _case(
        lambda xp, x, w: xp.quantile(x, 0.5, method="inverted_cdf", weights=w), V, K
    ),
    "nanquantile": _case(
        lambda xp, x, w: xp.nanquantile(x, 0.5, method="inverted_cdf", weights=w), V, K
    ),
    "nanpercentile": _of_two("nanpercentile", V, np.array([25.0, 50.0]), planned={1}),
    "quantile of": _of_two("quantile", V, np.array([0.25, 0.5]), planned={1}),
    "percentile": _of_two("percentile", V, np.array([25.0, 50.0]), planned={1}),
    "var around": _case(lambda xp, x, m: xp.var(x, mean=m), V, np.array([3.75])),
    # differences and curves
    "diff": _case(lambda xp, x, p, a: xp.diff(x, prepend=p, append=a), V, W, C),
    "ediff1d": _of_two("ediff1d"),
    "gradient": _of_two("gradient", W, V, planned={1}),
    "trapezoid": _of_two("trapezoid"),
    "interp": _case(lambda xp, x, p, f: xp.interp(x, p, f), W, V, W),
    "convolve": _of_two("convolve"),
    "correlate": _of_two("correlate"),
    "polyval": _of_two("polyval", C, W),
    "polyfit": _case(lambda xp, x, y: xp.polyfit(x, y, 1), V, W),
    "polyfit weighted": _case(lambda xp, x, y, w: xp.polyfit(x, y, 1, w=w), V, W, V),
    "vander": _case(lambda xp, x: xp.vander(x), V),
    # linear algebra
    "linalg.solve": _of_two("linalg.solve", M, C),
    "linalg.lstsq": _case(lambda xp, x, y: xp.linalg.lstsq(x, y, rcond=None)[0], R[:, :2], V),
    "linalg.multi_dot": _case(lambda xp, x, y, z: xp.linalg.multi_dot([x, y, z]), C, M, R.T),
    "linalg.tensorsolve": _of_two("linalg.tensorsolve", M, C),
    "linalg.cross": _of_two("linalg.cross", C, C[::-1]),
    "linalg.matmul": _of_two("linalg.matmul", M, M),
    "linalg.outer": _of_two("linalg.outer"),
    "linalg.vecdot": _of_two("linalg.vecdot"),
    "linalg.tensordot": _of_two("linalg.tensordot", M, M, axes=1),
    "linalg.solve_triangular": _case(
        lambda xp, x, y: xp.linalg.solve_triangular(x, y, lower=True),
        np.tril(M), C, oracle=lambda xp, x, y: xp.linalg.solve(x, y),
    ),
    "linalg.pinv": _case(lambda xp, x: xp.linalg.pinv(x, [1e-3]), np.stack([M])),
    "linalg.matrix_rank": _case(lambda xp, x: xp.linalg.matrix_rank(x, [1e-3]), np.stack([M])),
    "linalg.lu": _case(
        lambda xp, x: xp.linalg.multi_dot(list(xp.linalg.lu(x))), M, oracle=lambda xp, x: x
    ),
    "linalg.svd_compressed": _case(
        lambda xp, x: xp.linalg.svd_compressed(x, 2)[1], M,
        oracle=lambda xp, x: xp.linalg.svd(x)[1][:2],
    ),
    # statistics of samples
    "stats.ttest_ind": _case(
        lambda xp, x, y: xp.stats.ttest_ind(x, y)[0], V, W,
        oracle=lambda xp, x, y: stats.ttest_ind(x, y)[0],
    ),
    "stats.ttest_rel": _case(
        lambda xp, x, y: xp.stats.ttest_rel(x, y)[0], V, W,
        oracle=lambda xp, x, y: stats.ttest_rel(x, y)[0],
    ),
    "stats.ttest_1samp": _case(
        lambda xp, x, y: xp.stats.ttest_1samp(x, y)[0], R, C,
        oracle=lambda xp, x, y: stats.ttest_1samp(x, y)[0],
    ),
    "stats.chisquare": _case(
        lambda xp, x, y: xp.stats.chisquare(x, y)[0], V, V[::-1],
        oracle=lambda xp, x, y: stats.chisquare(x, y)[0],
    ),
    "stats.power_divergence": _case(
        lambda xp, x, y: xp.stats.power_divergence(x, y)[0], V, V[::-1],
        oracle=lambda xp, x, y: stats.power_divergence(x, y)[0],
    ),
    "stats.f_oneway": _case(
        lambda xp, x, y: xp.stats.f_oneway(x, y)[0], V, W,
        oracle=lambda xp, x, y: stats.f_oneway(x, y)[0],
    ),
    # functions of users
    "reduction": _case(
        lambda xp, x, w: xp.reduction(
            x, lambda a, b, **kwargs: (a * b).sum(**kwargs), np.sum, weights=w, dtype=float
        ), V, W,
        oracle=lambda xp, x, w: (x * w).sum(),
    ),
    "map_blocks": _case(
        lambda xp, x, y: xp.map_blocks(lambda a, b: a + b, x, y, dtype=float), V, W,
        oracle=lambda xp, x, y: x + y, fixed={0, 1},
    ),
    "map_overlap": _case(
        lambda xp, x, y: xp.map_overlap(lambda a, b: a + b, x, y, depth=1, dtype=float), V, W,
        oracle=lambda xp, x, y: x + y, fixed={0, 1},
    ),
    "blockwise": _case(
        lambda xp, x, y: xp.blockwise(lambda a, b: a + b, "i", x, "i", y, "i", dtype=float), V, W,
        oracle=lambda xp, x, y: x + y,
    ),
    "apply_gufunc": _case(
        lambda xp, x, y: xp.apply_gufunc(
            lambda a, b: a + b, "(),()->()", x, y, output_dtypes=float
        ), V, W,
        oracle=lambda xp, x, y: x + y,
    ),
    "ufunc.outer": _case(lambda xp, x, y: xp.add.outer(x, y), V, W),
    "ufunc.at": _case(
        _in_place(lambda xp, x, i, v: xp.add.at(x, i, v)), V, K, W, planned={1}, fixed={0}
    ),
}  # fmt: skip
