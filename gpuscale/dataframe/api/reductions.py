"""Reductions of frames and series, and how many rows there are."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.base.tokens import tokenize
from gpuscale.dataframe.algorithms.reductions import FOLDS, Length, blueprint
from gpuscale.dataframe.by_memory import by_memory
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import Frame, api, wrap
from gpuscale.dataframe.inference import emptied, of_numbers_made_up
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.minding import promoted
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.expr.frames import FrameMeta, ScalarMeta, unknown_rows
from gpuscale.expr.node import Node

__all__: list[str] = []

SPLIT = 16  # partials that one task combines


def reduce(x: Frame, name: str, *args: Any, **kwargs: Any) -> Any:
    """Reduce a frame or a series as the method of pandas of that name does."""
    split = kwargs.pop("split_every", None) or SPLIT
    kwargs.pop("split_out", None)  # dask's, which says how and not what
    options = _options(x, name, args, kwargs)
    axis = options.pop("axis", 0)
    if axis not in (None, 0, "index", "rows", *((1, "columns") if x.ndim == 2 else ())):
        raise ValueError(f"No axis named {axis} for object type {type(x).__name__}")
    if x.ndim == 2 and axis in (1, "columns"):
        return call(Method(name), (x,), {"axis": 1, **options}, name)
    if x.ndim == 2 and axis is None:
        if name not in FOLDS:
            raise NotSupportedError(f"{name} over both axes; say axis=0 or axis=1")
        return reduce(reduce(x, name, **options), name)
    if options.pop("numeric_only", False):
        x = of_columns(x, pd.api.types.is_numeric_dtype)
    if options.pop("bool_only", False):
        x = of_columns(x, pd.api.types.is_bool_dtype)
    if name == "nunique":
        return _different(x, options, split)
    return _in_parts(x, name, options, split)


@by_memory
def _different(x: Frame, options: dict[str, Any], split: int) -> Any:
    """Count the different values."""
    many = api().many
    if many.are_many(x):
        return many.nunique(x, options.get("dropna", True))
    return _in_parts(x, "nunique", options, split)


def _in_parts(x: Frame, name: str, options: dict[str, Any], split: int) -> Any:
    frame = x._meta
    template = _template(frame, name, options)
    plan = blueprint(name, frame, template, options, promoted(x.expr.meta))
    return wrap(reduction((x.expr,), plan, name, template, split))


def _template(frame: Any, name: str, options: dict[str, Any]) -> Any:
    """Return what pandas makes of made-up rows; objects may be numbers, as decimals are."""
    return of_numbers_made_up(lambda made: getattr(made, name)(**options), frame)


def reduction(
    inputs: tuple[Node, ...],
    plan: Any,
    label: str,
    template: Any,
    split_every: int = SPLIT,
    partial_bytes: int = 0,
) -> Node:
    """Return the node of a reduction.

    Parameters
    ----------
    inputs : tuple of Node
    plan : Blueprint
    label : str
    template : object or FrameMeta
        A value of the type that comes out, or a series or a frame of all its labels; or, where data
        decide the labels, what `one_partition` makes.
    split_every : int
    partial_bytes : int
        What a partial is projected to take, where it is more than a row.
    """
    width = sum(max(1, each.meta.row_bytes) for each in inputs if isinstance(each.meta, FrameMeta))
    out: Any = template if isinstance(template, FrameMeta) else ScalarMeta(template)
    if isinstance(template, pd.Series | pd.DataFrame):
        layout = tokenize("labels", template.index)
        out = FrameMeta(emptied(template), (len(template),), layout, sample=template)
    return Reduction(inputs, plan, label, max(64 + width, partial_bytes), split_every, out)


def one_partition(
    frame: Any, *identity: Any, projected: int = 0, rows: int | None = None
) -> FrameMeta:
    """Return what is known of a result in one partition whose labels data decide.

    Parameters
    ----------
    frame : object of pandas
        What comes out, without rows.
    *identity
        What decides the rows.
    projected : int
        How many there may be.
    rows : int, optional
        How many there are.
    """
    layout = tokenize("one partition", *identity)
    sizes = unknown_rows(layout, 1) if rows is None else (rows,)
    return FrameMeta(emptied(frame), sizes, layout, projected=(projected,))


def _options(x: Frame, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Options by name, those of pandas' method, as far as they are given."""
    method = getattr(type(x._meta), name)
    bound = inspect.signature(method).bind(None, *args, **kwargs).arguments
    rest = bound.pop("kwargs", {})
    bound.pop("self", None)
    return {**bound, **rest}


def of_columns(x: Any, test: Callable[[Any], bool]) -> Any:
    """Return the columns whose dtypes pass a test; a series as it is."""
    if x.ndim == 1:
        return x
    return x[[label for label, dtype in x.dtypes.items() if test(dtype)]]


def length(x: Frame) -> Any:
    """Return how many rows there are."""
    return wrap(reduction((x.expr,), Length(), "len", 0))


def size(x: Frame) -> Any:
    """Return how many elements there are."""
    width = x._meta.shape[1] if x.ndim == 2 else 1
    return wrap(reduction((x.expr,), Length(width), "size", 0))
