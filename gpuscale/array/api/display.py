"""How arrays show themselves: nothing here computes."""

from __future__ import annotations

import math
from typing import Any

from gpuscale.array.collection import Array
from gpuscale.base.sizes import format_bytes
from gpuscale.base.types import Unknown, is_known

__all__: list[str] = []

_MOST_LINES = 30  # more cuts than this are drawn as every n-th


def text(x: Array) -> str:
    """One line: operation, dtype, shape, blocks and backend."""
    meta = x.expr.meta
    size = tuple(_largest(sizes) for sizes in meta.chunks)
    backend = "" if meta.backend == "numpy" else f", backend={meta.backend}"
    return (
        f"gpuscale.array<{x.expr.name}, shape={meta.shape}, dtype={meta.dtype}, "
        f"chunksize={size}{backend}>"
    )


def _largest(sizes: tuple[Any, ...]) -> Any:
    return max(sizes) if is_known(sizes) else sizes[0]


def html(x: Array) -> str:
    """A table of sizes beside a drawing of the grid of chunks, for notebooks."""
    import html as markup  # its table of all named characters takes a while to load

    meta = x.expr.meta
    block = tuple(_largest(sizes) for sizes in meta.chunks)
    rows = [
        ("", "Array", "Chunk"),
        ("Bytes", _bytes(meta.shape, meta.dtype.itemsize), _bytes(block, meta.dtype.itemsize)),
        ("Shape", str(meta.shape), str(block)),
        ("Count", f"{math.prod(meta.numblocks):,} chunks", x.expr.name),
        ("Type", str(meta.dtype), meta.backend),
    ]
    cells = "".join(
        f"<tr><th>{markup.escape(head)}</th>"
        + "".join(f"<td>{markup.escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for head, *rest in rows
    )
    drawing = svg(x, 120) if meta.known and meta.ndim else ""
    return f"<table><tr><td><table>{cells}</table></td><td>{drawing}</td></tr></table>"


def _bytes(shape: tuple[Any, ...], itemsize: int) -> str:
    return format_bytes(math.prod(shape) * itemsize) if is_known(shape) else "unknown"


def svg(x: Array, size: int = 120) -> str:
    """Draw the last two axes as a grid; axes before them as a pile of sheets."""
    x.compute_chunk_sizes()
    chunks = (*((1,),) * (2 - x.ndim), *x.chunks)
    rows, columns = chunks[-2:]
    sheets = math.prod(map(len, chunks[:-2]))
    longest = max(sum(rows), sum(columns), 1)
    height, width = (max(size * sum(axis) / longest, 12) for axis in (rows, columns))
    shift = 4.0 * min(sheets - 1, 5)
    lines = []
    for sheet in range(min(sheets, 6) - 1, -1, -1):
        lines += _sheet(rows, columns, height, width, 4.0 * sheet)
    labels = (
        ""
        if not x.ndim
        else (
            f'<text x="{(width + shift) / 2:.1f}" y="{height + shift + 16:.1f}" '
            f'text-anchor="middle">{sum(columns)}</text>'
        )
    )
    if x.ndim > 1:
        labels += (
            f'<text x="{width + shift + 6:.1f}" y="{(height + shift) / 2:.1f}">{sum(rows)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + shift + 70:.0f}" '
        f'height="{height + shift + 24:.0f}" font-family="sans-serif" font-size="11" '
        f'fill="currentColor">{"".join(lines)}{labels}</svg>'
    )


def _sheet(
    rows: tuple[Any, ...], columns: tuple[Any, ...], height: float, width: float, at: float
) -> list[str]:
    box = (
        f'<rect x="{at:.1f}" y="{at:.1f}" width="{width:.1f}" height="{height:.1f}" '
        'fill="#ecb172" fill-opacity="0.8" stroke="#7a4a12"/>'
    )
    cuts = [
        f'<line x1="{at:.1f}" y1="{at + y:.1f}" x2="{at + width:.1f}" y2="{at + y:.1f}" '
        'stroke="#7a4a12" stroke-width="0.6"/>'
        for y in _cuts(rows, height)
    ]
    cuts += [
        f'<line x1="{at + x:.1f}" y1="{at:.1f}" x2="{at + x:.1f}" y2="{at + height:.1f}" '
        'stroke="#7a4a12" stroke-width="0.6"/>'
        for x in _cuts(columns, width)
    ]
    return [box, *cuts]


def _cuts(sizes: tuple[Any, ...], length: float) -> list[float]:
    """Where blocks end, in pixels, without the end of the axis."""
    assert not any(isinstance(size, Unknown) for size in sizes)
    total, at, cuts = max(sum(sizes), 1), 0, []
    for size in sizes[:-1]:
        at += size
        cuts.append(at / total * length)
    step = -(-len(cuts) // _MOST_LINES) if cuts else 1
    return cuts[::step]
