"""Rows for random numbers: functions of (key half, key half, element index, parameters...).

The functions live in `gpuscale.kernels.philox`, written once for arrays and for compiled scalars;
a row only says where, and which function fills a whole row of consecutive elements faster.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gpuscale.backends.seams import array_namespace

__all__ = ["BY_NAME", "PIECE", "ROWS", "RandomOp"]

PIECE = 2048  # elements that are drawn at a time: many intermediate arrays stay in the cache

DType = np.dtype[Any]
_KEY_AND_INDEX = ("u4", "u4", "i8")


@dataclass(frozen=True)
class RandomOp:
    """One random draw.

    Attributes
    ----------
    name : str
        "philox_" and the name of the distribution.
    module, function : str
        Where the scalar function is: ``gpuscale.kernels.philox.<module>.<function>``.
    fill : str
        ``<module>_cpu.<fill>(out, key0, key1, start)`` writes consecutive elements; "" where
        elements are drawn one by one.
    dtypes : tuple of numpy.dtype
        Of the arguments, then of the result.
    cost : int
        Time for one element, in units of one addition.
    room : int
        Bytes that drawing with arrays takes for an element of a piece, beside the result.
    rows : str
        A function of `draw_cpu` that fills several rows at once, faster than one by one.
    """

    name: str
    module: str
    function: str
    fill: str
    dtypes: tuple[DType, ...]
    cost: int
    room: int
    rows: str = ""

    @cached_property
    def array_function(self) -> Any:
        """Draw for arrays of indices at once; kernels for CUDA are written by it, too."""
        module = importlib.import_module(f"gpuscale.kernels.philox.{self.module}")
        return getattr(module, self.function)

    def numpy(self, key0: Any, key1: Any, index: Any) -> Any:
        """Draw for arrays of indices, piece by piece."""
        if index.size <= PIECE:
            return self.array_function(key0, key1, index)
        out = array_namespace(index).empty(index.size, self.dtypes[-1])
        flat = index.reshape(-1)
        for start in range(0, index.size, PIECE):
            piece = slice(start, start + PIECE)
            out[piece] = self.array_function(key0, key1, flat[piece])
        return out.reshape(index.shape)

    def bytes_beside(self, elements: int) -> int:
        """Bytes that drawing so many elements takes, beside the result."""
        return self.room * min(elements, PIECE)

    def rule(self, *dtypes: Any) -> tuple[DType, ...]:
        """Answer the dtypes, whatever the operands are: they are cast."""
        return self.dtypes


def _row(
    module: str, function: str, fill: str, out: str, cost: int, room: int, rows: str = ""
) -> RandomOp:
    dtypes = tuple(np.dtype(d) for d in (*_KEY_AND_INDEX, out))
    return RandomOp(f"philox_{function}", module, function, fill, dtypes, cost, room, rows)


ROWS: tuple[RandomOp, ...] = (
    _row("uniform", "uniform", "fill_uniform", "f8", 10, 90, "uniform_rows"),
    _row("uniform", "open_uniform", "fill_open_uniform", "f8", 12, 90),
    _row("uniform", "uniform_float32", "fill_uniform_float32", "f4", 6, 90),
    _row("normal", "normal", "fill_normal", "f8", 40, 160),
    _row("normal", "normal_float32", "fill_normal_float32", "f4", 30, 210),
    _row("exponential", "exponential", "fill_exponential", "f8", 30, 130),
    _row("exponential", "exponential_float32", "fill_exponential_float32", "f4", 20, 140),
)

BY_NAME: dict[str, RandomOp] = {row.name: row for row in ROWS}
