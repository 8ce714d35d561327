"""Plans of `Exchange`: plain data that says how elements move between blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpuscale.base.types import Chunks

__all__ = ["RechunkPlan"]


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
