"""Run a scalar program over a block: `run_map` and `run_reduce`.

Both accept any strided views. The target of the arrays' library (`targets`) chooses between a
compiled kernel and the interpreter; the results are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gpuscale.codegen.hoist import Split, moving_axes, split
from gpuscale.codegen.interpret import interpret_map, interpret_reduce
from gpuscale.codegen.program import AffineIndex, ScalarProgram
from gpuscale.codegen.simplify import simplify
from gpuscale.codegen.targets import target_of

__all__ = ["hoisted", "run_map", "run_reduce"]


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
    if out is not None:
        arrays = _apart(arrays, out, xp)
    target = target_of(xp)
    if target is not None and target.may_pay(math.prod(shape)):
        program, arrays = hoisted(program, arrays, indices, params, shape, xp)
        found = target.map(program, arrays, indices, params, shape, out)
        if found is not None:
            return found
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
    target = target_of(xp)
    if target is not None and target.may_pay(math.prod(shape)):
        program, arrays = hoisted(program, arrays, indices, params, shape, xp)
        names = tuple(reductions)
        found = target.reduce(program, names, arrays, indices, params, shape, axes)
        if found is not None:
            return found
    return interpret_reduce(program, reductions, arrays, indices, params, shape, axes, xp)


def _apart(arrays: Sequence[Any], out: Sequence[Any], xp: Any) -> list[Any]:
    """Copy operands that writing the results would spoil before they are read."""

    def spoiled(array: Any) -> bool:
        for target in out:
            same = (
                len(out) == 1
                and _address(target) == _address(array) is not None
                and target.shape == array.shape
                and target.strides == array.strides
            )
            if not same and xp.may_share_memory(target, array):
                return True
        return False

    return [xp.array(array) if spoiled(array) else array for array in arrays]


def _address(array: Any) -> int | None:
    """Address of the first element; None for arrays that do not say."""
    for name in ("__array_interface__", "__cuda_array_interface__"):
        interface = getattr(array, name, None)
        if interface is not None:
            return int(interface["data"][0])
    return None


def hoisted(
    program: ScalarProgram,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    xp: Any = np,
) -> tuple[ScalarProgram, list[Any]]:
    """Simplify a program and compute on fewer axes what does not depend on all."""
    views = [a if a.shape == shape else xp.broadcast_to(a, shape) for a in arrays]
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
        (result,) = run_map(part.program, inside, indices, params, small, xp=xp)
        found.append(xp.broadcast_to(result, shape))
    return cut.main, [*views, *found]
