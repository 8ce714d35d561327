"""Pieces of frames that a Python function makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gpuscale.base.tokens import tokenize
from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate, Pushdown
from gpuscale.io.pieces import Cost

__all__ = ["CalledPieces"]

_GUESS = 1 << 20  # bytes of a piece of which nothing is known


class CalledPieces(FramePieces):
    """Reads pieces by calling ``function(columns, *values)``.

    Parameters
    ----------
    function : callable
        ``columns`` is a list of those that are needed, or None; what it returns is what the schema
        says of them.
    values : sequence of tuple
        What the function is called with for each piece.
    schema : object of pandas
        What it gives, without rows.
    divisions : tuple, optional
    takes_columns : bool
        Whether the function leaves out other columns.
    """

    cost: Cost = "decode"

    def __init__(
        self,
        function: Callable[..., Any],
        values: Sequence[tuple[Any, ...]],
        schema: Any,
        divisions: tuple[Any, ...] | None = None,
        takes_columns: bool = False,
    ) -> None:
        self._function, self._values = function, tuple(values)
        self.schema, self.divisions = schema, divisions
        self.takes: frozenset[Pushdown] = frozenset({"columns"} if takes_columns else ())
        self.pieces = tuple(FramePiece((k,), None, _GUESS) for k in range(len(self._values)))
        self.token = tokenize("called", function, self._values, schema, divisions, takes_columns)

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Call the function."""
        (number,) = piece.source
        if columns is None:
            return self._function(None, *self._values[number])
        asked = list(columns) if "columns" in self.takes else None
        return self._function(asked, *self._values[number])[list(columns)]
