"""Compute what does not depend on every axis once, not once for each position.

In ``X * exp(v)`` with a matrix and a row, the exponential of the row belongs outside the kernel:
it becomes a small array that the kernel reads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from gpuscale.codegen.ops import OPS
from gpuscale.codegen.program import LEAVES, Instr, ScalarProgram

__all__ = ["Part", "Split", "moving_axes", "split"]

WORTH = 8  # additions: what costs less is repeated
SMALLER = 4  # times fewer positions

Axes = frozenset[int]


@dataclass(frozen=True)
class Part:
    """A program on fewer axes, whose result is one more array of the main program."""

    program: ScalarProgram
    axes: Axes


@dataclass(frozen=True)
class Split:
    """A program and what it needs beforehand, in the order of the additional arrays."""

    main: ScalarProgram
    parts: tuple[Part, ...]


def moving_axes(strides: Sequence[int], shape: Sequence[int]) -> Axes:
    """Axes along which an operand changes.

    Examples
    --------
    >>> sorted(moving_axes((8, 0, 1), (2, 3, 1)))
    [0]
    """
    return frozenset(a for a, (s, n) in enumerate(zip(strides, shape, strict=True)) if s and n > 1)


@lru_cache(maxsize=1024)
def split(
    program: ScalarProgram,
    arrays: tuple[Axes, ...],
    indices: tuple[Axes, ...],
    shape: tuple[int, ...],
) -> Split:
    """Find the parts of a program that are worth computing on their own.

    Parameters
    ----------
    program : ScalarProgram
    arrays, indices : tuple of frozenset of int
        Axes along which each array and each index function changes.
    shape : tuple of int
        The domain.
    """
    axes = _axes_of_values(program, arrays, indices)
    size = math.prod(shape)
    small = [math.prod(shape[a] for a in each) * SMALLER <= size for each in axes]
    alone = [
        small[v] and instr.op not in LEAVES and _cost(program, v) >= WORTH
        for v, instr in enumerate(program.instrs)
    ]
    read_outside = set(program.outputs)
    for v, instr in enumerate(program.instrs):
        if not alone[v]:
            read_outside.update(instr.args)
    roots = [v for v in sorted(read_outside) if alone[v]]
    if not roots:
        return Split(program, ())
    parts = tuple(Part(_below(program, v), axes[v]) for v in roots)
    return Split(_with_loads(program, roots), parts)


def _axes_of_values(
    program: ScalarProgram, arrays: tuple[Axes, ...], indices: tuple[Axes, ...]
) -> list[Axes]:
    axes: list[Axes] = []
    for instr in program.instrs:
        if instr.op == "load":
            axes.append(arrays[instr.imm[0]])
        elif instr.op == "index":
            axes.append(indices[instr.imm[0]])
        else:
            axes.append(frozenset().union(*(axes[a] for a in instr.args)))
    return axes


def _needed(program: ScalarProgram, roots: Sequence[int]) -> list[int]:
    needed = set(roots)
    for v in range(len(program.instrs) - 1, -1, -1):
        if v in needed:
            needed.update(program.instrs[v].args)
    return sorted(needed)


def _cost(program: ScalarProgram, value: int) -> int:
    ops = (program.instrs[v].op for v in _needed(program, [value]))
    return sum(OPS[op].cost for op in ops if op not in LEAVES)


def _below(program: ScalarProgram, value: int) -> ScalarProgram:
    """Cut out what computes one value; arrays keep their numbers."""
    return _renumbered(program.instrs, [value])


def _with_loads(program: ScalarProgram, roots: Sequence[int]) -> ScalarProgram:
    """Read the roots from additional arrays."""
    instrs = list(program.instrs)
    for k, v in enumerate(roots, program.n_loads):
        instrs[v] = Instr("load", (), instrs[v].dtype, (k,))
    return _renumbered(tuple(instrs), program.outputs)


def _renumbered(instrs: tuple[Instr, ...], outputs: Sequence[int]) -> ScalarProgram:
    order = _needed(ScalarProgram(instrs, tuple(outputs)), outputs)
    new = {old: k for k, old in enumerate(order)}
    moved = tuple(
        Instr(i.op, tuple(new[a] for a in i.args), i.dtype, i.imm)
        for i in (instrs[old] for old in order)
    )
    return ScalarProgram(moved, tuple(new[v] for v in outputs))
