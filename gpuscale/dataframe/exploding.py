"""Rows of lists: ``explode``, where it is known before anything is computed that texts come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.dataframe.algorithms.columns import is_frame
from gpuscale.dataframe.minding import passes_on
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.expr.node import Node

__all__ = ["ExplodedTexts", "explodes_texts"]

_SPLITS = frozenset(("split", "rsplit"))


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

    def __call__(self, partition: Any, *args: Any, **kwargs: Any) -> Any:
        """Explode, and cast."""
        result = partition.explode(*args, **kwargs)
        return result.astype(dict.fromkeys(self.labels, "str") if is_frame(result) else "str")


def explodes_texts(node: Node, labels: Any) -> ExplodedTexts | None:
    """Return what explodes some columns, or a series, if all their lists are of texts.

    Parameters
    ----------
    node : Node
    labels : object
        One label, or a list of labels; what a series is given says nothing.
    """
    if isinstance(node.meta.frame, pd.Series):
        return ExplodedTexts(()) if _has_lists_of_texts(node, None) else None
    if not isinstance(node.meta.frame, pd.DataFrame) or not node.meta.frame.columns.is_unique:
        return None
    wanted: Sequence[Any] = labels if isinstance(labels, list) else [labels]
    if not wanted or not all(_has_lists_of_texts(node, label) for label in wanted):
        return None
    return ExplodedTexts(tuple(wanted))


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
    return dtype == np.dtype(object) or dtype == pd.StringDtype(na_value=np.nan)
