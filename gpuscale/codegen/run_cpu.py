"""Run programs over NumPy's arrays: by a compiled kernel where it pays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen import kernel
from gpuscale.codegen.accumulate import accumulator_of
from gpuscale.codegen.plan import Plan, make_plan
from gpuscale.codegen.program import AffineIndex, ProgramBuilder, ScalarProgram
from gpuscale.codegen.reductions import REDUCTIONS
from gpuscale.codegen.request import Request, request_for
from gpuscale.codegen.run import hoisted, run_reduce
from gpuscale.codegen.schedule import is_compilable
from gpuscale.codegen.worth import may_pay, pays

__all__ = ["CpuTarget", "prepare_reduce", "without_overflow"]

F8 = np.dtype("f8")


class CpuTarget:
    """The row of `targets` for NumPy."""

    mirrors = True

    def may_pay(self, elements: int) -> bool:
        """See `targets.Target`."""
        return may_pay(elements)

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
        plan = _plan_if_worth(_request(program, arrays, indices, shape, out=out))
        if plan is None:
            return None
        used = arrays[: program.n_loads], indices[: program.n_indices]
        return kernel.launch_map(plan, *used, params, shape, out)

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
        plan = _plan_if_worth(_request(program, arrays, indices, shape, reductions, axes))
        if plan is None:
            return None
        used = arrays[: program.n_loads], indices[: program.n_indices]
        partials = kernel.launch_reduce(plan, *used, params, shape, axes)
        return without_overflow(partials, program, reductions, *used, params, shape, axes)


def without_overflow(
    partials: tuple[Any, ...],
    program: ScalarProgram,
    reductions: Sequence[str],
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    axes: tuple[int, ...],
) -> tuple[Any, ...]:
    """Make second moments infinite that a kernel gives as NaN, although all values were finite.

    Deviations of the largest numbers overflow to infinities of both signs. Only where there are NaN
    is it worth to ask whether there were finite values alone, which takes a pass over them.
    """
    first = np.cumsum([0, *(len(REDUCTIONS[name].dtypes(F8)) for name in reductions)])
    lost = [k for k, name in enumerate(reductions) if name == "moments"]
    lost = [k for k in lost if np.isnan(partials[first[k] + 2]).any()]
    if not lost:
        return partials
    b = ProgramBuilder()
    b.start(program)
    test = b.build(*(b.apply("isfinite", program.outputs[k]) for k in lost))
    wanted = ("all",) * len(lost)
    all_finite = run_reduce(test, wanted, arrays, indices, params, shape, axes)
    for k, finite in zip(lost, all_finite, strict=True):
        m2 = partials[first[k] + 2]
        m2[np.isnan(m2) & finite] = np.inf
    return partials


def prepare_reduce(
    program: ScalarProgram,
    reductions: Sequence[str],
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    axes: tuple[int, ...],
) -> tuple[Request | None, Sequence[Any], Sequence[AffineIndex]]:
    """What a kernel would be launched for, None if there can be none, and what it would read."""
    if not may_pay(math.prod(shape)):
        return None, arrays, indices
    program, arrays = hoisted(program, arrays, indices, params, shape)
    request = _request(program, arrays, indices, shape, tuple(reductions), axes)
    return request, arrays[: program.n_loads], indices[: program.n_indices]


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
    arrays, indices = arrays[: program.n_loads], indices[: program.n_indices]
    if not _can_compile(program, reductions):
        return None
    if not all(array.flags.aligned for array in (*arrays, *(out or ()))):
        return None
    return request_for(program, arrays, indices, shape, reductions, axes, out)


_plan = lru_cache(maxsize=4096)(make_plan)


@lru_cache(maxsize=4096)
def _can_compile(program: ScalarProgram, reductions: tuple[str, ...]) -> bool:
    found = [accumulator_of(*pair) for pair in zip(reductions, program.dtypes, strict=False)]
    return is_compilable(program) and None not in found


def _plan_if_worth(request: Request | None) -> Plan | None:
    if request is None:
        return None
    plan = _plan(request)
    return plan if pays(plan.spec, math.prod(request.shape)) else None
