"""Parts of kernels that are the same in many of them: compiled once, called by address.

What a kernel calls is compiled again into every kernel otherwise, which takes longer than the
kernel's own loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpuscale.codegen import random_ops
from gpuscale.codegen.accumulate import Accumulator
from gpuscale.codegen.emit import memory_type, type_name

__all__ = [
    "NEXT_PAIR",
    "NEXT_TILE",
    "Helper",
    "columns_helper",
    "copy_helper",
    "merge_helper",
    "rows_helper",
]

TILES, MERGES = "gpuscale.codegen.tiles_cpu", "gpuscale.codegen.merge_cpu"
DRAWS = "gpuscale.codegen.draw_cpu"


@dataclass(frozen=True)
class Helper:
    """A function on words: whole numbers, or addresses of elements of some type.

    Attributes
    ----------
    module, function : str
        Where it is; no module where `imports` make it.
    words : tuple of str
        For each argument the type that it points to, or "" for a number.
    imports : tuple of str
        More lines before the kernel.
    """

    module: str
    function: str
    words: tuple[str, ...]
    imports: tuple[str, ...] = ()

    def source(self) -> str:
        """Write the kernel that calls the function on the words of its vector.

        Examples
        --------
        >>> print(NEXT_TILE.source().splitlines()[-1].strip())
        next_tile(pointer(g[0], int64))
        """
        kinds = sorted({*filter(None, self.words), "int64"})
        words = [f"pointer(g[{k}], {t})" if t else f"g[{k}]" for k, t in enumerate(self.words)]
        lines = [
            f"from numba.core.types import {', '.join(kinds)}",
            "from gpuscale.codegen.intrinsics import pointer",
            *([f"from {self.module} import {self.function}"] if self.module else []),
            "from gpuscale.kernels.portable_cpu import prefer_wide_vectors",
        ]
        lines += self.imports
        call = f"{self.function}({', '.join(words)})"
        return "\n".join([*lines, "", "def kernel(g):", "    prefer_wide_vectors()", f"    {call}"])


NEXT_TILE = Helper(TILES, "next_tile", ("int64",))
NEXT_PAIR = Helper(TILES, "next_pair", ("int64",))


def copy_helper(dtype: np.dtype[Any]) -> Helper:
    """`tiles_cpu.copy_tile` of one dtype."""
    kind = memory_type(dtype)
    return Helper(TILES, "copy_tile", (kind, kind, "", "", "", ""))


def rows_helper(op: str, dtype: np.dtype[Any]) -> Helper:
    """Fill rows with one random draw; the words are those of `draw_cpu.uniform_rows`."""
    row, kind = random_ops.BY_NAME[op], type_name(dtype)
    words = (kind, *[""] * 7)
    if row.rows:
        return Helper(DRAWS, row.rows, words)
    imports = (
        f"from {DRAWS} import each_row",
        f"from gpuscale.kernels.philox.{row.module}_cpu import {row.fill}",
        f"fill_rows = each_row({row.fill})",
    )
    return Helper("", "fill_rows", words, imports)


def columns_helper(dtype: np.dtype[Any]) -> Helper:
    """`tiles_cpu.fill_columns` of one dtype."""
    kind = type_name(dtype)
    return Helper(TILES, "fill_columns", ("", kind, kind, *[""] * 6))


def merge_helper(form: str, accumulator: Accumulator) -> Helper:
    """Join the lanes of a tile with the accumulators of one reduction."""
    pointers = [memory_type(dtype) for dtype, _ in (*accumulator.lanes, *accumulator.totals)]
    numbers = [""] * (8 if accumulator.wants_position else 5)
    return Helper(MERGES, f"{form}_{accumulator.merge}", (*pointers, *numbers))
