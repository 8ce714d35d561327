"""Partitions get the dtypes that pandas has for all rows, where that makes a difference.

Of some operations each partition has the dtype that its own rows need (`undecided`). Who passes
elements on does not mind: put together, they have the dtype of pandas. Whoever looks at them would
tell partitions apart, so before it all partitions are looked at, and those that differ are cast.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpuscale.dataframe.algorithms.settling import Dtypes, Settle
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.partwise import Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.passes import another_pass
from gpuscale.dataframe.undecided import is_undecided, undecided_labels, with_dtypes
from gpuscale.expr.frames import ScalarMeta
from gpuscale.expr.node import Node, on_behalf_of
from gpuscale.run import compute

__all__ = ["exact", "settled"]

_SPLIT = 16  # partitions whose dtypes one task puts together


def settled(node: Node) -> Node:
    """Return a frame whose partitions all have the dtypes that pandas has; itself if it is sure."""
    if not is_undecided(node) or node.meta.npartitions == 1:
        return node
    with on_behalf_of(node):
        return Partwise(
            Settle(), (node, dtypes_of(node)), (), Settle.label, "same", node.meta.frame
        )


def exact(node: Node) -> Node:
    """Return a frame whose dtypes are known before it is computed: those data decide are, now."""
    if not is_undecided(node):
        return node
    with on_behalf_of(node):
        meta = node.meta
        (like,) = compute(wrap(dtypes_of(node)))
        out = like
        if isinstance(meta.frame, pd.DataFrame):
            found = list(like.dtypes)
            if meta.frame.columns.is_unique:
                decided = dict(like.dtypes)
                found = [decided.get(label, dtype) for label, dtype in meta.frame.dtypes.items()]
            out = with_dtypes(meta.frame, found)
        return Partwise(Settle(True), (node, like), (), Settle.label, "same", out)


def dtypes_of(node: Node) -> Node:
    """Return a value that is the frame without rows, with the dtypes that pandas has."""
    undecided, meta = another_pass(node), node.meta
    if isinstance(meta.frame, pd.DataFrame) and meta.frame.columns.is_unique:
        undecided = Project(undecided, tuple(undecided_labels(meta)), False)
    like: Any = ScalarMeta(undecided.meta.frame)
    return Reduction((undecided,), Dtypes(), "dtypes", 1024, _SPLIT, like)
