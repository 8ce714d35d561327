"""A word to those who hold more results than there is room for, and to whom no disk helps."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gpuscale.base.errors import SpillError
from gpuscale.base.sizes import format_bytes
from gpuscale.engines.spilling import SMALLEST, Spilling

if TYPE_CHECKING:
    from gpuscale.engines.book import Book

__all__ = ["OverLimit", "why_they_stay"]

_logger = logging.getLogger("gpuscale.client")


class OverLimit:
    """Warns once each time that a session comes to hold more than its limit.

    What others only look at for a moment is not worth a word.
    """

    def __init__(self) -> None:
        self._has_warned = False
        self._next = 0.0  # bytes from which on it looks again, since it looks at all results

    def look(self, book: Book, limit: float) -> None:
        """Look after a session that has nothing to run or to write."""
        state, alive = book.growing, book.growing.alive
        if alive <= limit:
            self._has_warned, self._next = False, 0.0
        elif not self._has_warned and alive > self._next:
            self._next = 1.1 * alive
            small, unfit, _ = state.bytes_that_stay()
            self._has_warned = not state.spills or small + unfit > limit or alive > 2 * limit
            if self._has_warned:
                _logger.warning(
                    "results that futures hold take %s, more than the client's memory limit of "
                    "%s, and none of them can go to disk: %s; release futures, or raise "
                    "memory_limit",
                    format_bytes(alive), format_bytes(limit),
                    why_they_stay(state, book.spiller.error),
                )  # fmt: skip


def why_they_stay(state: Spilling, error: SpillError | None) -> str:
    """Say why results are in memory that there is too little room for."""
    if error is not None:
        return str(error)
    if not state.spills:
        return "the option spill is off"
    small, unfit, rest = state.bytes_that_stay()
    causes = {
        f"in results smaller than {format_bytes(SMALLEST)} each": small,
        "in what is more than arrays, tables, bytes and containers of these": unfit,
        "in results that are in use": rest,
    }
    return ", ".join([f"{format_bytes(n)} {what}" for what, n in causes.items() if n])
