"""Reductions as blueprints: what each partition yields, how that combines, how it finishes."""

from __future__ import annotations

from typing import Any, Protocol

from gpuscale.dataframe.nodes.moving import common_backend
from gpuscale.dataframe.undecided import dtypes_in, loosened, may_vary, nulled, of_objects, unlike
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.meta import GridMeta
from gpuscale.expr.node import Node

__all__ = ["Blueprint", "Reduction"]


class Blueprint(Protocol):
    """Three pure functions on objects of pandas, as one that is pickled and has a token.

    A dataclass is best. Partials may be of any type that pickles. They come in the order of the
    partitions, and are combined only with neighbours.

    Three more are looked for: ``needs(sizes) -> (partial, workspace)``, bytes of a partial from
    those of its parts; ``data_decide``, whether that is an upper bound; and ``of_parts(partials)``,
    which makes the result of the last partials instead of `combine` and `finalize`.
    """

    def chunk(self, *partitions: Any) -> Any:
        """Return the partial of one partition, of each input."""
        ...

    def combine(self, partials: list[Any]) -> Any:
        """Return the partial of some neighbours."""
        ...

    def finalize(self, partial: Any) -> Any:
        """Return the result."""
        ...


class Reduction(Node):
    """Reduce aligned frames to one value, or to one partition.

    Parameters
    ----------
    inputs : tuple of Node
        Aligned; values that all partitions share may be among them.
    blueprint : Blueprint
    label : str
    partial_bytes : int
        Projected bytes of a partial.
    split_every : int
        Partials that one task combines.
    out : GridMeta
    """

    inputs: tuple[Node, ...]
    blueprint: Any
    label: str
    partial_bytes: int
    split_every: int
    out: GridMeta

    @property
    def name(self) -> str:
        return self.label

    def _infer(self) -> GridMeta:
        backend = common_backend(self.inputs)
        if not isinstance(self.out, FrameMeta):
            return self.out
        out = self.out.frame
        varies = (
            [loosened(dtypes_in(out))] if may_vary(self.blueprint) else nulled(out, self.inputs)
        )
        varies += of_objects(out, self.inputs)
        other = unlike(out, varies) if backend == FrameMeta.host else None
        return self.out.with_(backend=backend, otherwise=other)
