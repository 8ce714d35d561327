"""Scarce things: how much there is of each, how much is free, and which tasks wait for some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

from gpuscale.base.errors import EngineError
from gpuscale.base.resources import check_resources
from gpuscale.graph.task import Task

__all__ = ["ScarceTasks", "Tokens"]

# Amounts such as 0.1 do not add up exactly.
_ROUNDING = 1e-9


class Tokens:
    """How much of each scarce thing is free; runs of one engine share it.

    Parameters
    ----------
    capacity : mapping of str to float
        How much there is, as ``{"GPU": 1}``.

    Examples
    --------
    >>> tokens = Tokens({"GPU": 1})
    >>> tokens.take({"GPU": 1}), tokens.take({"GPU": 0.5})
    (True, False)
    >>> tokens.give({"GPU": 1})
    >>> tokens.fits({"GPU": 0.5})
    True
    """

    def __init__(self, capacity: Mapping[str, float] | None = None) -> None:
        self.capacity = check_resources(capacity or {})
        self._free = dict(self.capacity)
        self._lock = Lock()  # between runs; a run has a lock of its own

    def fits(self, wanted: Mapping[str, float]) -> bool:
        """Say whether that much is free."""
        free = self._free
        return all(amount <= free.get(name, 0) + _ROUNDING for name, amount in wanted.items())

    def take(self, wanted: Mapping[str, float]) -> bool:
        """Take it if that much is free."""
        with self._lock:
            if not self.fits(wanted):
                return False
            for name, amount in wanted.items():
                self._free[name] = self._free.get(name, 0) - amount
            return True

    def give(self, taken: Mapping[str, float]) -> None:
        """Give it back."""
        with self._lock:
            for name, amount in taken.items():
                self._free[name] += amount

    def check(self, task: Task) -> None:
        """Refuse a task that asks for more than there is.

        Raises
        ------
        EngineError
            Says what it asks for, and how to have it.

        Examples
        --------
        >>> from gpuscale.graph.options import TaskOptions
        >>> Tokens({"GPU": 1}).check(Task("x", int, options=TaskOptions(resources={"GPU": 2})))
        Traceback (most recent call last):
        ...
        gpuscale.base.errors.EngineError: task 'x' asks for 2 of 'GPU', but there is 1; say how \
much there is in compute(..., resources={'GPU': 2}) or in the option resources
        """
        if task.options is None:
            return
        for name, amount in task.options.resources.items():
            there = self.capacity.get(name, 0)
            if amount > there + _ROUNDING:
                enough = dict(task.options.resources)
                raise EngineError(
                    f"task {(task.label or task.key)!r} asks for {amount} of {name!r}, but there "
                    f"is {there or 'none'}; say how much there is in compute(..., "
                    f"resources={enough}) or in the option resources"
                )


class ScarceTasks:
    """Tasks of a run that need tokens.

    Tasks that ask for the same wait in one heap, so that finding one whose tokens are free takes
    a look at each kind of wish, not at each task.

    Attributes
    ----------
    wanted : dict
        By number of the task, what it asks for.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.wanted: dict[int, Mapping[str, float]] = {}
        self._heaps: dict[frozenset[tuple[str, float]], list[int]] = {}

    def add(self, tasks: Sequence[Task], numbers: Sequence[int]) -> None:
        """Take note of the tasks that need tokens.

        Raises
        ------
        EngineError
            One asks for more than there is; then none is taken note of.
        """
        found = [(i, t) for i, t in zip(numbers, tasks, strict=True) if t.options is not None]
        for _, task in found:
            self.tokens.check(task)
        asked = [(i, t.options.resources) for i, t in found if t.options is not None]
        self.wanted.update({i: resources for i, resources in asked if resources})

    def heap_of(self, task: int) -> list[int]:
        """Return the heap of places in which a task waits for its tokens."""
        return self._heaps.setdefault(frozenset(self.wanted[task].items()), [])

    def heaps(self) -> list[list[int]]:
        """List all heaps of places."""
        return list(self._heaps.values())

    def open_heaps(self) -> list[list[int]]:
        """List the heaps of tasks whose tokens are free now."""
        if not all(self._heaps.values()):
            self._heaps = {wish: heap for wish, heap in self._heaps.items() if heap}
        fits = self.tokens.fits
        return [heap for wish, heap in self._heaps.items() if fits(dict(wish))]

    def take(self, task: int) -> bool:
        """Take the tokens of a task, unless another run was faster."""
        return self.tokens.take(self.wanted[task])

    def give(self, task: int) -> None:
        """Give back the tokens that a task has, if any."""
        if task in self.wanted:
            self.tokens.give(self.wanted[task])

    def clear(self) -> None:
        """Let no task wait any more."""
        self._heaps.clear()
