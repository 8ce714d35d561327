"""Tasks of sorts, takes and shuffles whose pieces go from worker to worker, to where they belong.

The workers of dask.distributed pass on pieces of arrays that they rechunk: see
`gpuscale.graph.shuffle`. Other pieces go the same way if each is a place in an array of three axes
that nobody ever has: where it comes from, beside what, and where it goes. Who hands over has a row
of it, from its source to everywhere; who takes gets a column, from everywhere to its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuscale.backends.creation import is_on_device
from gpuscale.base.types import Key
from gpuscale.expr.physical import Exchange
from gpuscale.expr.reads import is_planned_elsewhere
from gpuscale.graph.shuffle import (
    LEAST_PIECE,
    OURS,
    PLAIN,
    ROOMS,
    HandOver,
    Take,
    WaitForAll,
    workers_pass_pieces,
)
from gpuscale.memory.limits import memory_limit

if TYPE_CHECKING:
    from gpuscale.graph.build import GraphBuilder

__all__ = ["Fields", "HandOverPieces", "PieceShuffle", "Rows", "TakePieces", "passes_pieces"]

#: Pieces that are few enough, however small they are.
FEW = 1 << 16

#: Bytes that are handed over at once: as much as that is in memory twice.
AT_ONCE = 8 << 20

#: Rows that a source has for a place, from one to another: of some arrays, which are equally long.
Rows = Callable[[int, int, int], Sequence[Any]]
#: Of some arrays the type of each, and the shape of its rows.
Fields = Sequence[tuple[np.dtype[Any], tuple[int, ...]]]


def passes_pieces(
    backend: str, dtypes: Iterable[np.dtype[Any]], nbytes: int, held: int, pieces: int
) -> bool:
    """Whether workers are to pass on the pieces of an exchange.

    Parameters
    ----------
    backend : str
    dtypes : iterable of dtype
    nbytes : int
        Of all pieces.
    held : int
        Bytes that a task has in memory that reads whole blocks.
    pieces : int
        How many there are.
    """
    if not is_planned_elsewhere() or is_on_device(backend) or held * ROOMS <= memory_limit():
        return False
    if any(dtype.kind not in PLAIN for dtype in dtypes):
        return False
    return pieces <= max(FEW, nbytes // LEAST_PIECE) and workers_pass_pieces()


class PieceShuffle:
    """The tasks of one exchange while they are made.

    Parameters
    ----------
    builder : GraphBuilder
    node : Exchange
    sources, beside, places : int
        How many places the array of pieces has along its axes.
    largest : int
        Bytes of the largest source.
    """

    def __init__(
        self,
        builder: GraphBuilder,
        node: Exchange,
        sources: int,
        beside: int,
        places: int,
        largest: int,
    ) -> None:
        self._builder, self._node, self._name = builder, node, builder.key(node, (0,))[0]
        self._shuffle, self._handed = OURS + self._name, list[Key]()
        self._turns = max(1, min(largest // AT_ONCE, largest // places // LEAST_PIECE))
        rows, lines, columns = ((1,) * n for n in (sources * self._turns, beside, places))
        old, new = (rows, lines, (places,)), ((len(rows),), lines, columns)
        self._wait = WaitForAll(self._shuffle, old, new, self._turns)
        self._all_there = (f"{self._name}-all",)

    def hand_over(
        self,
        source: int,
        beside: int,
        cut: Callable[..., Any],
        deps: Sequence[Key],
        room: int = 0,
    ) -> None:
        """Cut the pieces of a source, which takes some room.

        ``cut(*inputs, index)`` says which rows it has (`Rows`), and for each place from which one
        to which other they go there.
        """
        index = (source, beside, 0)
        self._handed.append((f"{self._name}-handed", *index))
        function = HandOverPieces(self._shuffle, cut, self._turns)
        self._builder.add(self._handed[-1], self._node, function, deps, (index,), 0, AT_ONCE + room)

    def wait(self) -> None:
        """Wait until all pieces are where they belong: all of them are handed over."""
        self._builder.add(self._all_there, self._node, self._wait, self._handed)

    def take(
        self,
        key: Key,
        beside: int,
        place: int,
        make: Callable[..., Any],
        fields: Fields,
        deps: Sequence[Key],
        nbytes: int,
        room: int,
    ) -> None:
        """Put what has come to a place together: ``make(rows, *others, index)``.

        The rows are those of all sources one after the other, an array with a field for each that
        was cut.
        """
        function, index = TakePieces(self._shuffle, make, tuple(fields)), (0, beside, place)
        reads = (self._all_there, *deps)
        self._builder.add(key, self._node, function, reads, (index,), nbytes, room)


@dataclass(frozen=True)
class HandOverPieces(HandOver):
    """The task of a source; see `PieceShuffle.hand_over`."""

    cut: Callable[..., tuple[Rows, Sequence[tuple[int, int]]]]
    turns: int

    def __call__(self, *inputs_and_index: Any) -> Any:
        """Give its pieces to the workers that need them, and return the run."""
        rows, spans = self.cut(*inputs_and_index)
        source, beside, _ = inputs_and_index[-1]
        while True:
            runs = {
                super(HandOverPieces, self).__call__(
                    _Row(rows, spans, turn, self.turns), (source * self.turns + turn, beside, 0)
                )
                for turn in range(self.turns)
            }
            if len(runs) == 1:  # else workers have begun again meanwhile
                return runs.pop()


@dataclass(frozen=True)
class TakePieces(Take):
    """The task of a place; see `PieceShuffle.take`."""

    make: Callable[..., Any]
    fields: Fields

    def __call__(self, run: Any, *others_and_index: Any) -> Any:
        """Make something of the pieces, on the worker that has them."""
        pieces = super().__call__(run, others_and_index[-1])
        if not isinstance(pieces, np.ndarray):  # that of a source failed
            return pieces
        return self.make(pieces.view(_record(self.fields))[:, 0, 0], *others_and_index)


class _Row:
    """What a source hands over in a turn, a part of each piece, as dask.distributed cuts arrays."""

    __slots__ = ("rows", "spans", "turn", "turns")

    def __init__(self, rows: Rows, spans: Sequence[tuple[int, int]], turn: int, turns: int) -> None:
        self.rows, self.spans, self.turn, self.turns = rows, spans, turn, turns

    def __getitem__(self, place: tuple[slice, ...]) -> Any:
        """Bytes for a place, a line for each row."""
        number = place[-1].start
        start, stop = self.spans[number]
        first, last = (
            start + (stop - start) * turn // self.turns for turn in (self.turn, self.turn + 1)
        )
        arrays = self.rows(number, first, last)
        record = _record([(array.dtype, array.shape[1:]) for array in arrays])
        lines = np.empty((len(arrays[0]), 1, record.itemsize), np.uint8)
        fields = lines.view(record)[:, 0, 0]
        for name, array in zip(record.names or (), arrays, strict=True):
            fields[name] = array
        return lines


def _record(fields: Fields) -> np.dtype[Any]:
    return np.dtype([(f"f{k}", dtype, shape) for k, (dtype, shape) in enumerate(fields)])
