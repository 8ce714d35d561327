"""Functions that know the number of their partition take a value that is a source of its own."""

from __future__ import annotations

from typing import Any

from gpuscale.base.errors import GpuscaleError
from gpuscale.dataframe.lower.partwise import steps_of
from gpuscale.dataframe.nodes.rows import Counted, Numbered
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Source
from gpuscale.expr.stages import lowers
from gpuscale.io.frame_readers import Values

__all__ = ["lower_counted", "lower_numbered"]


@lowers(Counted)
def lower_counted(node: Counted) -> Node:
    """Compare the rows of each partition with what they were."""
    return steps_of(node, checked, (node.x, _values(node.rows)), (), "count")


@lowers(Numbered)
def lower_numbered(node: Numbered) -> Node:
    """Call the function with the value of each partition."""
    args = (*node.inputs, _values(node.values), *node.args)
    return steps_of(node, node.function, args, (), node.label)


def _values(values: tuple[Any, ...]) -> Node:
    return Source(Values(values), ArrayMeta(Values.dtype, ((1,) * len(values),)))


def checked(partition: Any, rows: int) -> Any:
    """Return a partition, if it has as many rows as were counted."""
    if len(partition) != rows:
        raise GpuscaleError(
            f"a partition has {len(partition)} rows but had {rows} when they were counted; the "
            "data must not change between the two, persist() it first"
        )
    return partition
