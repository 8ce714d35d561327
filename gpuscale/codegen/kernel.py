"""Plan and launch kernels: from a program, shapes and strides to a call with one vector.

A `Plan` is made once for each (program, shape, strides) and kept, since the blocks of an array
look alike; a launch only fills in addresses.
"""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from gpuscale.codegen import random_ops
from gpuscale.codegen.accumulate import accumulator_of
from gpuscale.codegen.cache import compile_kernel
from gpuscale.codegen.geometry import HEADER, OPERAND, dense_strides
from gpuscale.codegen.helpers import Helper
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
from gpuscale.codegen.program import AffineIndex, ScalarProgram
from gpuscale.codegen.schedule import loop_of
from gpuscale.codegen.spec import KernelSpec
from gpuscale.codegen.target_cpu import SLOT, kernel_source

__all__ = ["Plan", "Request", "compile_spec", "launch_map", "launch_reduce", "make_plan"]

BLOCK_BYTES = 1 << 19  # tiles of all buffers together: they stay in the second-level cache
ROW_BYTES = 1 << 17  # the same where tiles may be flat
MOST_COLUMNS = 1024  # columns of an unbuffered tile of a reduction: lanes stay in the first level
MOST_LANES = 64


@dataclass(frozen=True)
class Request:
    """What to compute, without addresses and values.

    Attributes
    ----------
    program : ScalarProgram
    shape : tuple of int
    arrays : tuple of Strides
        In elements, 0 where an array is broadcast.
    coefs : tuple of Strides
        Of the index functions.
    outs : tuple of Strides or None
        Of the results of a map that are written in place; None for fresh ones.
    reductions : tuple of str
    axes : tuple of int
        Reduced axes.
    """

    program: ScalarProgram
    shape: tuple[int, ...]
    arrays: tuple[Strides, ...]
    coefs: tuple[Strides, ...]
    outs: tuple[Strides, ...] | None
    reductions: tuple[str, ...] = ()
    axes: tuple[int, ...] = ()


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
    operands = [*moving, *_results(request, order)]
    reduced = tuple(a in request.axes for a in range(len(shape)))
    domain = merge_axes(Domain(shape, reduced, tuple(operands)), order)
    roles = _roles(request, len(operands))
    layout = choose_layout(domain, roles, bool(request.reductions), _fold_cost(request))
    spec = _spec(request, layout)
    tile_rows, tile_columns, lanes = _tile_sizes(spec, layout)
    area = tile_rows * tile_columns * spec.slot
    geometry = _geometry(spec, layout, (tile_rows, tile_columns, lanes), area)
    scratch = spec.n_buffers * area + spec.n_lanes * lanes * SLOT
    return Plan(spec, geometry, tuple(order), scratch)


def _geometry(spec: KernelSpec, layout: Layout, tile: tuple[int, int, int], area: int) -> Any:
    program = spec.program
    units = [1] * len(spec.operands)
    for instr in program.instrs:
        if instr.op == "load":
            units[spec.operands.index(f"l{instr.imm[0]}")] = instr.dtype.itemsize
    for k in range(len(spec.outs)):
        units[spec.operands.index(f"o{k}")] = program.dtypes[k].itemsize
    header = dict.fromkeys(HEADER, 0) | {
        "n_operands": len(spec.operands),
        "n_outer": len(layout.outer),
        "count": math.prod(layout.outer),
        "rows": layout.rows,
        "columns": layout.columns,
        **dict(zip(("tile_rows", "tile_columns", "lanes"), tile, strict=True)),
        "area": area,
        "outer_at": spec.outer_at,
        # Before the first tile: the first step of the walk wraps around on all axes.
        "outer": -1,
        "i0": layout.rows,
        "j0": layout.columns,
    }
    operands = [
        dict.fromkeys(OPERAND, 0) | {"step_i": strides[-2], "step_j": strides[-1], "unit": unit}
        for strides, unit in zip(layout.strides, units, strict=True)
    ]
    addresses = [0] * spec.n_totals
    for value in spec.calls:
        addresses += loop_of(program, program.instrs[value]) or (0, 0)
    addresses += [0] * len(spec.helpers)
    outer = [*layout.outer, *(n for strides in layout.strides for n in strides[:-2])]
    words = [*header.values(), *(w for each in operands for w in each.values()), *addresses, *outer]
    return np.array(words, dtype=np.int64)


def _results(request: Request, order: Sequence[int]) -> list[Strides]:
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
    drawn = {k for _, k in _fillable(request.program)}
    roles += ["random" if k in drawn else "index" for k in range(len(request.coefs))]
    return roles + ["accumulator" if request.reductions else "out"] * (count - len(roles))


def _fold_cost(request: Request) -> float:
    pairs = zip(request.reductions, request.program.dtypes, strict=False)
    found = (accumulator_of(name, dtype) for name, dtype in pairs)
    return sum(a.fold for a in found if a is not None)


def _fillable(program: ScalarProgram) -> list[tuple[int, int]]:
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
        for value, k in _fillable(request.program)
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


_compiled: dict[KernelSpec, Compiled] = {}
_compiling: dict[KernelSpec, threading.Lock] = {}
_guard = threading.Lock()


@dataclass(frozen=True)
class Compiled:
    """A kernel at hand: how to call it, and the addresses of what it calls."""

    run: Callable[[int], None]
    helpers: tuple[int, ...]


def compile_spec(spec: KernelSpec) -> Compiled:
    """Return the compiled kernel; the first thread compiles, others wait for it."""
    kernel = _compiled.get(spec)
    if kernel is None:
        with _guard:
            lock = _compiling.setdefault(spec, threading.Lock())
        with lock:
            kernel = _compiled.get(spec)
            if kernel is None:
                helpers = tuple(_helper_address(helper) for helper in spec.helpers)
                address = compile_kernel(kernel_source(spec))
                run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)
                kernel = _compiled[spec] = Compiled(run, helpers)
    return kernel


@cache
def _helper_address(helper: Helper) -> int:
    return compile_kernel(helper.source())


def is_compiled(spec: KernelSpec) -> bool:
    """Whether the kernel is at hand in this process."""
    return spec in _compiled


_memory = threading.local()


def _scratch(size: int) -> Any:
    """Buffers of this thread, kept from launch to launch: fresh memory costs page faults."""
    area = getattr(_memory, "area", None)
    if area is None or area.size < size + 64:
        area = _memory.area = np.empty(size + 64, dtype=np.uint8)
    return area


def _launch(plan: Plan, bases: Sequence[int], totals: Sequence[Any], params: Sequence[Any]) -> None:
    spec = plan.spec
    g = plan.geometry.copy()
    area = _scratch(plan.scratch)
    scalars = _scalars(spec.program, params)
    g[HEADER.index("scratch")] = -(-address(area) // 64) * 64
    g[HEADER.index("scalars")] = address(scalars)
    first, fields = len(HEADER), len(OPERAND)
    g[first : first + fields * len(bases) : fields] = bases
    g[spec.totals_at : spec.totals_at + len(totals)] = [address(t) for t in totals]
    kernel = compile_spec(spec)
    g[spec.helpers_at : spec.outer_at] = kernel.helpers
    g[HEADER.index("self")] = address(g)
    kernel.run(address(g))


def _scalars(program: ScalarProgram, params: Sequence[Any]) -> Any:
    """Parameters, then constants, each in a slot of its own."""
    constants = [i for i in program.instrs if i.op == "const"]
    slots = np.zeros((program.n_params + len(constants), SLOT), dtype=np.uint8)
    for instr in program.instrs:
        if instr.op == "param":
            k = instr.imm[0]
            slots[k, : instr.dtype.itemsize].view(instr.dtype)[0] = params[k]
    for k, instr in enumerate(constants, program.n_params):
        slots[k, : instr.dtype.itemsize].view(instr.dtype)[0] = instr.imm[0]
    return slots


def address(array: Any) -> int:
    """Address of the first element."""
    at: int = array.__array_interface__["data"][0]
    return at


def launch_map(
    plan: Plan,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    out: Sequence[Any] | None,
) -> tuple[Any, ...]:
    """Run the kernel of a map."""
    if out is None:
        memory = [shape[a] for a in plan.order]
        back = np.argsort(plan.order)
        dtypes = plan.spec.program.dtypes
        out = [np.empty(memory, dtype).transpose(back) for dtype in dtypes]
    bases = [*map(address, arrays), *(i.base for i in indices), *map(address, out)]
    _launch(plan, bases, (), params)
    return tuple(out)


def launch_reduce(
    plan: Plan,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    axes: tuple[int, ...],
) -> tuple[Any, ...]:
    """Run the kernel of a reduction."""
    spec = plan.spec
    keep = tuple(1 if a in axes else n for a, n in enumerate(shape))
    totals = [
        [np.full(keep, start, dtype) for dtype, start in accumulator.totals]
        for accumulator in spec.accumulators
    ]
    bases = [*map(address, arrays), *(i.base for i in indices), *[0] * spec.wants_position, 0]
    _launch(plan, bases, [t for each in totals for t in each], params)
    count = math.prod(shape[a] for a in axes)
    with np.errstate(all="ignore"):
        parts = [
            accumulator.finish(each, count)
            for accumulator, each in zip(spec.accumulators, totals, strict=True)
        ]
    return tuple(array for part in parts for array in part)
