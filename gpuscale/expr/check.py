"""What may exist after each stage: the optimizer checks itself."""

from __future__ import annotations

from collections.abc import Iterable

from gpuscale.base.errors import GpuscaleError
from gpuscale.expr.node import Node
from gpuscale.expr.physical import Blockwise, Physical
from gpuscale.expr.walk import toposort

__all__ = ["check"]


def check(roots: Iterable[Node], stage: str) -> None:
    """Raise where a stage left something illegal behind.

    Raises
    ------
    GpuscaleError
        Naming the node and what is wrong; always a defect of gpuscale, never of its user.
    """
    if stage == "simplify":
        return
    for node in toposort(roots):
        if not isinstance(node, Physical):
            raise GpuscaleError(f"after stage {stage!r} a logical node is left: {node!r}")
        if isinstance(node, Blockwise):
            _check_blockwise(node, stage)


def _check_blockwise(node: Blockwise, stage: str) -> None:
    if tuple(map(len, node.domain)) != node.meta.numblocks:
        raise GpuscaleError(
            f"after stage {stage!r} {node.name} iterates over a grid of "
            f"{tuple(map(len, node.domain))} blocks but makes {node.meta.numblocks}"
        )
    for each in node.inputs:
        if (each.view is None) == (each.axes is None):
            raise GpuscaleError(f"after stage {stage!r} an input of {node.name} is not aligned")
        spec = each.axes if each.view is None else each.view.axes
        assert spec is not None
        if len(spec) != each.node.meta.ndim:
            raise GpuscaleError(
                f"after stage {stage!r} {node.name} reads {each.node.name} with {len(spec)} axes, "
                f"which has {each.node.meta.ndim}"
            )
