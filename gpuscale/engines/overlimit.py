"""A word to those whose futures hold more than their client may, and to whom no disk helps."""

from __future__ import annotations

import logging

from gpuscale.base.sizes import format_bytes
from gpuscale.engines.book import Book

__all__ = ["OverLimit"]

_logger = logging.getLogger("gpuscale.client")


class OverLimit:
    """Warns once each time that a session comes to hold more than its limit.

    What others only look at for a moment is not worth a word.
    """

    def __init__(self) -> None:
        self._has_warned = False

    def look(self, book: Book, limit: float) -> None:
        """Look after a session that has nothing to run or to write."""
        state, alive = book.growing, book.growing.alive
        if alive <= limit:
            self._has_warned = False
        elif not self._has_warned:
            self._has_warned = not state.spills or state.staying > limit or alive > 2 * limit
            if self._has_warned:
                _logger.warning(
                    "results that futures hold take %s, more than the client's memory limit of "
                    "%s, and none of them can go to disk: %s; release futures, or raise "
                    "memory_limit",
                    format_bytes(alive), format_bytes(limit), _why_none_goes(book),
                )  # fmt: skip


def _why_none_goes(book: Book) -> str:
    if book.spiller.error is not None:
        return str(book.spiller.error)
    if not book.growing.spills:
        return "the option spill is off"
    return "they are in use, or more than arrays, tables, bytes and containers of these"
