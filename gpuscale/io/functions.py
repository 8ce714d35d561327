"""Pieces that a Python function makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gpuscale.base.errors import GpuscaleError
from gpuscale.base.tokens import tokenize
from gpuscale.io.pieces import Cost, PieceReader, Region

__all__ = ["FunctionReader"]


class FunctionReader(PieceReader):
    """Reads pieces by calling ``function(slices)``.

    Parameters
    ----------
    function : callable
    shape : tuple of int
    dtype : numpy.dtype
    """

    chunks = None
    # What a function costs is unknown, so its pieces are kept where that is possible.
    cost: Cost = "decode"
    backend = "numpy"

    def __init__(
        self, function: Callable[[Region], Any], shape: tuple[int, ...], dtype: np.dtype[Any]
    ) -> None:
        self.function, self.shape, self.dtype = function, shape, dtype
        self.token = tokenize("function", function, shape, dtype)

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> tuple[Any, ...]:
        return "function", self.function, self.shape, self.dtype

    def read(self, region: Region) -> Any:
        """Call the function, and check what it returns."""
        piece = np.asarray(self.function(region), dtype=self.dtype)
        wanted = tuple(len(range(*s.indices(n))) for s, n in zip(region, self.shape, strict=True))
        if piece.shape != wanted:
            raise GpuscaleError(
                f"the function was asked for {region}, of shape {wanted}, and returned shape "
                f"{piece.shape}"
            )
        return piece
