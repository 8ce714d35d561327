"""What a kernel is asked for: a program over a domain, and how its operands lie in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gpuscale.codegen.layout import Strides
from gpuscale.codegen.program import AffineIndex, ScalarProgram

__all__ = ["Request", "request_for"]


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


def request_for(
    program: ScalarProgram,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    shape: tuple[int, ...],
    reductions: tuple[str, ...] = (),
    axes: tuple[int, ...] = (),
    out: Sequence[Any] | None = None,
) -> Request | None:
    """Return the request for some operands; None where a kernel cannot take them as they lie.

    That is where a dtype is not the program's, or elements lie no whole number of elements apart.

    Parameters
    ----------
    program, shape, reductions, axes
        As in `Request`.
    arrays, indices
        As many as the program reads.
    out : sequence of arrays, optional
        Results of a map that are written in place.

    Examples
    --------
    >>> import numpy as np
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> program = b.build(b.load(0, np.dtype("f8")))
    >>> request_for(program, [np.ones((2, 3)).T], [], (3, 2)).arrays
    ((1, 3),)
    >>> request_for(program, [np.ones((2, 3), "f4")], [], (2, 3)) is None
    True
    """
    for instr in program.instrs:
        if instr.op == "load" and arrays[instr.imm[0]].dtype != instr.dtype:
            return None
    if out is not None and any(o.dtype != d for o, d in zip(out, program.dtypes, strict=True)):
        return None
    strides = _strides(arrays)
    outs = None if out is None else _strides(out)
    if strides is None or (out is not None and outs is None):
        return None
    coefs = tuple(index.coefs for index in indices)
    return Request(program, shape, strides, coefs, outs, reductions, axes)


def _strides(arrays: Sequence[Any]) -> tuple[Strides, ...] | None:
    """Strides in elements; None where some are no whole number of them, as of fields of records."""
    found = []
    for array in arrays:
        size = array.itemsize
        if any(step % size for step in array.strides):
            return None
        found.append(tuple(step // size for step in array.strides))
    return tuple(found)
