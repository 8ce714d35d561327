"""Walk over tiles, and bring operands and random numbers to them.

Imports numba: only generated kernels import this module.
"""

from __future__ import annotations

from typing import Any

from gpuscale.codegen.geometry import HEADER, OPERAND
from gpuscale.codegen.intrinsics import (
    address_of,
    call_kernel,
    fetch,
    in_kernel,
    moved,
    store,
    transpose_8x8,
)

COUNT, ROWS, COLUMNS = (HEADER.index(name) for name in ("count", "rows", "columns"))
TILE_ROWS, TILE_COLUMNS = HEADER.index("tile_rows"), HEADER.index("tile_columns")
N_OPERANDS, N_OUTER, OUTER_AT = (HEADER.index(n) for n in ("n_operands", "n_outer", "outer_at"))
OUTER, I0, J0, H, W = (HEADER.index(name) for name in ("outer", "i0", "j0", "h", "w"))
DONE, SIDES, TRIANGULAR = (HEADER.index(name) for name in ("done", "sides", "triangular"))
FIRST, FIELDS = len(HEADER), len(OPERAND)
BASE, STEP_I, STEP_J, UNIT, PLANE, HERE = range(FIELDS)


@in_kernel
def next_tile(g: Any) -> None:
    """Move every operand to the next tile; ``done`` says that there is none.

    A fresh vector has j0 before the first tile: ``j0 = columns``, ``i0 = rows``, ``outer = -1``.
    """
    j0 = g[J0] + g[TILE_COLUMNS]
    if j0 >= g[COLUMNS]:
        j0 = 0
        g[I0] += g[TILE_ROWS]
        if g[I0] >= g[ROWS]:
            g[I0] = 0
            g[OUTER] += 1
            if g[OUTER] >= g[COUNT]:
                g[DONE] = 1
                return
            _next_plane(g)
        g[H] = min(g[TILE_ROWS], g[ROWS] - g[I0])
    g[J0] = j0
    g[W] = min(g[TILE_COLUMNS], g[COLUMNS] - j0)
    for k in range(g[N_OPERANDS]):
        at = FIRST + k * FIELDS
        steps = g[I0] * g[at + STEP_I] + j0 * g[at + STEP_J]
        g[at + HERE] = g[at + PLANE] + steps * g[at + UNIT]


@in_kernel
def _next_plane(g: Any) -> None:
    n_outer, lengths = g[N_OUTER], g[OUTER_AT]
    for k in range(g[N_OPERANDS]):
        g[FIRST + k * FIELDS + PLANE] = g[FIRST + k * FIELDS + BASE]
    rest = g[OUTER]
    for axis in range(n_outer - 1, -1, -1):
        position = rest % g[lengths + axis]
        rest //= g[lengths + axis]
        for k in range(g[N_OPERANDS]):
            at = FIRST + k * FIELDS
            step = g[lengths + (k + 1) * n_outer + axis]
            g[at + PLANE] += position * step * g[at + UNIT]


@in_kernel
def next_pair(g: Any) -> None:
    """Move both sides of a mirrored pair: to tile (i, j) of the first and (j, i) of the second.

    Where both sides are one block, tiles below its diagonal come as mirrors of those above, and
    tiles on it stand alone. A fresh vector has ``i0 = -tile_rows``, ``j0 = columns``.
    """
    j0 = g[J0] + g[TILE_COLUMNS]
    if j0 >= g[COLUMNS]:
        g[I0] += g[TILE_ROWS]
        if g[I0] >= g[ROWS]:
            g[DONE] = 1
            return
        j0 = g[I0] if g[TRIANGULAR] else 0
    i0 = g[I0]
    g[J0] = j0
    g[H], g[W] = min(g[TILE_ROWS], g[ROWS] - i0), min(g[TILE_COLUMNS], g[COLUMNS] - j0)
    g[SIDES] = 1 if g[TRIANGULAR] and i0 == j0 else 2
    for k in range(g[N_OPERANDS]):
        at = FIRST + k * FIELDS
        g[at + HERE] = g[at + BASE] + (i0 * g[at + STEP_I] + j0 * g[at + STEP_J]) * g[at + UNIT]
        at += g[N_OPERANDS] * FIELDS
        g[at + HERE] = g[at + BASE] + (j0 * g[at + STEP_I] + i0 * g[at + STEP_J]) * g[at + UNIT]


@in_kernel
def copy_tile(out: Any, source: Any, step_i: int, step_j: int, rows: int, columns: int) -> None:
    """Write ``source[i * step_i + j * step_j]`` to ``out[i * columns + j]``."""
    if step_i == 1:
        transpose_tile(out, columns, source, step_j, rows, columns)
    else:
        for i in range(rows):
            for j in range(columns):
                value = fetch(source, i * step_i + j * step_j, "in")
                store(out, i * columns + j, value, "w0")


@in_kernel
def transpose_tile(
    out: Any, out_step: int, source: Any, step: int, rows: int, columns: int
) -> None:
    """Write ``source[j * step + i]`` to ``out[i * out_step + j]``.

    Blocks of 8 x 8 use up every cache line that is read at once, wherever the lines of
    neighbouring columns fall in the cache.
    """
    whole_rows, whole_columns = rows & ~7, columns & ~7
    for j in range(0, whole_columns, 8):
        for i in range(0, whole_rows, 8):
            to, origin = moved(out, i * out_step + j), moved(source, j * step + i)
            transpose_8x8(to, out_step, origin, step)
    for i in range(rows):
        first = whole_columns if i < whole_rows else 0
        for j in range(first, columns):
            store(out, i * out_step + j, fetch(source, j * step + i, "in"), "w0")


@in_kernel
def fill_columns(
    fill_rows: int, out: Any, spare: Any, start: int, step_j: int,
    rows: int, columns: int, key0: int, key1: int,
) -> None:  # fmt: skip
    """Draw a tile whose consecutive elements lie along its columns.

    Eight columns at a time are drawn in their own order into ``spare``, by a kernel that fills
    rows, and transposed from there: neighbours share a block of random words, and eight columns
    stay in the first-level cache.
    """
    for j in range(0, columns, 8):
        count = min(8, columns - j)
        place = address_of(spare, 0)
        call_kernel(fill_rows, place, rows, start + j * step_j, step_j, count, rows, key0, key1)
        transpose_tile(moved(out, j), columns, spare, rows, rows, count)
