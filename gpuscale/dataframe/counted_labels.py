"""Whether the labels of rows still count these."""

from __future__ import annotations

import pandas as pd

from gpuscale.dataframe.nodes.by_memory import ByMemory
from gpuscale.dataframe.nodes.moving import ToBackend
from gpuscale.dataframe.nodes.partitions import Partitions
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.dataframe.nodes.regroup import Regroup
from gpuscale.dataframe.nodes.rows import Counted, Numbered
from gpuscale.dataframe.nodes.shuffle import Shuffle
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node

__all__ = ["count_rows"]


def count_rows(node: Node, were_all: bool = False) -> bool:
    """Whether the labels of a frame are no more than numbers of its rows, as far as plans tell.

    Where rows were taken away or moved, labels say which ones are left, though no name says so.

    Parameters
    ----------
    node : Node
    were_all : bool
        Whether rows that were taken away or moved do not matter.

    Examples
    --------
    >>> import gpuscale.dataframe as gd
    >>> df = gd.from_pandas(pd.DataFrame({"x": [3, 1, 2]}), npartitions=2)
    >>> count_rows(df.assign(y=df.x).expr), count_rows(df[df.x > 1].expr)
    (True, False)
    >>> count_rows(df.sort_values("x").expr), count_rows(df[df.x > 1].reset_index(drop=True).expr)
    (False, True)
    """
    index = getattr(node.meta.frame, "index", node.meta.frame)
    if not isinstance(index, pd.RangeIndex) or index.name is not None:
        return False
    if were_all:
        return True
    while isinstance(node, _HANDING_ON):
        if isinstance(node, Partwise) and node.rows not in ("same", "labels"):
            return node.rows == "new"
        if isinstance(node, Regroup) and node.label in ("iloc", "concat"):
            return False
        base = node.plan if isinstance(node, ByMemory) else None
        node = base or next(each for each in node.children if isinstance(each.meta, FrameMeta))
    if isinstance(node, Reduction):
        return not getattr(node.blueprint, "keeps_labels", False)
    if isinstance(node, Numbered):
        return node.label not in ("sample", "random_split")
    return not isinstance(node, Filter | Shuffle | Partitions)


_HANDING_ON = Project | Assign | Partwise | Counted | ToBackend | Regroup | ByMemory
