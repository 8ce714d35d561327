"""Work on single partitions becomes steps, which fusion merges into one task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpuscale.dataframe.algorithms.columns import selected
from gpuscale.dataframe.inference import operands_of
from gpuscale.dataframe.nodes.partwise import Assign, Filter, Partwise, Project, assigned
from gpuscale.expr.meta import GridMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import BlockInput, Blockwise
from gpuscale.expr.stages import lowers
from gpuscale.expr.steps import Step, StepsKernel, Value

__all__ = ["steps_of"]


@lowers(Partwise)
def lower_partwise(node: Partwise) -> Node:
    """Call the function."""
    return steps_of(node, node.function, node.args, node.kwargs, node.label)


@lowers(Project)
def lower_project(node: Project) -> Node:
    """Take columns, which copies nothing."""
    if node.as_series:
        return steps_of(node, taken, (node.x, node.columns[0]), (), node.name)
    return steps_of(node, selected, (node.x, node.columns), (), node.name)


@lowers(Filter)
def lower_filter(node: Filter) -> Node:
    """Take rows."""
    return steps_of(node, taken, (node.x, node.mask), (), node.name)


@lowers(Assign)
def lower_assign(node: Assign) -> Node:
    """Put columns into a copy on write."""
    return steps_of(node, assigned, (node.x, node.names, *node.values), (), node.name)


def taken(frame: Any, what: Any) -> Any:
    """Return a column of a frame, or rows of anything."""
    return frame[what]


def steps_of(
    node: Node,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
    label: str,
    out: GridMeta | None = None,
    domain: Any = None,
) -> Blockwise:
    """Return a node that calls a function once for each partition.

    Parameters
    ----------
    node : Node
        What is lowered; whose line errors name.
    function, args, kwargs, label
        The call; nodes among its arguments are physical.
    out : GridMeta, optional
        What comes out, by default what the node promises.
    domain : Chunks, optional
        Rows of the partitions that it is called for, by default those that come out.
    """
    meta = node.meta if out is None else out
    chunks = meta.chunks if domain is None else domain
    inputs = operands_of(args, kwargs)
    values = {each.token: Value(k) for k, each in enumerate(inputs)}

    def value_of(each: Any) -> Any:
        return values[each.token] if isinstance(each, Node) else each

    step = Step(
        function,
        tuple(map(value_of, args)),
        tuple((name, value_of(value)) for name, value in kwargs),
        label,
        node.origin,
    )
    aligned = tuple(BlockInput(each, axes=_axes(each.meta, chunks)) for each in inputs)
    kernel = StepsKernel(len(inputs), (step,))
    return Blockwise(kernel, aligned, chunks, meta)


def _axes(meta: GridMeta, chunks: Any) -> tuple[int | None, ...]:
    """Which partition of an input a task takes: its own, or the only one."""
    if not meta.ndim:
        return ()
    return (0,) if meta.numblocks == tuple(map(len, chunks)) else (None,)
