"""Plan launches of kernels: from a program, shapes and strides to a vector of integers.

A `Plan` is made once for each (program, shape, strides) and kept, since the blocks of an array
look alike; a launch only fills in addresses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.codegen import random_ops
from gpuscale.codegen.accumulate import accumulator_of
from gpuscale.codegen.geometry import HEADER, OPERAND, dense_strides
from gpuscale.codegen.interpret import flat_position
from gpuscale.codegen.layout import (
    FOLDED,
    Domain,
    Layout,
    Strides,
    choose_layout,
    merge_axes,
    walking_order,
)
from gpuscale.codegen.program import ScalarProgram
from gpuscale.codegen.request import Request
from gpuscale.codegen.schedule import loop_of
from gpuscale.codegen.spec import KernelSpec
from gpuscale.codegen.text_cpu import SLOT

__all__ = ["Plan", "fillable_draws", "make_geometry", "make_plan", "result_strides"]

BLOCK_BYTES = 1 << 19  # tiles of all buffers together: they stay in the second-level cache
ROW_BYTES = 1 << 17  # the same where tiles may be flat
MOST_COLUMNS = 1024  # columns of an unbuffered tile of a reduction: lanes stay in the first level
MOST_LANES = 64


@dataclass(frozen=True)
class Plan:
    """How a request is launched.

    Attributes
    ----------
    spec : KernelSpec
    geometry : numpy.ndarray
        The vector of the kernel, all but addresses and bases filled in.
    order : tuple of int
        Axes of fresh results from slowest to fastest in memory.
    scratch : int
        Bytes of buffers and lanes.
    """

    spec: KernelSpec
    geometry: Any
    order: tuple[int, ...]
    scratch: int


def make_plan(request: Request) -> Plan:
    """Choose layout, tiles and kernel for a request."""
    shape = request.shape
    moving = [*request.arrays, *request.coefs]
    order = walking_order(shape, [*(request.outs or ()), *moving])
    operands = [*moving, *result_strides(request, order)]
    reduced = tuple(a in request.axes for a in range(len(shape)))
    domain = merge_axes(Domain(shape, reduced, tuple(operands)), order)
    roles = _roles(request, len(operands))
    layout = choose_layout(domain, roles, bool(request.reductions), _fold_cost(request))
    spec = _spec(request, layout)
    geometry, scratch = make_geometry(spec, [layout], _tile_sizes(spec, layout))
    return Plan(spec, geometry, tuple(order), scratch)


def make_geometry(
    spec: KernelSpec, sides: Sequence[Layout], tile: tuple[int, int, int]
) -> tuple[Any, int]:
    """Write the vector of a launch, all but addresses; the bytes of scratch memory it needs.

    Parameters
    ----------
    spec : KernelSpec
    sides : sequence of Layout
        One, or the two of a mirrored pair.
    tile : tuple of int
        Rows and columns of a tile, and lanes.
    """
    program, layout, (tile_rows, tile_columns, lanes) = spec.program, sides[0], tile
    area = tile_rows * tile_columns * spec.slot
    header = dict.fromkeys(HEADER, 0) | {
        "n_operands": len(spec.operands),
        "n_outer": len(layout.outer),
        "count": math.prod(layout.outer),
        "rows": layout.rows,
        "columns": layout.columns,
        "tile_rows": tile_rows,
        "tile_columns": tile_columns,
        "lanes": lanes,
        "area": area,
        "outer_at": spec.outer_at,
        # Before the first tile: the first step of the walk wraps around on all axes.
        "outer": -1,
        "i0": layout.rows,
        "j0": layout.columns,
    }
    operands = [
        dict.fromkeys(OPERAND, 0) | {"step_i": strides[-2], "step_j": strides[-1], "unit": unit}
        for side in sides
        for strides, unit in zip(side.strides, _units(spec), strict=True)
    ]
    addresses = [0] * spec.n_totals * len(sides)
    for value in spec.calls:
        addresses += loop_of(program, program.instrs[value]) or (0, 0)
    addresses += [0] * len(spec.helpers)
    outer = [*layout.outer, *(n for strides in layout.strides for n in strides[:-2])]
    words = [*header.values(), *(w for each in operands for w in each.values()), *addresses, *outer]
    scratch = spec.n_buffers * area + spec.n_lanes * lanes * SLOT
    return np.array(words, dtype=np.int64), scratch


def _units(spec: KernelSpec) -> list[int]:
    """Bytes of an element of each operand; 1 for values."""
    units = dict.fromkeys(spec.operands, 1)
    for instr in spec.program.instrs:
        if instr.op == "load":
            units[f"l{instr.imm[0]}"] = instr.dtype.itemsize
    for k in range(len(spec.outs)):
        units[f"o{k}"] = spec.program.dtypes[k].itemsize
    return list(units.values())


def result_strides(request: Request, order: Sequence[int]) -> list[Strides]:
    """Strides of what is written: results of a map, or position and accumulators."""
    if not request.reductions:
        if request.outs is not None:
            return list(request.outs)
        return [dense_strides(request.shape, order)] * len(request.program.outputs)
    keep = tuple(1 if a in request.axes else n for a, n in enumerate(request.shape))
    kept = dense_strides(keep, range(len(keep)))
    kept = tuple(0 if a in request.axes else s for a, s in enumerate(kept))
    if any(name.startswith("arg") for name in request.reductions):
        return [flat_position(request.shape, request.axes).coefs, kept]
    return [kept]


def _roles(request: Request, count: int) -> list[str]:
    roles = ["load"] * len(request.arrays)
    drawn = {k for _, k in fillable_draws(request.program)}
    roles += ["random" if k in drawn else "index" for k in range(len(request.coefs))]
    return roles + ["accumulator" if request.reductions else "out"] * (count - len(roles))


def _fold_cost(request: Request) -> float:
    pairs = zip(request.reductions, request.program.dtypes, strict=False)
    found = (accumulator_of(name, dtype) for name, dtype in pairs)
    return sum(a.fold for a in found if a is not None)


def fillable_draws(program: ScalarProgram) -> list[tuple[int, int]]:
    """Random values that can be drawn a row at a time, with their index function."""
    found = []
    for value, instr in enumerate(program.instrs):
        row = random_ops.BY_NAME.get(instr.op)
        if row is None or not row.fill:
            continue
        *keys, index = (program.instrs[a] for a in instr.args)
        if index.op == "index" and all(k.op in ("param", "const") for k in keys):
            found.append((value, index.imm[0]))
    return found


def _spec(request: Request, layout: Layout) -> KernelSpec:
    n_arrays, n_coefs = len(request.arrays), len(request.coefs)
    loads = [layout.moves(k) for k in range(n_arrays)]
    fills = [
        (value, layout.moves(n_arrays + k))
        for value, k in fillable_draws(request.program)
        if layout.moves(n_arrays + k) in ("row", "column")
    ]
    outs = []
    if not request.reductions:
        for k in range(n_arrays + n_coefs, len(layout.strides)):
            consecutive = layout.strides[k][-1] == 1 or layout.columns == 1
            outs.append("row" if consecutive else "tile")
    return KernelSpec(
        request.program,
        layout.form,
        tuple("tile" if moves == "column" else moves for moves in loads),
        tuple(fills),
        tuple(outs),
        request.reductions,
    )


def _tile_sizes(spec: KernelSpec, layout: Layout) -> tuple[int, int, int]:
    """Rows and columns of a tile, and lanes."""
    rows, columns = layout.rows, layout.columns
    height = min((a.rows for a in spec.accumulators), default=rows)
    if spec.n_buffers:
        bytes_each = spec.n_buffers * spec.slot
        if "tile" in spec.loads or any(moves == "column" for _, moves in spec.fills):
            side = 128 if 128 * 128 * bytes_each <= BLOCK_BYTES else 64
            columns, height = min(columns, side), min(height, side)
        elif spec.form == "columns":
            # Lanes are merged once a tile: tall tiles keep that small beside the work on rows.
            size = max(512, min(8192, ROW_BYTES // bytes_each))
            columns = min(columns, 512)
            height = min(height, max(1, size // columns))
        else:
            size = max(512, min(4096, ROW_BYTES // bytes_each))
            columns = min(columns, size)
            height = min(height, max(1, size // columns))
    elif spec.form == "columns":
        columns = min(columns, MOST_COLUMNS)
    elif spec.form == "fold":
        columns = min(columns, FOLDED)
        height = min(height, max(1, FOLDED // columns))
    return max(1, min(rows, height)), max(1, columns), _lanes(spec, layout, columns)


def _lanes(spec: KernelSpec, layout: Layout, columns: int) -> int:
    if spec.form != "fold":
        return max(1, columns)
    if spec.wants_position:
        step_i, step_j = layout.strides[spec.operands.index("flat")][-2:]
        if layout.rows > 1 and step_i < step_j:
            return columns  # a lane of several columns would meet positions out of order
    # Four strips of a row are taken together: narrow tiles get narrow lanes.
    return min(MOST_LANES, max(8, -(-columns // 32) * 8))
