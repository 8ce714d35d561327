"""Plan launches on a device: which axes are walked how, by how many threads.

All is decided by shapes and strides, so that the same computation gives the same bits again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen.body_cuda import steps_of
from gpuscale.codegen.geometry import dense_strides
from gpuscale.codegen.layout import Domain, Strides, merge_axes, walking_order
from gpuscale.codegen.map_cuda import MapSpec
from gpuscale.codegen.plan import Request

__all__ = ["MapPlan", "grid_of_map", "plan_map"]

VECTOR_BYTES = 16  # that one thread reads or writes by one access
LONG = 64  # operations; longer programs take one element at a time: they take long to compile


@dataclass(frozen=True)
class MapPlan:
    """How a map is launched.

    Attributes
    ----------
    spec : MapSpec
        Of one column at a time.
    width : int
        Columns that could be taken together, if addresses allow.
    order : tuple of int
        Axes of fresh results from slowest to fastest in memory.
    lengths : tuple of int
        Of the outer axes, then of the columns.
    steps : tuple of int
        The steps that are arguments of the kernel, in their order.
    """

    spec: MapSpec
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
    n_loads, n_moving = len(request.arrays), len(moving)
    spec = MapSpec(
        program,
        len(lengths) - 1,
        1,
        tuple(map(steps_of, strides[:n_loads])),
        tuple(map(steps_of, strides[n_loads:n_moving])),
        tuple(map(steps_of, strides[n_moving:])),
    )
    return MapPlan(spec, _width(spec, strides, lengths), order, lengths, given_steps(spec, strides))


def given_steps(spec: Any, strides: Sequence[Strides]) -> tuple[int, ...]:
    """Steps that the text of a kernel does not know, in the order of its arguments."""
    names = [f"l{k}" for k in range(len(spec.loads))]
    names += [f"x{k}" for k in range(len(spec.indices))]
    names += [f"o{k}" for k in range(len(spec.outs))]
    by_name = dict(zip(names, strides, strict=True))
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
    across = min(threads, 1 << (columns - 1).bit_length())
    down = min(threads // across, 1 << (rows - 1).bit_length())
    grid_across = min(-(-columns // across), blocks)
    grid_down = min(-(-rows // down), max(1, blocks // grid_across))
    return (grid_across, grid_down), (across, down)
