"""Whole partitions: some of them, functions of them, and as delayed values; first and last rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.nearest import nearest_told
from gpuscale.dataframe.algorithms.cuts import index_of
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, wrap
from gpuscale.dataframe.inference import emptied, inferred_of_values, names_in, sample
from gpuscale.dataframe.nodes.partitions import Partitions
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Numbered
from gpuscale.dataframe.promises import Promised, alike, of_a_kind, promise
from gpuscale.dataframe.settling import exact, settled
from gpuscale.dataframe.undecided import is_undecided
from gpuscale.expr.node import Node

__all__ = ["map_partitions"]


class PartitionIndexer:
    """``df.partitions[1:3]``: whole partitions by their numbers."""

    def __init__(self, x: Frame) -> None:
        self._x = x

    def __getitem__(self, key: Any) -> Any:
        numbers = np.atleast_1d(np.arange(self._x.npartitions)[key]).tolist()
        return wrap(chosen(self._x.expr, tuple(numbers)))

    def __len__(self) -> int:
        return self._x.npartitions

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))


def chosen(node: Node, numbers: tuple[int, ...]) -> Node:
    """Return a node of some partitions; itself where these are all."""
    return node if numbers == tuple(range(node.meta.npartitions)) else Partitions(node, numbers)


def map_partitions(
    func: Callable[..., Any],
    *args: Any,
    meta: Any = None,
    enforce_metadata: bool = True,
    transform_divisions: bool = True,
    align_dataframes: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function on each partition, and put what it gives together.

    Parameters
    ----------
    func : callable
        Called with the partitions of those arguments that are frames, series or indexes.
    *args
        At least one of them has partitions; values and constants are given to each call.
    meta : object of pandas, dtype, pair of name and dtype, or mapping, optional
        What the function gives, without rows; by default it is tried on made-up rows. Each result
        is compared with it.
    enforce_metadata : bool
        Whether results are compared.
    transform_divisions, align_dataframes : bool
        As dask has them; frames are always aligned. Divisions are not known of what comes out,
        since nobody knows what the function does to labels.
    **kwargs
        Given to the function.

    Examples
    --------
    >>> import pandas as pd
    >>> import gpuscale.dataframe as gd
    >>> df = gd.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), npartitions=2)
    >>> gd.map_partitions(lambda part: part.x * 2, df).compute().tolist()
    [2, 4, 6]
    """
    name = getattr(func, "__name__", "map_partitions")
    first = next((each for each in args if isinstance(each, Frame)), None)
    if first is None:
        raise TypeError("map_partitions needs a frame, a series or an index among its arguments")
    if meta is None:
        out = _tried(func, args, kwargs)
    else:
        out = promise(meta, first._meta)
    is_sure = not any(isinstance(each, Frame) and is_undecided(each.expr) for each in args)
    agree = alike if is_sure else of_a_kind
    function = (
        Promised(func, out, agree=agree, is_said=meta is not None) if enforce_metadata else func
    )
    return call(function, args, kwargs, name, "new", out)


def _tried(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    operands = tuple(each.expr if hasattr(each, "expr") else each for each in args)
    named = {name: each.expr if hasattr(each, "expr") else each for name, each in kwargs.items()}
    try:
        with nearest_told(chain.from_iterable(names_in(sample(each)) for each in operands)):
            result = inferred_of_values(func, operands, named)
    except Exception as error:
        error.add_note(
            "gpuscale called the function with made-up rows, to know what comes out; say what it "
            "gives by meta=, a frame without rows or a mapping of columns to dtypes"
        )
        raise
    if not isinstance(result, pd.DataFrame | pd.Series | pd.Index):
        result = pd.Series([result])
    return emptied(result)


def computed(x: Frame) -> Iterator[Any]:
    """Compute one partition after the other, which have the dtypes of all rows."""
    for part in wrap(exact(x.expr)).partitions:
        yield part.compute()


def to_delayed(x: Frame) -> list[Any]:
    """Return each partition as a delayed value."""
    from gpuscale.lazy import delayed

    parts = wrap(settled(x.expr)).partitions
    return [delayed(parts[k]) for k in range(x.npartitions)]


def without_divisions(node: Node) -> Node:
    """Return a frame of which nobody knows the bounds of its index."""
    meta = node.meta
    if meta.divisions is None:
        return node
    pieces = tuple(((0, block, None),) for block in range(meta.npartitions))
    return Regroup((node,), pieces, None, "clear_divisions")


def within_divisions(x: Frame) -> Any:
    """Return a frame whose labels are compared with its divisions when they are there."""
    bounds = x.expr.meta.divisions
    if bounds is None:
        raise ValueError("divisions of this frame are not known, and cannot be enforced")
    last = len(bounds) - 2
    values = tuple(
        (*pair, k == last) for k, pair in enumerate(zip(bounds, bounds[1:], strict=False))
    )
    return wrap(Numbered(in_bounds, (x.expr,), values, (), "enforce_divisions", None, x._meta))


def in_bounds(partition: Any, bounds: tuple[Any, Any, bool]) -> Any:
    """Return a partition, if its labels lie within its bounds.

    Raises
    ------
    RuntimeError
        If one does not.
    """
    low, high, is_last = bounds
    index = index_of(partition)
    inside = (index >= low) & ((index <= high) if is_last else (index < high))
    if not inside.all():
        raise RuntimeError(
            f"label {index[~inside][0]!r} of a partition lies beyond its divisions, {low!r} to "
            f"{high!r}; clear_divisions() or set_index() anew"
        )
    return partition
