"""Reduce a block and its mirror image together, so that every random number is drawn once.

In ``X + X.T`` with a random X the block (I, J) needs the numbers of the blocks (I, J) and (J, I) of
X, and so does the block (J, I). A kernel that takes a tile of the one and the mirrored tile of
the other draws two tiles instead of four.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gpuscale.codegen import kernel
from gpuscale.codegen.geometry import HEADER
from gpuscale.codegen.layout import Layout, Strides
from gpuscale.codegen.plan import Plan, fillable_draws, make_geometry, result_strides
from gpuscale.codegen.program import AffineIndex, ScalarProgram
from gpuscale.codegen.request import Request
from gpuscale.codegen.run import run_reduce
from gpuscale.codegen.run_cpu import prepare_reduce, without_overflow
from gpuscale.codegen.spec import KernelSpec
from gpuscale.codegen.targets import target_of
from gpuscale.codegen.worth import pays

__all__ = ["Block", "reads_transposed", "run_reduce_mirror"]

SIDE = 96  # rows and columns of a tile: two, and their transposes, stay in the second-level cache


@dataclass(frozen=True)
class Block:
    """What one block feeds to a program: see `run.run_map`.

    Attributes
    ----------
    arrays : sequence of arrays
    indices : sequence of AffineIndex
    shape : tuple of int
    """

    arrays: Sequence[Any]
    indices: Sequence[AffineIndex]
    shape: tuple[int, ...]


def reads_transposed(program: ScalarProgram, indices: Sequence[AffineIndex]) -> bool:
    """Whether a program over a square matrix draws the same numbers as they are and transposed.

    Parameters
    ----------
    program : ScalarProgram
    indices : sequence of AffineIndex
        Over the whole matrix.

    Examples
    --------
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> x, y = (b.apply("philox_uniform", b.const(1, "u4"), b.const(2, "u4"), b.index(k))
    ...         for k in range(2))
    >>> program = b.build(b.apply("add", x, y))
    >>> reads_transposed(program, [AffineIndex(0, (9, 1)), AffineIndex(0, (1, 9))])
    True
    """
    instrs = program.instrs
    draws = fillable_draws(program)
    return any(
        instrs[a].op == instrs[b].op
        and instrs[a].args[:-1] == instrs[b].args[:-1]
        and indices[k].base == indices[m].base
        and indices[k].coefs == indices[m].coefs[::-1]
        and indices[k].coefs[-1] == 1
        for a, k in draws
        for b, m in draws
        if a != b
    )


def run_reduce_mirror(
    program: ScalarProgram,
    reductions: Sequence[str],
    blocks: Sequence[Block],
    params: Sequence[Any],
    axes: tuple[int, ...],
    xp: Any = np,
) -> list[tuple[Any, ...]]:
    """Reduce blocks as `run.run_reduce` does each, drawing random numbers once for all.

    Parameters
    ----------
    program, reductions, params, axes, xp
        As for `run.run_reduce`; the same for all blocks.
    blocks : sequence of Block
        Blocks (I, J) and (J, I) of a matrix, or one block on the diagonal, which is its own mirror
        image. Where the program does not read a random matrix and its transpose, or the blocks
        are not mirror images, each block is reduced for itself.

    Returns
    -------
    list of tuple
        Partial results of each block.

    Examples
    --------
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> x, y = (b.apply("philox_uniform", b.const(1, "u4"), b.const(2, "u4"), b.index(k))
    ...         for k in range(2))
    >>> program = b.build(b.apply("subtract", x, y))
    >>> block = Block([], [AffineIndex(0, (4, 1)), AffineIndex(0, (1, 4))], (4, 4))
    >>> ((total,),) = run_reduce_mirror(program, ("sum",), [block], [], (0, 1))
    >>> abs(total[0, 0].item()) < 1e-12
    True
    """
    axes = tuple(sorted(axes))
    target = target_of(xp)
    prepared = [
        prepare_reduce(program, reductions, b.arrays, b.indices, params, b.shape, axes)
        for b in blocks
        if target is not None and target.mirrors
    ]
    requests = [request for request, _, _ in prepared if request is not None]
    plan = None
    if len(requests) == len(blocks):
        bases = tuple(tuple(i.base for i in indices) for _, _, indices in prepared)
        plan = _plan(tuple(requests), bases)
    if plan is None or not pays(plan.spec, sum(math.prod(b.shape) for b in blocks)):
        return [
            run_reduce(program, reductions, b.arrays, b.indices, params, b.shape, axes, xp)
            for b in blocks
        ]
    operands = [(arrays, indices) for _, arrays, indices in prepared]
    return _launched(plan, blocks, operands, params, axes)


def _launched(
    plan: Plan,
    blocks: Sequence[Block],
    operands: Sequence[tuple[Sequence[Any], Sequence[AffineIndex]]],
    params: Sequence[Any],
    axes: tuple[int, ...],
) -> list[tuple[Any, ...]]:
    spec = plan.spec
    totals = [kernel.new_totals(spec, block.shape, axes) for block in blocks]
    bases = [kernel.bases_of(spec, *each) for each in operands]
    # A block on the diagonal is both sides: both add to the same accumulators.
    flat = [t for side in (totals[0], totals[-1]) for each in side for t in each]
    kernel.launch(plan, [*bases[0], *bases[-1]], flat, params)
    return [
        without_overflow(
            kernel.finished(spec, each, block.shape, axes),
            spec.program,
            spec.reductions,
            *operand,
            params,
            block.shape,
            axes,
        )
        for each, block, operand in zip(totals, blocks, operands, strict=True)
    ]


@lru_cache(maxsize=4096)
def _plan(requests: tuple[Request, ...], bases: tuple[tuple[int, ...], ...]) -> Plan | None:
    """Plan a launch for all blocks; None where they are not mirror images."""
    first, other = requests[0], requests[-1]
    if len(first.shape) != 2 or other.shape != first.shape[::-1] or other.program != first.program:
        return None
    layouts = [_layout(request) for request in (first, other)]
    draws = _mirrored_draws(first, layouts[0])
    if draws is None or not _are_images(first, other, bases, draws):
        return None
    specs = [
        _spec(request, layout, draws)
        for request, layout in zip((first, other), layouts, strict=True)
    ]
    if specs[0] != specs[1]:
        return None
    geometry, scratch = make_geometry(specs[0], layouts, (SIDE, SIDE, SIDE))
    geometry[HEADER.index("i0")] = -SIDE
    geometry[HEADER.index("triangular")] = len(requests) == 1
    return Plan(specs[0], geometry, (0, 1), scratch)


def _layout(request: Request) -> Layout:
    """Rows are the first reduced axis: lanes then lie along the other one."""
    i, j = (0, 1) if 0 in request.axes else (1, 0)
    strides = [*request.arrays, *request.coefs, *result_strides(request, (0, 1))]

    def turned(each: Strides) -> Strides:
        return each[i], each[j]

    form = "fold" if j in request.axes else "columns"
    return Layout((), request.shape[i], request.shape[j], form, tuple(map(turned, strides)))


def _mirrored_draws(request: Request, layout: Layout) -> tuple[int, int] | None:
    """The draw along rows and the one along columns that is its transpose."""
    instrs = request.program.instrs
    n_arrays = len(request.arrays)
    draws = fillable_draws(request.program)
    for across, k in draws:
        for down, m in draws:
            steps, turned = layout.strides[n_arrays + k], layout.strides[n_arrays + m]
            same = instrs[across].op == instrs[down].op
            same = same and instrs[across].args[:-1] == instrs[down].args[:-1]
            if same and across != down and steps[1] == 1 and turned == steps[::-1]:
                return across, down
    return None


def _are_images(
    first: Request, other: Request, bases: tuple[tuple[int, ...], ...], draws: tuple[int, int]
) -> bool:
    """Whether each block reads transposed what the other one reads as it is."""
    instrs = first.program.instrs
    k, m = (instrs[instrs[v].args[-1]].imm[0] for v in draws)
    coefs = first.coefs[k] == other.coefs[k] and first.coefs[m] == other.coefs[m]
    return coefs and bases[0][k] == bases[-1][m] and bases[0][m] == bases[-1][k]


def _spec(request: Request, layout: Layout, draws: tuple[int, int]) -> KernelSpec:
    n_arrays = len(request.arrays)
    loads = [layout.moves(k) for k in range(n_arrays)]
    fills = []
    for value, k in fillable_draws(request.program):
        moves = layout.moves(n_arrays + k)
        if moves in ("row", "column"):
            fills.append((value, moves))
    return KernelSpec(
        request.program,
        layout.form,
        tuple("tile" if moves == "column" else moves for moves in loads),
        tuple(fills),
        (),
        request.reductions,
        draws,
    )
