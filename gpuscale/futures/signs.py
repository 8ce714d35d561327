"""What threads wait for, made so that Ctrl-C can come at any point of it and leaves nothing locked.

The classes of `threading` and `queue` that are written in Python take a lock in one step and enter
the block that releases it in another; an interrupt in between leaves the lock taken for ever. Here
each change is a single step of the interpreter, or Ctrl-C waits until it is whole.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from operator import length_hint
from typing import Any

from gpuscale.base.interrupts import held_back

__all__ = ["Sign", "Tokens", "move"]


class Sign:
    """An event: a sign that is given or not, and waited for.

    Examples
    --------
    >>> sign = Sign()
    >>> sign.wait(0.0), sign.give(), sign.wait(None)
    (False, None, True)
    """

    def __init__(self) -> None:
        self.is_given = False
        self._waiting: deque[threading.Lock] = deque()  # each is released once, to wake its thread

    def give(self) -> None:
        """Let all go on who wait, and who come from now on."""
        with held_back():
            self.is_given = True
            with suppress(IndexError):  # until none is left: some give up meanwhile
                while True:
                    self._waiting.popleft().release()

    def take_back(self) -> None:
        """Let those wait who come from now on."""
        self.is_given = False

    def wait(self, seconds: float | None) -> bool:
        """Wait until it is given; False if it was not in time. None is for as long as it takes."""
        if self.is_given or seconds == 0:
            return self.is_given
        mine = threading.Lock()
        mine.acquire()
        self._waiting.append(mine)
        try:  # it may have been given before this thread was in the list
            return self.is_given or mine.acquire(timeout=-1 if seconds is None else seconds)
        finally:
            with suppress(ValueError):  # it was woken up, and is not in the list any more
                self._waiting.remove(mine)


class Tokens:
    """So many tokens, all alike, of which each taker has one at a time.

    Attributes
    ----------
    count : int
    put_back : callable
        Gives a token back in a single step; any arguments do, such as those of ``__exit__``.

    Examples
    --------
    >>> tokens, mine = Tokens(1), []
    >>> tokens.take(0.0, mine), tokens.take(0.01, []), tokens.n_out, len(mine)
    (True, False, 1, 1)
    >>> tokens.put_back(None)
    >>> tokens.n_out
    0
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._fresh = iter(range(count))  # that nobody has had yet
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.put_back: Callable[..., None] = self._free.put

    def take(self, seconds: float | None, mine: list[Any]) -> bool:
        """Wait for a token, and append it to an empty list in the same step; False if none came."""
        if move(self._free, 0.0, mine):
            return True
        mine.extend(islice(self._fresh, 1))
        return bool(mine) or (seconds != 0 and move(self._free, seconds, mine))

    @property
    def n_out(self) -> int:
        """How many are taken."""
        return self.count - length_hint(self._fresh) - self._free.qsize()


def move(source: queue.SimpleQueue[Any], seconds: float | None, to: list[Any]) -> bool:
    """Move the next item of a queue to the end of a list in one step; False if none came in time.

    Examples
    --------
    >>> words, found = queue.SimpleQueue(), []
    >>> words.put("first")
    >>> move(words, None, found), move(words, 0.01, found), found
    (True, False, ['first'])
    """
    try:
        to.extend(map(source.get, (seconds != 0,), (seconds,)))
    except queue.Empty:
        return False
    return True
