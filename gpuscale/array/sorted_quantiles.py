"""Quantiles of rows for libraries that lack some of NumPy's: by sorting, on the device."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.ranks import MEAN, QuantileRule
from gpuscale.backends.seams import array_namespace, row_quantiles

__all__: list[str] = []


@row_quantiles.register(object)
def _row_quantiles(chunk: Any, weights: Any, q: Any, method: str, nan: bool) -> Any:
    xp = array_namespace(chunk)
    if method == MEAN:
        return (xp.nanmedian if nan else xp.median)(chunk, axis=-1)
    shares = np.asarray(q)
    order = xp.argsort(chunk, axis=-1)  # NaN come last
    rows = xp.take_along_axis(chunk, order, -1)
    missing = xp.isnan(rows) if rows.dtype.kind == "f" else xp.zeros(rows.shape, bool)
    if weights is None:
        found = _by_ranks(xp, rows, missing, shares, method, type(q) in (int, float), nan)
    else:
        weights = xp.where(missing, 0, xp.take_along_axis(weights, order, -1))
        found = _by_weights(xp, rows, missing, shares.ravel().tolist(), weights)
    if rows.dtype.kind == "f":
        unknown = missing.all(axis=-1) if nan else missing.any(axis=-1)
        found = xp.where(unknown[..., None], np.nan, found).astype(found.dtype, copy=False)
    return xp.moveaxis(found, -1, 0).reshape((*shares.shape, *rows.shape[:-1]))


def _by_ranks(
    xp: Any, rows: Any, missing: Any, shares: Any, method: str, weak: bool, nan: bool
) -> Any:
    """Quantiles along a new last axis; each row may have another number of elements."""
    fractions = shares.astype(float).ravel()
    one: Any = 0.5 if weak else fractions[:1]
    kind = np.quantile(np.ones(1, rows.dtype), one, method=method).dtype  # type: ignore
    rule = QuantileRule(tuple(fractions.tolist()), method, kind, weak, nan)
    count = xp.maximum((~missing).sum(axis=-1, keepdims=True), 1)
    q = xp.asarray(fractions)
    low, high = (xp.take_along_axis(rows, at, -1) for at in rule.neighbours(count, q))
    return rule.combine(low, high, count, q)


def _by_weights(xp: Any, rows: Any, missing: Any, shares: list[float], weights: Any) -> Any:
    """The first element that with those before it has a share of all weights."""
    if (weights < 0).any():
        raise ValueError("Weights must be non-negative.")
    total = weights.sum(axis=-1, keepdims=True)
    known = ~missing.all(axis=-1, keepdims=True)
    if (known & ~((total > 0) & xp.isfinite(total))).any():
        raise ValueError("Weights included NaN, inf or were all zero.")
    reached = weights.cumsum(axis=-1) / xp.where(known, total, 1)
    last = xp.maximum((~missing).sum(axis=-1, keepdims=True) - 1, 0)
    places = [
        (reached <= 0 if share == 0 else reached < share).sum(axis=-1, keepdims=True)
        for share in shares
    ]
    return xp.take_along_axis(rows, xp.minimum(xp.concatenate(places, axis=-1), last), -1)
