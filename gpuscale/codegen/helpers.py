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

__all__ = ["NEXT_TILE", "Helper", "copy_helper", "fill_helper", "merge_helper"]

TILES, MERGES = "gpuscale.codegen.tiles_cpu", "gpuscale.codegen.merge_cpu"


@dataclass(frozen=True)
class Helper:
    """A function on words: whole numbers, or addresses of elements of some type.

    Attributes
    ----------
    module, function : str
        Where it is.
    words : tuple of str
        For each argument the type that it points to, or "" for a number.
    passing : tuple of str
        Module and name of a function to pass first, if any.
    """

    module: str
    function: str
    words: tuple[str, ...]
    passing: tuple[str, ...] = ()

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
            f"from numba.types import {', '.join(kinds)}",
            "from gpuscale.codegen.intrinsics import pointer",
            f"from {self.module} import {self.function}",
            "from gpuscale.kernels.portable_cpu import prefer_wide_vectors",
        ]
        if self.passing:
            lines.append("from {} import {}".format(*self.passing))
            words.insert(0, self.passing[1])
        call = f"{self.function}({', '.join(words)})"
        return "\n".join([*lines, "", "def kernel(g):", "    prefer_wide_vectors()", f"    {call}"])


NEXT_TILE = Helper(TILES, "next_tile", ("int64",))


def copy_helper(dtype: np.dtype[Any]) -> Helper:
    """`tiles_cpu.copy_tile` of one dtype."""
    kind = memory_type(dtype)
    return Helper(TILES, "copy_tile", (kind, kind, "", "", "", ""))


def fill_helper(op: str, dtype: np.dtype[Any]) -> Helper:
    """`tiles_cpu.fill_tile` of one random draw."""
    row, kind = random_ops.BY_NAME[op], type_name(dtype)
    passing = (f"gpuscale.kernels.philox.{row.module}_cpu", row.fill)
    return Helper(TILES, "fill_tile", (kind, kind, *[""] * 7), passing)


def merge_helper(form: str, accumulator: Accumulator) -> Helper:
    """Join the lanes of a tile with the accumulators of one reduction."""
    pointers = [memory_type(dtype) for dtype, _ in (*accumulator.lanes, *accumulator.totals)]
    return Helper(MERGES, f"{form}_{accumulator.merge}", (*pointers, *[""] * 5))
