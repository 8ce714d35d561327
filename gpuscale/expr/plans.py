"""Plans of `Exchange`: plain data that says how elements move between blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpuscale.base.types import Chunks

__all__ = ["ConcatenatePlan", "ReshapePlan", "RechunkPlan"]


@dataclass(frozen=True)
class RechunkPlan:
    """Copy between chunk grids, through intermediate grids that bound memory and task counts.

    Parameters
    ----------
    steps : tuple of Chunks
        Grids to pass through, the last one is that of the result.
    """

    steps: tuple[Chunks, ...]
    label: ClassVar[str] = "rechunk"


@dataclass(frozen=True)
class ConcatenatePlan:
    """Blocks of several inputs, one input after the other along an axis.

    Parameters
    ----------
    axis : int
    """

    axis: int
    label: ClassVar[str] = "concatenate"


@dataclass(frozen=True)
class ReshapePlan:
    """Every block gets another shape; blocks keep their C order."""

    label: ClassVar[str] = "reshape"
