"""Run programs over a device's arrays: plan the walk, pick the kernel, launch it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen.body_cuda import BodySpec
from gpuscale.codegen.emit_cuda import is_spelled
from gpuscale.codegen.expand_cuda import expand
from gpuscale.codegen.launch_cuda import Launcher
from gpuscale.codegen.layout import Strides
from gpuscale.codegen.map_cuda import map_kernel
from gpuscale.codegen.plan import Request
from gpuscale.codegen.plan_cuda import MapPlan, grid_of_map, plan_map, vector_dtypes
from gpuscale.codegen.program import AffineIndex, ScalarProgram

__all__ = ["CudaTarget"]


class CudaTarget:
    """A row of `targets`, for the arrays of one launcher.

    Parameters
    ----------
    launcher : Launcher
    """

    def __init__(self, launcher: Launcher) -> None:
        self.launcher = launcher

    def may_pay(self, elements: int) -> bool:
        """See `targets.Target`: without a kernel there would be one for every operation."""
        return elements > 0

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
        request = _request(program, arrays, indices, shape, out=out)
        if request is None:
            return None
        plan, launcher = plan_map(request), self.launcher
        if out is None:
            memory = [shape[a] for a in plan.order]
            back = np.argsort(plan.order)
            out = [launcher.empty(memory, d).transpose(*back) for d in program.dtypes]
        spec = dataclasses.replace(plan.spec, width=self._width(plan, arrays, out))
        kernel = map_kernel(spec)
        if not launcher.prepare(kernel):
            return None
        rows, columns = math.prod(plan.lengths[:-1]), plan.lengths[-1]
        grid, block = grid_of_map(
            rows, -(-columns // spec.width), launcher.threads, launcher.blocks
        )
        args = arguments(spec, arrays, out, indices, params, (rows, columns), plan)
        launcher.launch(kernel, grid, block, args)
        return tuple(out)

    def _width(self, plan: MapPlan, arrays: Sequence[Any], out: Sequence[Any]) -> int:
        """Columns that are taken together: what lies at an odd address is taken one by one."""
        width = plan.width
        for name, dtype in vector_dtypes(plan.spec).items():
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
        return None


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


def _request(
    program: ScalarProgram,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    shape: tuple[int, ...],
    reductions: tuple[str, ...] = (),
    axes: tuple[int, ...] = (),
    out: Sequence[Any] | None = None,
) -> Request | None:
    """What to launch; None where the interpreter is the only way."""
    if not _can_compile(program):
        return None
    for instr in program.instrs:
        if instr.op == "load" and arrays[instr.imm[0]].dtype != instr.dtype:
            return None
    strides = [_strides(a) for a in arrays]
    outs = [_strides(o) for o in out or ()]
    if None in strides or None in outs:
        return None
    if out is not None and any(o.dtype != d for o, d in zip(out, program.dtypes, strict=True)):
        return None
    return Request(
        program,
        shape,
        tuple(s for s in strides if s is not None),
        tuple(i.coefs for i in indices),
        None if out is None else tuple(s for s in outs if s is not None),
        reductions,
        axes,
    )


def _strides(array: Any) -> Strides | None:
    """Strides in elements; None for memory that a kernel cannot read."""
    size = array.itemsize
    if any(s % size for s in array.strides):
        return None
    return tuple(s // size for s in array.strides)


@lru_cache(maxsize=4096)
def _can_compile(program: ScalarProgram) -> bool:
    """Whether kernels for CUDA can be made of a program."""
    return is_spelled(expand(program))
