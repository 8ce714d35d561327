"""A block and its mirror image in one task, where both need the same random numbers.

Drawing numbers is most of the work in ``(X + X.T).sum()`` with a random X. Block (I, J) needs
blocks (I, J) and (J, I) of X, and so does block (J, I): one task draws them once for both, and
two tasks that do nothing else hand its results on.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from gpuscale.base.types import BlockIndex
from gpuscale.expr.kernels import ReduceKernel
from gpuscale.expr.physical import Blockwise
from gpuscale.graph.sizes import all_nbytes, workspaces

if TYPE_CHECKING:
    from gpuscale.graph.build import GraphBuilder

__all__ = ["is_mirrored", "lay_out_mirrored"]


def is_mirrored(node: Blockwise) -> bool:
    """Whether a block of the node and its mirror image need the same random numbers."""
    kernel, domain = node.kernel, node.domain
    return (
        isinstance(kernel, ReduceKernel)
        and len(domain) == 2
        and node.space.known
        and domain[0] == domain[1]
        and node.meta.backend == "numpy"
        and kernel.reads_transposed()
    )


def lay_out_mirrored(builder: GraphBuilder, node: Blockwise, wanted: Sequence[BlockIndex]) -> None:
    """Add one task for each pair of wanted blocks, and for each block without a partner."""
    everything = set(wanted)
    for index in wanted:
        image = index[::-1]
        if image < index and image in everything:
            continue  # comes with its image
        pair = [index, image] if image != index and image in everything else [index]
        _lay_out_together(builder, node, pair)


def _lay_out_together(builder: GraphBuilder, node: Blockwise, pair: list[BlockIndex]) -> None:
    keys, sizes = builder.keys(node, pair), all_nbytes(node, pair)
    deps = [builder.want(each, block) for index in pair for each, (block,) in node.reads((index,))]
    both = (f"{keys[0][0]}-mirrored", *pair[0])
    # The results count where they are handed on.
    room = sum(sizes) + max(workspaces(node, pair))
    builder.add(both, node, node.run_mirrored, deps, (tuple(pair),), 0, room)
    for k, (key, nbytes) in enumerate(zip(keys, sizes, strict=True)):
        builder.add(key, node, itemgetter(k), [both], (), nbytes, 0)
