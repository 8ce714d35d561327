"""Pieces of frames that a Python function makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpuscale.base.errors import GpuscaleError
from gpuscale.base.tokens import tokenize
from gpuscale.io.frames import Columns, FramePiece, FramePieces, Predicate, Pushdown
from gpuscale.io.pieces import Cost

__all__ = ["CalledPieces"]

_GUESS = 1 << 20  # bytes of a piece of which nothing is known


class CalledPieces(FramePieces):
    """Reads pieces by calling ``function(*values, *args, **kwargs)``.

    Parameters
    ----------
    function : callable
    values : sequence of tuple
        What the function is called with for each piece.
    args, kwargs
        What it is called with for all of them.
    schema : pandas.DataFrame
        What it gives, without rows.
    divisions : tuple, optional
    takes_columns : bool
        Whether it takes ``columns=``, a list of those that are needed.
    check : bool
        Whether results are compared with the schema.
    """

    cost: Cost = "decode"

    def __init__(
        self,
        function: Callable[..., Any],
        values: Sequence[tuple[Any, ...]],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        schema: Any,
        divisions: tuple[Any, ...] | None = None,
        takes_columns: bool = False,
        check: bool = True,
    ) -> None:
        self._function, self._args, self._kwargs = function, args, dict(kwargs)
        self._values, self._check = tuple(values), check
        self.schema, self.divisions = schema, divisions
        self.takes: frozenset[Pushdown] = frozenset({"columns"} if takes_columns else ())
        self.pieces = tuple(FramePiece((k,), None, _GUESS) for k in range(len(self._values)))
        self.token = tokenize(
            "called", function, self._values, args, self._kwargs, schema, divisions, takes_columns
        )

    def read(self, piece: FramePiece, columns: Columns, predicate: Predicate) -> Any:
        """Call the function, and check what it returns.

        Raises
        ------
        GpuscaleError
            If it is not what the schema says.
        """
        (number,) = piece.source
        some = columns is not None and "columns" in self.takes
        asked = {"columns": list(columns)} if some and columns is not None else {}
        frame = self._function(*self._values[number], *self._args, **self._kwargs, **asked)
        expected = self.schema[list(columns)] if asked and columns is not None else self.schema
        if self._check:
            _compare(frame, expected, self._function, self._values[number])
        return frame[list(columns)] if columns is not None and not asked else frame


def _compare(frame: Any, expected: Any, function: Any, values: tuple[Any, ...]) -> None:
    name = getattr(function, "__name__", "the function")
    if type(frame) is not type(expected):
        raise GpuscaleError(
            f"{name}{values} returned a {type(frame).__name__}, and meta= says "
            f"{type(expected).__name__}"
        )
    if not hasattr(expected, "columns"):
        found, promised = [frame.dtype], [expected.dtype]
    else:
        found, promised = list(frame.dtypes.items()), list(expected.dtypes.items())
    for mine, its in zip(promised, found, strict=False):
        if mine != its:
            raise GpuscaleError(f"{name}{values} returned {its}, and meta= says {mine}")
    if len(found) != len(promised):
        raise GpuscaleError(
            f"{name}{values} returned {len(found)} columns, and meta= says {len(promised)}"
        )
