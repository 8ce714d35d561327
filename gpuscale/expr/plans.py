"""Plans of `Exchange`: plain data that says how elements move between blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gpuscale.base.types import Chunks
from gpuscale.chunks.overlap import Boundary

__all__ = [
    "ALL",
    "CheckpointPlan",
    "ScanPlan",
    "SelectPlan",
    "SortPlan",
    "ConcatenatePlan",
    "GatherPlan",
    "Halo",
    "OWN",
    "OverlapPlan",
    "PickPlan",
    "RechunkPlan",
    "RecurrencePlan",
    "RegroupPlan",
    "ReshapePlan",
    "ScatterPlan",
    "ShufflePlan",
    "TakePlan",
]


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
class CheckpointPlan:
    """Blocks that are kept on disk: the missing ones are computed, the others are read.

    Parameters
    ----------
    entry : object
        ``entry.kept()`` is the set of blocks that are there, ``entry.keep(index, chunk)`` writes
        one and ``entry.read(index)`` reads it.
    quiet : bool
        Whether nobody wants the blocks themselves.
    """

    entry: Any
    quiet: bool
    label: ClassVar[str] = "checkpoint"

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> str:
        return self.label  # where something is kept changes nothing about what it is


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


@dataclass(frozen=True, eq=False)
class TakePlan:
    """Single elements along some axes, chosen one by one, become one axis.

    Parameters
    ----------
    axes : tuple of int
        Axes of the input that go, in ascending order.
    index : ndarray of int64
        Positions on the line of these axes, see `gpuscale.chunks.points`.
    max_bytes : int
        What one task should hold at most.

    Notes
    -----
    The new axis stands where the first of ``axes`` stood.
    """

    axes: tuple[int, ...]
    index: NDArray[np.int64]
    max_bytes: int
    label: ClassVar[str] = "take"


@dataclass(frozen=True, eq=False)
class ScatterPlan:
    """Single elements along some axes of the first input are replaced by those of the second.

    The axes of the second input are the points, in blocks that are the points of one block of the
    first input each, and then the other axes of the first input.

    Parameters
    ----------
    axes : tuple of int
        Axes of the first input that the points are on, in ascending order.
    index : ndarray of int64
        Ascending positions on the line of these axes, see `gpuscale.chunks.points`.
    ufunc : str, optional
        Name of a ufunc that makes the new elements of the old ones, and those of the second input
        if it takes two; positions may then come more than once.
    """

    axes: tuple[int, ...]
    index: NDArray[np.int64]
    ufunc: str | None = None

    @property
    def label(self) -> str:
        """Name for people."""
        return "scatter" if self.ufunc is None else f"{self.ufunc}.at"


@dataclass(frozen=True)
class PickPlan:
    """Whole blocks in another order, some left out, some more than once.

    Parameters
    ----------
    numbers : tuple of tuple of int
        For each axis the number of the input's block that each block of the result is.
    """

    numbers: tuple[tuple[int, ...], ...]
    label: ClassVar[str] = "blocks"


@dataclass(frozen=True)
class RegroupPlan:
    """Blocks along one axis that are put together of pieces of those of some inputs.

    Parameters
    ----------
    pieces : tuple of tuple of (int, int, callable or None)
        For each new block: the number of an input, of a block of it, and what takes a piece of that
        block; None takes it whole.
    join : callable
        ``join(pieces) -> block`` for a list of any length.
    label : str
    """

    pieces: tuple[tuple[tuple[int, int, Any], ...], ...]
    join: Any
    label: str = "regroup"


@dataclass(frozen=True)
class SortPlan:
    """Sort one axis across blocks: sort each, cut all by exact ranks, sort what meets.

    Several inputs, in equal blocks, are keys, of which the last is the first to decide.

    Parameters
    ----------
    positions : bool
        Return the positions of the sorted elements instead of the elements; of several keys there
        is nothing else to return.
    name : str
        For people; "sort" or "argsort" by default.
    """

    positions: bool = False
    name: str = ""

    @property
    def label(self) -> str:
        """Name for people."""
        return self.name or ("argsort" if self.positions else "sort")


ALL = -1


@dataclass(frozen=True)
class GatherPlan:
    """Each new block is a function of all blocks of the inputs along some of their axes.

    Parameters
    ----------
    function : callable
        Called as ``function(block, *blocks)``, where ``block`` is a `gpuscale.expr.kernels.Block`
        of the result; an input that is gathered comes as nested lists of blocks, a level for each
        axis that is gathered, in the order of its axes.
    axes : tuple of tuple of (int or None)
        For each axis of each input the axis of the result whose block number it follows, None
        where there is one block, `ALL` where all blocks are gathered.
    label : str
    room : int, optional
        Bytes that the function takes for its largest block, beside the inputs and the result; by
        default as many as the result. One that reads regions counts what it reads.
    """

    function: Any
    axes: tuple[tuple[int | None, ...], ...]
    label: str
    room: int | None = None


@dataclass(frozen=True)
class Halo:
    """How one input of an `OverlapPlan` is surrounded.

    Parameters
    ----------
    depth : tuple of (int, int)
        Elements before and after, for each axis of the input.
    boundary : tuple of Boundary
        What lies beyond the edges, for each axis.
    axes : tuple of (int or None)
        Axis of the result whose block number each axis follows, None where there is one block.
    """

    depth: tuple[tuple[int, int], ...]
    boundary: tuple[Boundary, ...]
    axes: tuple[int | None, ...]


@dataclass(frozen=True)
class OverlapPlan:
    """Each new block is a function of blocks with halos, less what the halos made it larger.

    Parameters
    ----------
    function : callable
        Called as ``function(block, *chunks)``; ``block`` is a `gpuscale.expr.kernels.Block`.
    halos : tuple of Halo
        One for each input.
    trim : tuple of tuple of (int, int)
        For each axis of the result and each block along it, what is cut off the function's
        result before and after.
    label : str
    """

    function: Any
    halos: tuple[Halo, ...]
    trim: tuple[tuple[tuple[int, int], ...], ...]
    label: str


@dataclass(frozen=True)
class ScanPlan:
    """Run sums and the like across blocks: totals of the blocks are carried on.

    Parameters
    ----------
    ufunc : str
        Name of an associative ufunc.
    axis : int
    """

    ufunc: str
    axis: int

    @property
    def label(self) -> str:
        """Name for people."""
        return {"add": "cumsum", "multiply": "cumprod"}.get(self.ufunc, self.ufunc)


@dataclass(frozen=True)
class SelectPlan:
    """Find the elements of some ranks among all elements, without sorting the rest.

    The first input has the elements, in blocks whose shapes and order do not matter. A second one,
    where given, is a sample of them with one axis.

    Parameters
    ----------
    rule : QuantileRule
        ``q`` are the shares of the elements that lie below the wanted ones, ``neighbours`` gives
        their ranks once it is known how many elements there are, ``combine`` the result; see
        `gpuscale.array.ranks`.
    """

    rule: Any
    label: ClassVar[str] = "select"


OWN = -1


@dataclass(frozen=True)
class RecurrencePlan:
    """Blocks that are functions of blocks of the inputs and of other blocks of the result.

    Parameters
    ----------
    reads : callable
        ``reads(index) -> sequence of (input, block index)`` for a block of the result; `OWN` in
        place of an input's number stands for the result itself. There must be no circle.
    function : callable
        Called as ``function(block, *chunks)`` with a `gpuscale.expr.kernels.Block` and what
        ``reads`` named.
    label : str
    """

    reads: Any
    function: Any
    label: str


@dataclass(frozen=True)
class ShufflePlan:
    """Rows go where a function says; new partitions are made of what comes to them.

    The first input is shuffled. Others have one block each, which every call of `cut` takes.

    Parameters
    ----------
    cut : callable
        ``cut(partition, *others)`` gives `gpuscale.memory.parts.Parts`, one for each new partition.
    make : callable
        ``make(pieces)`` puts a new partition together; it has all their rows.
    label : str
    """

    cut: Any
    make: Any
    label: str
