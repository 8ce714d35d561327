"""Run scalar programs with plain NumPy, tile by tile: the oracle of every kernel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpuscale.codegen import functions, ops, random_ops
from gpuscale.codegen.program import AffineIndex, ScalarProgram
from gpuscale.codegen.reductions import REDUCTIONS, Partial, Reduction

__all__ = [
    "TILE",
    "bytes_in_use",
    "evaluate",
    "interpret_map",
    "interpret_reduce",
    "temporaries",
    "tiles",
]

TILE = 1 << 16  # elements: the intermediates of one tile stay in the cache
BARE = 1 << 18  # the same where there are none
ROW = 1 << 10  # elements of the last axis at most, so that tiles of transposed views are square

Tile = tuple[slice, ...]


def tiles(shape: Sequence[int], size: int = TILE) -> Iterator[Tile]:
    """Cut a domain into boxes of at most ``size`` elements, in C order.

    Examples
    --------
    >>> list(tiles((3, 4), 8))
    [(slice(0, 2, None), slice(0, 4, None)), (slice(2, 3, None), slice(0, 4, None))]
    """
    return itertools.product(*_cuts(shape, size))


def _cuts(shape: Sequence[int], size: int) -> list[list[slice]]:
    """Where boxes begin and end along each axis."""
    lengths, left = [], size
    for k, n in enumerate(reversed(shape)):
        length = max(1, min(n, left, ROW if k == 0 and len(shape) > 1 else left))
        lengths.append(length)
        left //= length
    return [
        [slice(start, min(start + length, n)) for start in range(0, n, length)]
        for n, length in zip(shape, reversed(lengths), strict=True)
    ]


def evaluate(
    program: ScalarProgram, arrays: Sequence[Any], indices: Sequence[Any], params: Sequence[Any]
) -> list[Any]:
    """Apply a program to whole arrays; ``indices`` are the values of its index functions.

    The results have the shapes that broadcasting gives, which may be smaller than the domain.
    """
    values: list[Any] = []
    last_use = program.last_use
    for number, instr in enumerate(program.instrs):
        op = instr.op
        if op == "load":
            value = arrays[instr.imm[0]]
        elif op == "index":
            value = indices[instr.imm[0]]
        elif op == "param":
            value = _one(params[instr.imm[0]], instr.dtype)
        elif op == "const":
            value = _one(instr.imm[0], instr.dtype)
        else:
            value = ops.evaluate(ops.OPS[op], [values[a] for a in instr.args], instr.dtype)
            for a in instr.args:
                if last_use[a] == number:
                    values[a] = None  # frees the memory of the intermediate
        values.append(value)
    return [values[k] for k in program.outputs]


def bytes_in_use(program: ScalarProgram, elements: int) -> int:
    """Bytes that `evaluate` takes at most for values in a tile, with so many elements in all.

    Examples
    --------
    >>> from gpuscale.codegen.program import ProgramBuilder
    >>> b = ProgramBuilder()
    >>> x = b.load(0, np.dtype("f8"))
    >>> bytes_in_use(b.build(b.apply("multiply", b.apply("add", x, x), x)), 100)
    1600
    """
    elements = min(elements, TILE)
    alive = most = 0
    sizes: list[int] = []
    for number, instr in enumerate(program.instrs):
        is_stored = instr.op == "index" or not instr.is_leaf
        sizes.append(instr.dtype.itemsize * elements if is_stored else 0)
        alive += sizes[-1]
        drawn = random_ops.BY_NAME.get(instr.op)
        most = max(most, alive + (drawn.bytes_beside(elements) if drawn else 0))
        alive -= sum(sizes[a] for a in {*instr.args} if program.last_use[a] == number)
    return most


def temporaries(reductions: Sequence[str], elements: int) -> int:
    """Bytes that reducing a tile takes: moments need deviations and their squares.

    Examples
    --------
    >>> temporaries(["sum"], 100), temporaries(["moments"], 100)
    (0, 2400)
    """
    return reductions.count("moments") * 24 * min(elements, TILE)


def _one(value: Any, dtype: Any) -> Any:
    """One number; objects and strings stay in a box, lest they forget their dtype."""
    box = functions.boxed(value, dtype)
    return box if dtype.kind in "OSUV" else box[()]


def index_values(index: AffineIndex, tile: Tile, xp: Any = np) -> Any:
    """Values of an index function over one tile, in a shape that broadcasts to it."""
    total: Any = xp.full((1,) * len(tile), index.base, dtype=np.int64)
    for axis, (coef, cut) in enumerate(zip(index.coefs, tile, strict=True)):
        if coef:
            along = xp.arange(cut.start, cut.stop, dtype=np.int64) * coef
            total = total + along.reshape([-1 if a == axis else 1 for a in range(len(tile))])
    return total


def _over_tile(
    program: ScalarProgram,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    tile: Tile,
    xp: Any,
) -> list[Any]:
    cut = [array[_clip(tile, array.shape)] for array in arrays]
    return evaluate(program, cut, [index_values(i, tile, xp) for i in indices], params)


def _clip(tile: Tile, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Part of a tile that an array broadcast to the domain holds itself."""
    if not shape:
        return (...,)  # one string or object stays an array
    trailing = tile[len(tile) - len(shape) :]
    return tuple(slice(None) if n == 1 else cut for n, cut in zip(shape, trailing, strict=True))


def interpret_map(
    program: ScalarProgram,
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    out: Sequence[Any] | None = None,
    xp: Any = np,
) -> tuple[Any, ...]:
    """`run.run_map` without a compiler."""
    with np.errstate(all="ignore"):
        whole = math.prod(shape) <= TILE
        if whole and out is None:
            tile = tuple(slice(0, n) for n in shape)
            values = _over_tile(program, arrays, indices, params, tile, xp)
            return tuple(
                _own(value, dtype, shape, arrays, xp)
                for value, dtype in zip(values, program.dtypes, strict=True)
            )
        if out is None:
            out = [xp.empty(shape, dtype) for dtype in program.dtypes]
        for tile in tiles(shape):
            values = _over_tile(program, arrays, indices, params, tile, xp)
            for target, value in zip(out, values, strict=True):
                target[(*tile, ...)] = value
        return tuple(out)


def _own(value: Any, dtype: Any, shape: tuple[int, ...], arrays: Sequence[Any], xp: Any) -> Any:
    """Return a value as a fresh array of the domain's shape."""
    value = xp.asarray(value, dtype=dtype)  # a scalar forgets how long strings of its dtype may be
    if value.shape == shape and not any(xp.may_share_memory(value, a) for a in arrays):
        return value
    return xp.array(xp.broadcast_to(value, shape))


def interpret_reduce(
    program: ScalarProgram,
    reductions: Sequence[str],
    arrays: Sequence[Any],
    indices: Sequence[AffineIndex],
    params: Sequence[Any],
    shape: tuple[int, ...],
    axes: tuple[int, ...],
    xp: Any = np,
) -> tuple[Any, ...]:
    """`run.run_reduce` without a compiler."""
    rows = [REDUCTIONS[name] for name in reductions]
    keep = tuple(1 if a in axes else n for a, n in enumerate(shape))
    out = [empty_partial(r, d, keep, xp) for r, d in zip(rows, program.dtypes, strict=True)]
    position = flat_position(shape, axes)
    located = any(name in ("argmin", "argmax") for name in reductions)
    bare = all(instr.is_leaf for instr in program.instrs)
    cuts = _cuts(shape, BARE if bare else TILE)  # of all axes alike: tiles are read along rows
    if math.prod(shape) == 0:
        return tuple(x for partial in out for x in partial)

    def reduce_tile(tile: Tile) -> list[Partial]:
        values = _over_tile(program, arrays, indices, params, tile, xp)
        box = tuple(cut.stop - cut.start for cut in tile)
        where = index_values(position, tile, xp) if located else None
        return [
            row.tile(xp.broadcast_to(xp.asarray(value), box), where, axes)
            for row, value in zip(rows, values, strict=True)
        ]

    with np.errstate(all="ignore"):
        for kept in itertools.product(*_of_kept(cuts, axes)):
            stack: list[tuple[int, list[Partial]]] = []
            for reduced in itertools.product(*(cuts[a] for a in axes)):
                by_axis = dict(zip(axes, reduced, strict=True))
                tile = tuple(by_axis.get(a, cut) for a, cut in enumerate(kept))
                _push(stack, rows, reduce_tile(tile))
            for row_out, partial in zip(out, _fold(stack, rows), strict=True):
                for target, value in zip(row_out, partial, strict=True):
                    target[kept] = value
    return tuple(x for partial in out for x in partial)


def _of_kept(cuts: list[list[slice]], axes: tuple[int, ...]) -> list[list[slice]]:
    """The cuts of the partial results."""
    return [[slice(0, 1)] if a in axes else cut for a, cut in enumerate(cuts)]


def _combine(rows: Sequence[Reduction], a: list[Partial], b: list[Partial]) -> list[Partial]:
    return [row.combine(x, y) for row, x, y in zip(rows, a, b, strict=True)]


def _push(
    stack: list[tuple[int, list[Partial]]], rows: Sequence[Reduction], partial: list[Partial]
) -> None:
    """Combine like a binary counter, so that sums of many tiles stay pairwise."""
    level = 0
    while stack and stack[-1][0] == level:
        partial = _combine(rows, stack.pop()[1], partial)
        level += 1
    stack.append((level, partial))


def _fold(stack: list[tuple[int, list[Partial]]], rows: Sequence[Reduction]) -> list[Partial]:
    partial = stack.pop()[1]
    while stack:
        partial = _combine(rows, stack.pop()[1], partial)
    return partial


def flat_position(shape: Sequence[int], axes: Sequence[int]) -> AffineIndex:
    """Position flattened over ``axes`` in C order, as a function of the position in the domain.

    Examples
    --------
    >>> flat_position((2, 3, 4), (0, 2))
    AffineIndex(base=0, coefs=(4, 0, 1))
    """
    coefs, step = [0] * len(shape), 1
    for axis in sorted(axes, reverse=True):
        coefs[axis] = step
        step *= shape[axis]
    return AffineIndex(0, tuple(coefs))


def empty_partial(
    row: Reduction, dtype: np.dtype[Any], keep: tuple[int, ...], xp: Any = np
) -> Partial:
    """Partial result of an empty extent for each kept position."""
    scalars = row.empty(dtype)
    return tuple(
        xp.full(keep, scalar, dtype=d) for scalar, d in zip(scalars, row.dtypes(dtype), strict=True)
    )
