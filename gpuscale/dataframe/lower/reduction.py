"""A reduction becomes a chunk stage, which merges with the work before it, and a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gpuscale.backends.creation import is_on_device, parcel
from gpuscale.backends.transfer import to_device
from gpuscale.dataframe.lower.partwise import steps_of
from gpuscale.dataframe.nodes.partwise import leading
from gpuscale.dataframe.nodes.reduction import Reduction
from gpuscale.expr.meta import ArrayMeta
from gpuscale.expr.node import Node
from gpuscale.expr.physical import TreeReduce
from gpuscale.expr.stages import lowers

__all__ = ["lower_reduction"]


@dataclass(frozen=True)
class _Combine:
    """Combine the partials of neighbours."""

    blueprint: Any

    def __call__(self, parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
        return self.blueprint.combine(list(parts))

    @property
    def data_decide(self) -> bool:
        """Whether `needs` says what partials take at the most, and data how much it is."""
        return getattr(self.blueprint, "data_decide", False)

    def needs(self, sizes: Sequence[int]) -> tuple[int, int]:
        """Bytes of the partial, and of what making it takes."""
        if hasattr(self.blueprint, "needs"):
            needed: tuple[int, int] = self.blueprint.needs(sizes)
            return needed
        largest = max(sizes)
        return largest, largest


@dataclass(frozen=True)
class _Finish:
    """Make the result of the last partials, where those rows are that it is of.

    Values of columns come to the host one by one, so what has a label for each is made there.
    """

    blueprint: Any
    backend: str

    def of_parts(self, parts: Sequence[Any], grid: tuple[int, ...]) -> Any:
        """Combine them if there are several, and finish; as the blueprint does, if it does both."""
        return to_device(self._result(parts), self.backend) if self.backend else self._result(parts)

    def _result(self, parts: Sequence[Any]) -> Any:
        if hasattr(self.blueprint, "of_parts"):
            return self.blueprint.of_parts(list(parts))
        partial = parts[0] if len(parts) == 1 else self.blueprint.combine(list(parts))
        return self.blueprint.finalize(partial)


@lowers(Reduction)
def lower_reduction(node: Reduction) -> Node:
    """Reduce each partition, combine what comes of neighbours by a tree, finish."""
    first = leading(node.inputs)
    assert first is not None
    sizes = ((1,) * first.npartitions,)
    partials = steps_of(
        node,
        node.blueprint.chunk,
        node.inputs,
        (),
        node.label,
        out=ArrayMeta(parcel(max(1, node.partial_bytes)), sizes),
        domain=first.chunks,
    )
    blueprint = node.blueprint
    return TreeReduce(
        partials,
        _Combine(blueprint),
        _Finish(blueprint, node.meta.backend if is_on_device(node.meta.backend) else ""),
        (0,),
        node.meta.ndim == 1,
        (node.split_every,),
        node.label,
        node.meta,
    )
