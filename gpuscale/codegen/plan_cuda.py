"""Plan launches on a device: which axes are walked how, by how many threads.

All is decided by shapes and strides, so that the same computation gives the same bits again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen.body_cuda import BodySpec, steps_of
from gpuscale.codegen.geometry import dense_strides
from gpuscale.codegen.interpret import flat_position
from gpuscale.codegen.layout import Domain, Strides, merge_axes, walking_order
from gpuscale.codegen.map_cuda import MapSpec
from gpuscale.codegen.reduce_cuda import ReduceSpec
from gpuscale.codegen.request import Request
from gpuscale.codegen.tile_cuda import TileSpec
from gpuscale.codegen.turned_cuda import SIDE

__all__ = [
    "MapPlan",
    "ReducePlan",
    "Shares",
    "grid_of_map",
    "plan_map",
    "plan_reduce",
    "shares_of",
    "shares_of_tiles",
    "vector_dtypes",
]

VECTOR_BYTES = 16  # that one thread reads or writes by one access
NARROW = 8  # rows and columns; of fewer, reading across wastes little
LONG = 64  # operations; longer programs take one element at a time: they take long to compile


@dataclass(frozen=True)
class MapPlan:
    """How a map is launched.

    Attributes
    ----------
    spec : MapSpec or TileSpec
        A map takes one column at a time.
    width : int
        Columns that could be taken together, if addresses allow.
    order : tuple of int
        Axes of fresh results from slowest to fastest in memory.
    lengths : tuple of int
        Of the outer axes, then of the columns.
    steps : tuple of int
        The steps that are arguments of the kernel, in their order.
    """

    spec: MapSpec | TileSpec
    width: int
    order: tuple[int, ...]
    lengths: tuple[int, ...]
    steps: tuple[int, ...]


@lru_cache(maxsize=4096)
def plan_map(request: Request) -> MapPlan:
    """Choose the order of the walk and the text for a map."""
    program, shape = request.program, request.shape
    moving = [*request.arrays, *request.coefs]
    order = tuple(walking_order(shape, [*(request.outs or ()), *moving]))
    outs = list(request.outs or [dense_strides(shape, order)] * len(program.outputs))
    domain = merge_axes(Domain(shape, (False,) * len(shape), (*moving, *outs)), order)
    strides, lengths = domain.strides, domain.shape
    if not lengths:  # a single element
        strides, lengths = ((0,),) * len(strides), (1,)
    turned, axes = _turned(strides[: len(request.arrays)], lengths)
    lengths = tuple(lengths[a] for a in axes)
    strides = tuple(tuple(each[a] for a in axes) for each in strides)
    n_loads, n_moving = len(request.arrays), len(moving)
    parts = (
        program,
        len(lengths) - 1,
        1,
        tuple(map(steps_of, strides[:n_loads])),
        tuple(map(steps_of, strides[n_loads:n_moving])),
        tuple(map(steps_of, strides[n_moving:])),
    )
    spec = TileSpec(*parts, turned=turned) if turned else MapSpec(*parts)
    width = 1 if isinstance(spec, TileSpec) else _width(spec, strides, lengths)
    steps = _given_steps(spec, strides, [f"o{k}" for k in range(len(outs))])
    return MapPlan(spec, width, order, lengths, steps)


def _turned(
    loads: Sequence[Strides], lengths: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Arrays to read across, and the order of axes that puts their own rows beside the columns."""
    last = len(lengths) - 1
    axes = tuple(range(last + 1))
    across = [k for k, steps in enumerate(loads) if steps[-1] not in (0, 1)]
    for row in range(last):
        turned = tuple(k for k in across if loads[k][row] == 1)
        if turned and min(lengths[row], lengths[last]) >= NARROW:
            return turned, (*(a for a in axes if a not in (row, last)), row, last)
    return (), axes


def _given_steps(
    spec: BodySpec, strides: Sequence[Strides], others: Sequence[str]
) -> tuple[int, ...]:
    """Steps that the text of a kernel does not know, in the order of its arguments."""
    names = [f"l{k}" for k in range(len(spec.loads))]
    names += [f"x{k}" for k in range(len(spec.indices))]
    by_name = dict(zip([*names, *others], strides, strict=True))
    return tuple(
        by_name[name][a]
        for name, steps in spec.moving.items()
        for a, step in enumerate(steps)
        if step == "s"
    )


def vector_dtypes(spec: MapSpec) -> dict[str, np.dtype[Any]]:
    """Dtypes of the operands that move along the columns, by name."""
    found = {f"l{k}": dtype for k, dtype in spec.load_dtypes.items() if spec.loads[k][-1] != "0"}
    return found | {f"o{k}": dtype for k, dtype in enumerate(spec.program.dtypes)}


def _width(spec: MapSpec, strides: Sequence[Strides], lengths: Sequence[int]) -> int:
    """Columns that one thread can take by accesses of 16 bytes; 1 where it cannot."""
    dtypes = vector_dtypes(spec)
    if len(spec.expanded.instrs) > LONG or any(d.kind == "c" for d in dtypes.values()):
        return 1
    if any(spec.moving[name][-1] != "1" for name in dtypes):
        return 1
    width = min(8, VECTOR_BYTES // max(d.itemsize for d in dtypes.values()))
    first = {"l": 0, "o": len(spec.loads) + len(spec.indices)}
    rows = [strides[first[name[0]] + int(name[1:])] for name in dtypes]
    while width > 1 and (
        lengths[-1] < width or any(step % width for row in rows for step in row[:-1])
    ):
        width //= 2
    return width


def grid_of_map(
    rows: int, columns: int, threads: int, blocks: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Blocks of a grid and threads of a block, along (columns, rows).

    Examples
    --------
    >>> grid_of_map(1, 10**6, 256, 4096), grid_of_map(1000, 3, 256, 4096)
    (((3907, 1), (256, 1)), ((1, 16), (4, 64)))
    """
    across = min(threads, _power_above(columns))
    down = min(threads // across, _power_above(rows))
    grid_across = min(-(-columns // across), blocks)
    grid_down = min(-(-rows // down), max(1, blocks // grid_across))
    return (grid_across, grid_down), (across, down)


@dataclass(frozen=True)
class ReducePlan:
    """How a reduction is launched.

    Attributes
    ----------
    spec : ReduceSpec
        But for the threads, and whether one block does all.
    order : tuple of int
        Axes of the results from slowest to fastest in memory.
    lengths : tuple of int
        Of the outer axes, then of the inner ones.
    steps : tuple of int
        The steps that are arguments of the kernel, in their order.
    joins : bool
        Whether what is left for the outer axes is joined to one result: all axes are reduced, but
        neighbouring threads take neighbours of one of them.
    """

    spec: ReduceSpec
    order: tuple[int, ...]
    lengths: tuple[int, ...]
    steps: tuple[int, ...]
    joins: bool

    @property
    def sizes(self) -> tuple[int, int]:
        """Positions of the outer axes, and of the inner ones."""
        outer = self.spec.outer
        return math.prod(self.lengths[:outer]), math.prod(self.lengths[outer:])


@lru_cache(maxsize=4096)
def plan_reduce(request: Request, wants_position: bool) -> ReducePlan:
    """Choose the order of the walk and the text for a reduction."""
    shape, axes = request.shape, request.axes
    moving = [*request.arrays, *request.coefs]
    order = tuple(walking_order(shape, moving))
    if wants_position:
        moving.append(flat_position(shape, axes).coefs)
    reduced = tuple(a in axes for a in range(len(shape)))
    domain = merge_axes(Domain(shape, reduced, tuple(moving)), order)
    across = not domain.reduced or domain.reduced[-1]
    outer = [a for a, inner in enumerate(domain.reduced) if not inner]
    inner = [a for a, inner in enumerate(domain.reduced) if inner]
    turned, lane, row = _turned_in(domain, outer or inner, inner, len(request.arrays))
    joins = bool(turned) and not outer
    if turned:
        outer = [*(a for a in outer if a != lane), lane]
        inner = [*(a for a in inner if a not in (row, lane)), row]
        across = False
    domain = domain.take([*outer, *inner])
    n_loads, n_moving = len(request.arrays), len(request.arrays) + len(request.coefs)
    steps = [steps_of(each) for each in domain.strides]
    spec = ReduceSpec(
        request.program,
        len(outer),
        len(inner),
        tuple(steps[:n_loads]),
        tuple(steps[n_loads:n_moving]),
        (),
        request.reductions,
        steps[-1] if wants_position else (),
        across=across,
        turned=turned,
    )
    others = ["flat"] * wants_position
    given = _given_steps(spec, domain.strides, others)
    return ReducePlan(spec, order, domain.shape, given, joins)


def _turned_in(
    domain: Domain, lanes: Sequence[int], rows: Sequence[int], n_loads: int
) -> tuple[tuple[int, ...], int, int]:
    """Arrays to read across in a reduction, the axis of neighbouring threads, and their own."""
    loads = domain.strides[:n_loads]
    for lane in reversed(lanes):
        for row in reversed(rows):
            if lane == row or min(domain.shape[lane], domain.shape[row]) < NARROW:
                continue
            turned = tuple(
                k for k, steps in enumerate(loads) if steps[row] == 1 and steps[lane] not in (0, 1)
            )
            if turned and any(steps[lane] == 1 for steps in loads):
                return turned, lane, row
    return (), 0, 0


@dataclass(frozen=True)
class Shares:
    """How positions and elements are shared out among threads and blocks.

    Attributes
    ----------
    lanes : int
        Positions that a block works on at once.
    parts : int
        Threads for each of them.
    grid : tuple of int
        Blocks along the positions, and slices of the elements.
    """

    lanes: int
    parts: int
    grid: tuple[int, int]


ALONG = 32  # neighbouring positions that a block takes at least, to read whole sectors
ELEMENTS = 8  # that a thread takes at least before another block helps
SLICES = 1024  # blocks that work on one position at most


def shares_of(outer: int, inner: int, across: bool, threads: int, blocks: int) -> Shares:
    """Share out a reduction of ``inner`` elements for each of ``outer`` positions.

    Examples
    --------
    >>> shares_of(1, 10**6, True, 256, 4096)
    Shares(lanes=1, parts=256, grid=(1, 488))
    >>> shares_of(1000, 1000, False, 256, 4096)
    Shares(lanes=32, parts=8, grid=(32, 15))
    """
    lanes = 1 if across else min(ALONG, threads, _power_above(outer))
    parts = min(threads // lanes, _power_above(inner))
    lanes = threads // parts
    along = min(-(-outer // lanes), blocks)
    helping = min(SLICES, max(1, blocks // along), max(1, inner // (parts * ELEMENTS)))
    return Shares(lanes, parts, (along, helping))


def shares_of_tiles(outer: int, inner: int, threads: int, blocks: int) -> Shares:
    """Share out a reduction that reads arrays across: a block takes squares.

    Examples
    --------
    >>> shares_of_tiles(1000, 1000, 256, 4096)
    Shares(lanes=32, parts=8, grid=(32, 32))
    """
    along = min(-(-outer // SIDE), blocks)
    helping = min(SLICES, max(1, blocks // along), -(-inner // SIDE))
    return Shares(SIDE, threads // SIDE, (along, helping))


def _power_above(n: int) -> int:
    return 1 << max(0, n - 1).bit_length()
