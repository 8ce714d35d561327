"""Which of many results is needed latest, where what is known of each changes all the time."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from heapq import heapify, heappop, heappush, heapreplace
from typing import TypeAlias

__all__ = ["Latest"]

Turn: TypeAlias = Callable[[int], float | None]


class Latest:
    """Finds the number whose turn is latest, in a time that hardly grows with how many there are.

    A heap has of each number a turn that is at least as late as the right one, which is looked up
    when the number comes to the top. So nobody need tell when a turn becomes earlier, and many
    changes of one number cost as much as one.

    Its methods take a function that gives the turn of a number, None if that is not among those
    that may be found. (It is not kept: whoever has this object would be held by it.)

    Parameters
    ----------
    numbers : iterable of int
        To begin with.

    Attributes
    ----------
    changed : set of int
        Numbers that may have come to be found, or whose turn may have become later.

    Examples
    --------
    >>> turns = {1: 5, 2: 7, 3: 6}
    >>> latest = Latest(turns)
    >>> latest.find(turns.get), latest.find(turns.get, spared={2})
    ((7, 2), (6, 3))
    >>> turns[2] = 1
    >>> latest.find(turns.get)
    (6, 3)
    >>> turns[1] = 8
    >>> latest.changed.add(1)
    >>> latest.find(turns.get)
    (8, 1)
    """

    __slots__ = ("_claims", "_heap", "changed")

    def __init__(self, numbers: Iterable[int]) -> None:
        self._heap: list[tuple[float, int]] = []  # turns and numbers, negated
        self._claims: dict[int, float] = {}  # the entry of each number that holds
        self.changed = set(numbers)

    def is_empty(self, turn: Turn) -> bool:
        """Say whether there is none for sure, after a look at what has changed."""
        self._take_changes(turn)
        return not self._heap

    def find(self, turn: Turn, spared: Container[int] = ()) -> tuple[float, int | None]:
        """Return the latest turn and whose it is, (0, None) if there is none but those spared."""
        self._take_changes(turn)
        heap, claims, aside = self._heap, self._claims, []
        found: tuple[float, int | None] = (0.0, None)
        while heap:
            claim, number = -heap[0][0], -heap[0][1]
            if claims.get(number) != claim:
                heappop(heap)
                continue
            now = turn(number)
            if now is None:
                del claims[number]
                heappop(heap)
            elif now != claim:
                claims[number] = now
                heapreplace(heap, (-now, -number))
            elif number in spared:
                aside.append(heappop(heap))
            else:
                found = claim, number
                break
        for entry in aside:
            heappush(heap, entry)
        return found

    def _take_changes(self, turn: Turn) -> None:
        heap, claims, changed = self._heap, self._claims, self.changed
        while changed:
            number = changed.pop()
            now = turn(number)
            if now is None:
                claims.pop(number, None)
            elif now > claims.get(number, -float("inf")):
                claims[number] = now
                heappush(heap, (-now, -number))
        if len(heap) > 64 + 2 * len(claims):  # most entries do not hold any more
            heap[:] = [(-claim, -number) for number, claim in claims.items()]
            heapify(heap)
