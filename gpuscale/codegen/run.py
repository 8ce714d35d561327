"""Run a scalar program over a block: `run_map` and `run_reduce`.

Both accept any strided views and choose by themselves between a compiled kernel and the
interpreter; the results are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.codegen.interpret import interpret_map, interpret_reduce
from gpuscale.codegen.program import AffineIndex, ScalarProgram

__all__ = ["run_map", "run_reduce"]


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
    return interpret_map(program, arrays, indices, params, shape, out, xp)


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
        output), "prod", "min", "max", "any", "all", "count" (of nonzero), "argmin", "argmax"
        (position flattened over ``axes`` in C order, and value), "moments" (count, mean, sum of
        squared deviations).
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
    return interpret_reduce(program, reductions, arrays, indices, params, shape, axes, xp)
