"""A word to those who hold more results than there is room for, and to whom no disk helps."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gpuscale.base.errors import SpillError
from gpuscale.base.sizes import format_bytes
from gpuscale.engines.spilling import SMALLEST, Spilling
from gpuscale.memory.projection import LIMITS
from gpuscale.memory.spaces import SPACES

if TYPE_CHECKING:
    from gpuscale.engines.book import Book

__all__ = ["OverLimit", "why_they_stay"]

_logger = logging.getLogger("gpuscale.client")


class OverLimit:
    """Warns once each time that a session comes to hold more than its limit.

    What others only look at for a moment is not worth a word.
    """

    def __init__(self) -> None:
        self._have_warned = [False for _ in SPACES]
        # Bytes from which on it looks again, since it looks at all results.
        self._next = [0.0 for _ in SPACES]

    def look(self, book: Book) -> None:
        """Look after a session that has nothing to run or to write."""
        for space in SPACES:
            alive = book.growing.alive[space]
            if alive <= book.limits[space]:
                self._have_warned[space], self._next[space] = False, 0.0
            elif not self._have_warned[space] and alive > self._next[space]:
                self._next[space] = 1.1 * alive
                self._have_warned[space] = _warn(book, space)


def _warn(book: Book, space: int) -> bool:
    """Warn if what is beyond the limit will stay; say whether that was done."""
    state, alive, limit = book.growing, book.growing.alive[space], book.limits[space]
    small, unfit, _ = state.bytes_that_stay(space)
    stays = not state.spills or small + unfit > limit or alive > 2 * limit
    if stays:
        name = LIMITS[space]
        _logger.warning(
            "results that futures hold take %s, more than the client's %s of %s, and none of them "
            "can go %s: %s; release futures, or raise %s",
            format_bytes(alive), name, format_bytes(limit), ("to disk", "to the host")[space],
            why_they_stay(state, space, book.spiller.error), name.replace(" ", "_"),
        )  # fmt: skip
    return stays


def why_they_stay(state: Spilling, space: int, error: SpillError | None) -> str:
    """Say why results are in memory that there is too little room for."""
    if error is not None:
        return str(error)
    if not state.spills:
        return "the option spill is off"
    small, unfit, rest = state.bytes_that_stay(space)
    causes = {
        f"in results smaller than {format_bytes(SMALLEST)} each": small,
        "in what is more than arrays, tables, bytes and containers of these": unfit,
        "in results that are in use": rest,
    }
    return ", ".join([f"{format_bytes(n)} {what}" for what, n in causes.items() if n])
