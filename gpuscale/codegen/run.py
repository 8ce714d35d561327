"""Run a scalar program over a block: `run_map` and `run_reduce`.

Both accept any strided views and choose by themselves between a compiled kernel and the
interpreter; the results are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen import kernel
from gpuscale.codegen.accumulate import accumulator_of
from gpuscale.codegen.hoist import Split, moving_axes, split
from gpuscale.codegen.interpret import interpret_map, interpret_reduce
from gpuscale.codegen.layout import Strides
from gpuscale.codegen.plan import Plan, Request, make_plan
from gpuscale.codegen.program import AffineIndex, ProgramBuilder, ScalarProgram
from gpuscale.codegen.reductions import REDUCTIONS
from gpuscale.codegen.schedule import is_compilable
from gpuscale.codegen.simplify import simplify
from gpuscale.codegen.worth import may_pay, pays

__all__ = ["prepare_reduce", "run_map", "run_reduce", "without_overflow"]

F8 = np.dtype("f8")


def run_map(
    program: ScalarProgram,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    out: Sequence[Any] | None = None,
    xp: Any = np,
) -> tuple[Any, ...]:
    """Evaluate a program at every position of a domain.

    Parameters
    ----------
    program : ScalarProgram
    arrays : sequence of arrays
        For each "load": any view that broadcasts to ``shape``.
    indices : sequence of AffineIndex
        For each "index": one coefficient per axis of ``shape``.
    params : sequence of scalars
        For each "param".
    shape : tuple of int
        The domain.
    out : sequence of arrays, optional
        Written in place, one per output; any strided views of that shape.
    xp : module
        Namespace of the arrays.

    Returns
    -------
    tuple of arrays
        One per output, of shape ``shape``; fresh memory unless ``out`` was given.

    Examples
    --------
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> x, i = b.load(0, np.dtype("f8")), b.index(0)
    >>> run_map(b.build(b.apply("add", x, i)), [np.ones(3)], [AffineIndex(5, (1,))], [], (3,))
    (array([6., 7., 8.]),)
    """
    if out is not None and xp is np:
        arrays = _apart(arrays, out)
    plan = None
    if xp is np and may_pay(math.prod(shape)):
        program, arrays = _hoisted(program, arrays, indices, params, shape)
        plan = _plan_if_worth(_request(program, arrays, indices, shape, out=out))
    if plan is None:
        return interpret_map(program, arrays, indices, params, shape, out, xp)
    used = arrays[: program.n_loads], indices[: program.n_indices]
    return kernel.launch_map(plan, *used, params, shape, out)


def run_reduce(
    program: ScalarProgram,
    reductions: Sequence[str],
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    xp: Any = np,
) -> tuple[Any, ...]:
    """Evaluate a program and reduce each of its outputs over axes, in one pass.

    Parameters
    ----------
    program, arrays, indices, params, shape, xp
        As for `run_map`.
    reductions : sequence of str
        For each output a row of `reductions.REDUCTIONS`: "sum" (accumulated in the dtype of the
        output), "prod", "min", "max", "fmin", "fmax" (without NaN), "any", "all", "count" (of
        nonzero), "argmin", "argmax" (position flattened over ``axes`` in C order, and value),
        "moments" (count, mean, sum of squared deviations); `reductions.FOLDS`, as ufuncs.
    axes : tuple of int
        Reduced axes; they are kept with length 1.

    Returns
    -------
    tuple of arrays
        The partial results of all reductions, one after the other. An empty extent gives what
        changes nothing in a combination: 0, 1, the largest or smallest value, position -1.

    Examples
    --------
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> program = b.build(b.load(0, np.dtype("f8")))
    >>> run_reduce(program, ("argmax",), [np.array([[1.0, 7.0, 3.0]])], [], [], (1, 3), (1,))
    (array([[1]]), array([[7.]]))
    """
    axes = tuple(sorted(axes))
    plan = None
    if xp is np and may_pay(math.prod(shape)):
        program, arrays = _hoisted(program, arrays, indices, params, shape)
        plan = _plan_if_worth(_request(program, arrays, indices, shape, tuple(reductions), axes))
    if plan is None:
        return interpret_reduce(program, reductions, arrays, indices, params, shape, axes, xp)
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
    program, arrays = _hoisted(program, arrays, indices, params, shape)
    request = _request(program, arrays, indices, shape, tuple(reductions), axes)
    return request, arrays[: program.n_loads], indices[: program.n_indices]


def _apart(arrays: Sequence[Any], out: Sequence[Any]) -> list[Any]:
    """Copy operands that writing the results would spoil before they are read."""

    def spoiled(array: Any) -> bool:
        for target in out:
            same = (
                len(out) == 1
                and target.__array_interface__["data"] == array.__array_interface__["data"]
                and target.shape == array.shape
                and target.strides == array.strides
            )
            if not same and np.may_share_memory(target, array):
                return True
        return False

    return [np.array(array) if spoiled(array) else array for array in arrays]


def _hoisted(
    program: ScalarProgram,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
) -> tuple[ScalarProgram, list[Any]]:
    """Simplify a program and compute on fewer axes what does not depend on all."""
    views = [a if a.shape == shape else np.broadcast_to(a, shape) for a in arrays]
    cut: Split = split(
        simplify(program),
        tuple(moving_axes(v.strides, shape) for v in views),
        tuple(moving_axes(i.coefs, shape) for i in indices),
        shape,
    )
    found: list[Any] = []
    for part in cut.parts:
        window = tuple(slice(None) if a in part.axes else slice(1) for a in range(len(shape)))
        small = tuple(n if a in part.axes else 1 for a, n in enumerate(shape))
        inside = [v[window] for v in views]
        (result,) = run_map(part.program, inside, indices, params, small)
        found.append(np.broadcast_to(result, shape))
    return cut.main, [*views, *found]


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
    if not _can_compile(program, reductions):
        return None
    for instr in program.instrs:
        if instr.op == "load" and arrays[instr.imm[0]].dtype != instr.dtype:
            return None
    strides = [_strides(a) for a in arrays[: program.n_loads]]
    outs = None if out is None else [_strides(o) for o in out]
    if None in strides or (outs is not None and None in outs):
        return None
    if out is not None and any(o.dtype != d for o, d in zip(out, program.dtypes, strict=True)):
        return None
    return Request(
        program,
        shape,
        tuple(s for s in strides if s is not None),
        tuple(i.coefs for i in indices[: program.n_indices]),
        None if outs is None else tuple(s for s in outs if s is not None),
        reductions,
        axes,
    )


def _strides(array: Any) -> Strides | None:
    """Strides in elements; None for memory that a kernel cannot read."""
    size = array.itemsize
    if not array.flags.aligned or any(s % size for s in array.strides):
        return None
    return tuple(s // size for s in array.strides)


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
