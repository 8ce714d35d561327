"""Walk over tiles, and bring operands and random numbers to them.

Imports numba: only generated kernels import this module.
"""

from __future__ import annotations

from typing import Any

from numba import carray
from numba.extending import register_jitable

from gpuscale.codegen.geometry import HEADER, OPERAND
from gpuscale.codegen.intrinsics import fetch, moved, store

COUNT, ROWS, COLUMNS = (HEADER.index(name) for name in ("count", "rows", "columns"))
TILE_ROWS, TILE_COLUMNS = HEADER.index("tile_rows"), HEADER.index("tile_columns")
N_OPERANDS, N_OUTER, OUTER_AT = (HEADER.index(n) for n in ("n_operands", "n_outer", "outer_at"))
OUTER, I0, J0, H, W = (HEADER.index(name) for name in ("outer", "i0", "j0", "h", "w"))
DONE = HEADER.index("done")
FIRST, FIELDS = len(HEADER), len(OPERAND)
BASE, STEP_I, STEP_J, UNIT, PLANE, HERE = range(FIELDS)


@register_jitable
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


@register_jitable
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


@register_jitable
def copy_tile(
    out: Any, source: Any, step_i: int, step_j: int, rows: int, columns: int
) -> None:
    """Write ``source[i * step_i + j * step_j]`` to ``out[i * columns + j]``.

    The loop along the shorter step is the inner one, so that every cache line read is used up
    at once, wherever the lines of neighbouring rows fall in the cache.
    """
    if abs(step_i) < abs(step_j):
        for j in range(columns):
            for i in range(rows):
                value = fetch(source, i * step_i + j * step_j, "in")
                store(out, i * columns + j, value, "w0")
    else:
        for i in range(rows):
            for j in range(columns):
                value = fetch(source, i * step_i + j * step_j, "in")
                store(out, i * columns + j, value, "w0")


@register_jitable
def fill_tile(
    fill: Any, out: Any, spare: Any, start: int, step_i: int, step_j: int,
    rows: int, columns: int, key0: int, key1: int,
) -> None:  # fmt: skip
    """Draw a tile of random numbers with a function that draws a row of consecutive elements.

    Where consecutive elements lie along the columns of the tile, the tile is drawn in their
    order into ``spare`` and then transposed: neighbours share a block of random words.
    """
    if step_j == 1:
        for i in range(rows):
            fill(carray(moved(out, i * columns), columns), key0, key1, start + i * step_i)
    else:
        for j in range(columns):
            fill(carray(moved(spare, j * rows), rows), key0, key1, start + j * step_j)
        copy_tile(out, spare, 1, rows, rows, columns)
