"""Rows of lists: ``explode``; texts come out as texts in every partition, also of nulls alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.columns import columns_of, is_frame
from gpuscale.dataframe.algorithms.kinds import TEXT, TEXTS, Kinds
from gpuscale.dataframe.api.reductions import reduction
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.inference import emptied
from gpuscale.dataframe.methods import Method
from gpuscale.dataframe.minding import passes_on
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.passes import another_pass
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__: list[str] = []

_SPLITS = frozenset(("split", "rsplit"))


def explode(x: Any, labels: Sequence[Any], ignore_index: bool) -> Any:
    """Return a row for each element of lists.

    Parameters
    ----------
    x : DataFrame or Series
    labels : sequence of label
        Columns of lists; none of a series.
    ignore_index : bool
        Number the rows of the result.
    """
    args = (list(labels),) if x.ndim == 2 else ()
    result = _exploded(x, tuple(labels), args)
    return result.reset_index(drop=True) if ignore_index else result


def _exploded(x: Any, labels: tuple[Any, ...], args: tuple[Any, ...]) -> Any:
    is_named = x.ndim == 1 or x.columns.is_unique and set(labels) <= set(x.columns)
    function: Callable[..., Any] = Method("explode")
    if is_named and x.expr.meta.backend == FrameMeta.host:
        if all(_has_lists_of_texts(x.expr, label) for label in labels or [None]):
            function = ExplodedTexts(labels)
        elif any(each.dtype == object for each in columns_of(_columns(x, labels)._meta)):
            kinds = reduction(
                (another_pass(_columns(x, labels).expr),), Kinds(explodes=True), "kinds", ()
            )
            out = emptied(x._meta.explode(*args))
            args, function = (wrap(kinds), *args), Exploded(labels)
            return call(function, (x, *args), label="explode", rows="new", out=out)
    return call(function, (x, *args), label="explode", rows="new")


def _columns(x: Any, labels: tuple[Any, ...]) -> Any:
    return x if x.ndim == 1 else x[list(labels)]


@passes_on
@dataclass(frozen=True)
class ExplodedTexts:
    """Explode lists of texts; partitions of nulls alone, in which pandas sees none, are texts, too.

    Parameters
    ----------
    labels : tuple
        Columns of these lists; none of a series.
    """

    labels: tuple[Any, ...]

    def __call__(self, partition: Any, *args: Any) -> Any:
        """Explode, and cast."""
        result = partition.explode(*args)
        return result.astype(dict.fromkeys(self.labels, "str") if is_frame(result) else "str")


@dataclass(frozen=True)
class Exploded:
    """Explode lists of what data say; partitions of nulls alone are texts where all others are.

    Parameters
    ----------
    labels : tuple
        Columns of these lists; none of a series.
    """

    labels: tuple[Any, ...]

    def __call__(self, partition: Any, kinds: tuple[int, ...], *args: Any) -> Any:
        """Explode, and cast what is empty."""
        result = partition.explode(*args)
        if not is_frame(result):
            return result.astype("str") if kinds[0] == TEXTS else result
        texts = [label for label, kind in zip(self.labels, kinds, strict=True) if kind == TEXTS]
        return result.astype(dict.fromkeys(texts, "str")) if texts else result

    def outcomes(self, operand: Node, *rest: Any) -> list[Any]:
        """Return what else may come out: pandas makes texts of objects that all are texts."""
        frame = operand.meta.frame
        if not is_frame(frame):
            return [(TEXT,)]
        pairs = frame.dtypes.items()
        return [tuple(TEXT if label in self.labels and d.kind == "O" else d for label, d in pairs)]


def _has_lists_of_texts(node: Node, label: Any) -> bool:
    """Whether a column, or a series, comes of texts that are split, by way of rows and columns."""
    while not isinstance(node, Partwise):
        if isinstance(node, Assign) and label in node.names:
            node = node.values[len(node.names) - 1 - node.names[::-1].index(label)]
        elif isinstance(node, Project):
            label = node.columns[0] if node.as_series else label
            node = node.x
        elif isinstance(node, Assign | Filter):
            node = node.x
        else:
            return False
        if not isinstance(node, Node):
            return False
    return isinstance(node.meta.frame, pd.Series) and _splits(node)


def _splits(node: Partwise) -> bool:
    function = node.function
    if getattr(function, "accessor", "") != "str" or function.name not in _SPLITS:
        return False
    dtype = node.args[0].meta.frame.dtype
    return dtype == np.dtype(object) or dtype == TEXT
