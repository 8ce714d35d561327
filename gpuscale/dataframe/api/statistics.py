"""Covariances, correlations and samples; reductions of one's own; what is asked of an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from gpuscale.backends.seams import to_host
from gpuscale.base.tokens import tokenize
from gpuscale.dataframe.algorithms.columns import concat as concat_partitions
from gpuscale.dataframe.algorithms.columns import is_frame
from gpuscale.dataframe.algorithms.cuts import rows_of
from gpuscale.dataframe.algorithms.pairs import Pairs
from gpuscale.dataframe.alignment import aligned
from gpuscale.dataframe.api.columns import check_labels
from gpuscale.dataframe.api.counting import whole
from gpuscale.dataframe.api.joining import concat
from gpuscale.dataframe.api.positions import counted, starts_of, take_rows
from gpuscale.dataframe.api.reductions import of_columns, one_partition, reduction
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, nonempty, of_numbers_made_up
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.promises import promise
from gpuscale.expr.frames import unknown_rows

__all__: list[str] = []


def pairs(x: Any, name: str, numeric_only: bool, min_periods: int | None, **options: Any) -> Any:
    """Return covariances or correlations of all pairs of columns."""
    if numeric_only:
        x = of_columns(x, is_numeric_dtype)
    method = options.pop("method", "pearson")
    if method != "pearson":
        return whole(x, name, method=method, min_periods=min_periods or 1)
    template = of_numbers_made_up(lambda made: getattr(made, name)(), x._meta)
    plan = Pairs(name, x.columns, min_periods or 1, **options)
    return wrap(reduction((x.expr,), plan, name, template))


def pair(x: Any, other: Any, name: str, min_periods: int | None, **options: Any) -> Any:
    """Return the covariance or the correlation of two series."""
    if options.pop("method", "pearson") != "pearson":
        raise ValueError("two series have correlations of method='pearson'; make a frame of them")
    both = concat([x.rename("x"), other.rename("y")], axis=1, join="inner")
    plan = Pairs(name, pd.Index(["x", "y"]), min_periods or 1, is_pair=True, **options)
    return wrap(reduction((both.expr,), plan, name, np.float64(0)))


def sample(
    x: Any,
    n: int | None,
    frac: float | None,
    replace: bool,
    random_state: Any,
    weights: Any = None,
) -> Any:
    """Return some rows at random."""
    if (n is None) == (frac is None):
        raise ValueError("say n=, a number of rows, or frac=, a share of them")
    if weights is not None:
        shares = _shares(x, weights)
        count = round((frac or 0) * len(shares)) if n is None else n
        likely = int(np.count_nonzero(shares))
        if not replace and count > likely:
            raise ValueError(f"{count} rows are asked for, and {likely} have a weight")
        rng = np.random.default_rng(random_state)
        return take_rows(x, rng.choice(len(shares), count, replace=replace, p=shares))
    if n is not None:
        total = starts_of(counted(x.expr))[-1]
        rng = np.random.default_rng(random_state)
        return take_rows(x, rng.choice(total, n, replace=replace))
    seeds = seeds_of(random_state, x.npartitions)
    plan = (sampled, (x.expr,), seeds, (frac, replace), "sample")
    return wrap(Numbered(*plan, _unknown(x, seeds, frac), x._meta))


def _shares(x: Any, weights: Any) -> Any:
    """Return how likely rows are, as pandas says it: nulls are none, and the sum is one."""
    if not isinstance(weights, Frame):
        if x.ndim == 1:
            raise TypeError(
                "weights of a series are a series of gpuscale, with a number for each row"
            )
        check_labels(x, [weights])
        weights = x[weights]
    elif weights.ndim != 1 or not aligned([x.expr, weights.expr])[1]:
        raise ValueError("weights are a column, or a series of the same rows")
    found = weights.compute().to_numpy(dtype=np.float64, na_value=np.nan)
    found = np.nan_to_num(found, posinf=np.inf)
    if (found < 0).any() or not np.isfinite(found).all():
        raise ValueError("weights have to be finite, and none may be negative")
    if not found.sum():
        raise ValueError("weights are zero everywhere, so that no row is likely")
    return found / found.sum()


def seeds_of(random_state: Any, count: int) -> tuple[int, ...]:
    """Return a seed for each partition."""
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31))
    elif isinstance(random_state, np.random.Generator):
        random_state = int(random_state.integers(2**31))
    found = np.random.SeedSequence(random_state).generate_state(count)
    return tuple(int(each) for each in found)


def _unknown(x: Any, *identity: Any) -> Any:
    return unknown_rows(tokenize("sample", x.expr, *identity), x.npartitions)


def sampled(partition: Any, seed: int, frac: float, replace: bool) -> Any:
    """Return a share of the rows of a partition."""
    return partition.sample(frac=frac, replace=replace, random_state=seed)


def random_split(x: Any, frac: Any, random_state: Any = None, shuffle: bool = False) -> list[Any]:
    """Cut rows at random into frames that have shares of them."""
    if abs(sum(frac) - 1) > 1e-9:
        raise ValueError(f"shares have to be 1 together, not {sum(frac)}")
    seeds = seeds_of(random_state, x.npartitions)
    ends = [*np.cumsum([0, *frac])[:-1], 1]  # whatever sums of shares are rounded to
    return [
        wrap(
            Numbered(
                split_rows,
                (x.expr,),
                seeds,
                (float(low), float(high), shuffle),
                "random_split",
                _unknown(x, seeds, float(low)),
                x._meta,
            )
        )
        for low, high in zip(ends, ends[1:], strict=False)
    ]


def split_rows(partition: Any, seed: int, low: float, high: float, shuffle: bool) -> Any:
    """Return the rows whose random numbers lie between two."""
    numbers = np.random.default_rng(seed).random(len(partition))
    (places,) = np.nonzero((numbers >= low) & (numbers < high))
    if shuffle:
        np.random.default_rng(seed + 1).shuffle(places)
    return rows_of(partition, places)


# ------------------------------------------------------------------ reductions of one's own


@dataclass(frozen=True)
class Custom:
    """Functions of users as a blueprint: of a partition, and of partials put together."""

    own: Callable[..., Any]
    aggregate: Callable[..., Any]
    merge: Callable[..., Any]
    own_options: tuple[tuple[str, Any], ...]
    aggregate_options: tuple[tuple[str, Any], ...]
    merge_options: tuple[tuple[str, Any], ...]

    def chunk(self, partition: Any) -> Any:
        """Call the first function."""
        return _rows(self.own(partition, **dict(self.own_options)))

    def combine(self, partials: list[Any]) -> Any:
        """Call the second one."""
        return _rows(self.merge(concat_partitions(partials), **dict(self.merge_options)))

    def of_parts(self, partials: list[Any]) -> Any:
        """Call the last one of all that is left."""
        return self.finalize(concat_partitions(partials))

    def finalize(self, partial: Any) -> Any:
        """Call the last one."""
        return self.aggregate(partial, **dict(self.aggregate_options))


def _rows(result: Any) -> Any:
    if not hasattr(result, "iloc"):
        return pd.Series([result])
    return result if is_frame(result) else result.to_frame().T


def custom(
    x: Any,
    chunk: Callable[..., Any],
    aggregate: Callable[..., Any] | None,
    combine: Callable[..., Any] | None,
    meta: Any,
    split_every: int | None,
    options: Mapping[str, Mapping[str, Any]],
) -> Any:
    """Reduce a frame by functions of one's own."""
    last = aggregate or chunk
    names = ("chunk", "aggregate", "combine")
    given = [tuple(sorted((options.get(name) or {}).items())) for name in names]
    plan = Custom(chunk, last, combine or last, *given)
    out = plan.finalize(plan.chunk(nonempty(x._meta))) if meta is None else promise(meta, x._meta)
    if isinstance(out, pd.DataFrame | pd.Series):
        out = one_partition(emptied(out), x.expr, plan, projected=1000)
    label = getattr(chunk, "__name__", "reduction")
    return wrap(reduction((x.expr,), plan, label, out, split_every or 16))


# ------------------------------------------------------------------ the order of an index


@dataclass(frozen=True)
class Monotonic:
    """Whether values rise, or fall: of each partition that, and its ends."""

    name: str

    def chunk(self, partition: Any) -> tuple[bool, Any]:
        """Return whether it is so, and both ends."""
        ends = to_host(rows_of(partition, [0, -1] if len(partition) else []))
        return bool(getattr(partition, self.name)), ends

    def combine(self, partials: list[tuple[bool, Any]]) -> tuple[bool, Any]:
        """Look at the ends of neighbours."""
        ends = [ends for _, ends in partials]
        joined = concat_partitions(ends)
        rising = all(each for each, _ in partials) and bool(getattr(joined, self.name))
        return rising, rows_of(joined, [0, -1] if len(joined) else [])

    def finalize(self, partial: tuple[bool, Any]) -> bool:
        """Return the answer."""
        return partial[0]


def monotonic(x: Frame, name: str) -> Any:
    """Return whether values rise, or fall."""
    return wrap(reduction((x.expr,), Monotonic(name), name, True))
