"""Run programs over a device's arrays: plan the walk, pick the kernel, launch it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.base import config
from gpuscale.base.errors import BackendError
from gpuscale.codegen.body_cuda import BodySpec
from gpuscale.codegen.emit_cuda import is_spelled
from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.launch_cuda import Kernel, Launcher
from gpuscale.codegen.map_cuda import MapSpec, map_kernel
from gpuscale.codegen.plan_cuda import (
    MapPlan,
    ReducePlan,
    Shares,
    grid_of_map,
    plan_map,
    plan_reduce,
    shares_of,
    shares_of_tiles,
    vector_dtypes,
)
from gpuscale.codegen.program import AffineIndex, ScalarProgram
from gpuscale.codegen.reduce_cuda import ReduceSpec, States, join_kernel, reduce_kernel, states_of
from gpuscale.codegen.request import Request, request_for
from gpuscale.codegen.tile_cuda import TileSpec, tile_kernel, tiles_of
from gpuscale.codegen.turned_cuda import AREA, SIDE

__all__ = ["CudaTarget"]

MOST_ARGUMENTS = 500  # of a kernel: all devices take 4 KiB of them
LONGEST = 4000  # primitive operations of a program that is compiled, which takes a minute then
SHARED_BYTES = 48 << 10  # of shared memory, which every device gives to a block


class CudaTarget:
    """A row of `targets`, for the arrays of one launcher.

    Parameters
    ----------
    launcher : Launcher
    """

    mirrors = False  # there are threads enough to draw every number where it is needed

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher

    def may_pay(self, elements: int) -> bool:
        """See `targets.Target`: without a kernel there would be one for every operation."""
        return elements > 0 and bool(config.get("codegen.enabled"))

    def map(
        self,
        program: ScalarProgram,
        arrays: Sequence[Any],
        indices: Sequence[AffineIndex],
        params: Sequence[Any],
        shape: tuple[int, ...],
        out: Sequence[Any] | None,
    ) -> tuple[Any, ...] | None:
        """See `targets.Target`."""
        arrays, indices = arrays[: program.n_loads], indices[: program.n_indices]
        request = _request(program, arrays, indices, shape, (), (), out)
        self._check_addresses((*arrays, *(out or ())))
        if request is None:
            return None
        plan, launcher = plan_map(request), self.launcher
        if out is None:
            memory = [shape[a] for a in plan.order]
            back = np.argsort(plan.order)
            out = [launcher.empty(memory, d).transpose(*back) for d in program.dtypes]
        kernel, grid, block = self._pick(plan, arrays, out)
        if len(kernel.types) > MOST_ARGUMENTS or not launcher.prepare(kernel):
            return None
        sizes = (math.prod(plan.lengths[:-1]), plan.lengths[-1])
        args = arguments(plan.spec, arrays, out, indices, params, sizes, plan)
        launcher.launch(kernel, grid, block, args)
        return tuple(out)

    def _check_addresses(self, arrays: Sequence[Any]) -> None:
        """Refuse what would end every kernel of the process, those of the library included."""
        for array in arrays:
            if self.launcher.address(array) % array.dtype.alignment:
                raise BackendError(
                    f"an array of {array.dtype} lies at an address that no device reads it from, "
                    f"no multiple of {array.dtype.alignment} bytes, as a view of bytes does; copy "
                    "its bytes to an array of their own before they are viewed as numbers"
                )

    def _pick(
        self, plan: MapPlan, arrays: Sequence[Any], out: Sequence[Any]
    ) -> tuple[Kernel, tuple[int, int], tuple[int, int]]:
        """Kernel, grid and block of a map."""
        threads, blocks = self.launcher.threads, self.launcher.blocks
        outer, columns = math.prod(plan.lengths[:-1]), plan.lengths[-1]
        if isinstance(plan.spec, TileSpec):
            tiles = tiles_of(outer, plan.lengths[-2], columns)
            return tile_kernel(plan.spec), (min(tiles, blocks), 1), (SIDE, threads // SIDE)
        width = self._width(plan.spec, plan.width, arrays, out)
        spec = dataclasses.replace(plan.spec, width=width)
        return map_kernel(spec), *grid_of_map(outer, -(-columns // width), threads, blocks)

    def _width(self, spec: MapSpec, width: int, arrays: Sequence[Any], out: Sequence[Any]) -> int:
        """Columns that are taken together: what lies at an odd address is taken one by one."""
        for name, dtype in vector_dtypes(spec).items():
            array = (arrays if name[0] == "l" else out)[int(name[1:])]
            while width > 1 and self.launcher.address(array) % (width * dtype.itemsize):
                width //= 2
        return width

    def reduce(
        self,
        program: ScalarProgram,
        reductions: tuple[str, ...],
        arrays: Sequence[Any],
        indices: Sequence[AffineIndex],
        params: Sequence[Any],
        shape: tuple[int, ...],
        axes: tuple[int, ...],
    ) -> tuple[Any, ...] | None:
        """See `targets.Target`."""
        arrays, indices = arrays[: program.n_loads], indices[: program.n_indices]
        states = states_of(program, reductions)
        request = _request(program, arrays, indices, shape, reductions, axes)
        self._check_addresses(arrays)
        if states is None or request is None:
            return None
        plan = plan_reduce(request, any(state.wants_position for state in states))
        (outer, inner), launcher = plan.sizes, self.launcher
        shares = self._shares(plan)
        whole = shares.grid[1] == 1 and not plan.joins
        spec = dataclasses.replace(plan.spec, threads=launcher.threads, whole=whole)
        if _shared_bytes(spec) > SHARED_BYTES:
            return None
        kernel, join = reduce_kernel(spec), join_kernel(states, launcher.threads)
        if len(kernel.types) > MOST_ARGUMENTS or not launcher.prepare(kernel):
            return None
        if not (whole or launcher.prepare(join)):
            return None
        out = self._results(states, plan, shape, axes)
        left = shares.grid[1] * outer
        written = out if whole else self._parts(states, left)
        args = arguments(spec, arrays, written, indices, params, (outer, inner), plan)
        self._reduce(kernel, shares, args)
        if not whole:
            positions = 1 if plan.joins else outer
            sizes = positions, left // positions
            again = shares_of(*sizes, False, launcher.threads, launcher.blocks)
            again = dataclasses.replace(again, grid=(again.grid[0], 1))
            self._reduce(join, again, [*written, *out, *sizes])
        back = np.argsort(plan.order)
        return tuple(each.transpose(*back) for each in out)

    def _shares(self, plan: ReducePlan) -> Shares:
        (outer, inner), threads, blocks = plan.sizes, self.launcher.threads, self.launcher.blocks
        if plan.spec.turned:
            return shares_of_tiles(outer, inner, threads, blocks)
        return shares_of(outer, inner, plan.spec.across, threads, blocks)

    def _results(
        self, states: States, plan: ReducePlan, shape: tuple[int, ...], axes: tuple[int, ...]
    ) -> list[Any]:
        """Memory for the partial results, their axes in the order of the walk."""
        memory = [1 if a in axes else shape[a] for a in plan.order]
        return [self.launcher.empty(memory, d) for state in states for d, _ in state.results]

    def _parts(self, states: States, count: int) -> list[Any]:
        return [self.launcher.empty((count,), d) for state in states for d, _ in state.starts]

    def _reduce(self, kernel: Kernel, shares: Shares, args: Sequence[Any]) -> None:
        block = (self.launcher.threads, 1)
        self.launcher.launch(kernel, shares.grid, block, [*args, shares.lanes, shares.parts])


def _shared_bytes(spec: ReduceSpec) -> int:
    """Bytes of shared memory that a block needs."""
    parts = sum(dtype.itemsize for state in spec.states for dtype, _ in state.starts)
    tiles = sum(spec.load_dtypes[k].itemsize for k in spec.turned)
    return spec.threads * parts + AREA * tiles


def arguments(
    spec: BodySpec,
    arrays: Sequence[Any],
    out: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    sizes: tuple[int, int],
    plan: Any,
) -> list[Any]:
    """Arguments of a kernel in the order of `BodyText.arguments`."""
    args: list[Any] = [arrays[k] for k in sorted(spec.load_dtypes)]
    args += [*out, *sizes, *plan.lengths]
    args += [indices[k].base for k in spec.index_numbers]
    args += plan.steps
    for k, dtype in sorted(spec.param_dtypes.items()):
        value = np.asarray(params[k]).astype(dtype)[()]
        args += [value.real, value.imag] if dtype.kind == "c" else [value]
    return args


def _request(program: ScalarProgram, *operands: Any) -> Request | None:
    """What to launch, see `request_for`; None where the interpreter is the only way."""
    return request_for(program, *operands) if _can_compile(program) else None


@lru_cache(maxsize=4096)
def _can_compile(program: ScalarProgram) -> bool:
    """Whether kernels for CUDA can be made of a program."""
    expanded = expand(program)
    return len(expanded.instrs) <= LONGEST and is_spelled(expanded)
