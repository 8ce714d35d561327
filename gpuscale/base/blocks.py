"""Blocks of code with a beginning and an end, through which any exception passes untouched."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from functools import wraps
from typing import Generic, ParamSpec, TypeVar

__all__ = ["block"]

P = ParamSpec("P")
T = TypeVar("T")


def block(
    function: Callable[P, Generator[T, None, None]],
) -> Callable[P, AbstractContextManager[T]]:
    """Make a ``with`` block of a generator that yields once, and goes on however the block ends.

    Other than with `contextlib.contextmanager`, the generator never sees an exception that ends the
    block: that one throws it in and then sets its ``__traceback__``, which classes such as frozen
    dataclasses refuse, so that another exception would take its place.

    Examples
    --------
    >>> @block
    ... def told(name):
    ...     print("begin", name)
    ...     yield name.upper()
    ...     print("end", name)
    >>> with told("x") as name:
    ...     print(name)
    begin x
    X
    end x
    """

    @wraps(function)
    def made(*args: P.args, **kwargs: P.kwargs) -> AbstractContextManager[T]:
        return _Block(function(*args, **kwargs))

    return made


class _Block(AbstractContextManager[T], Generic[T]):
    def __init__(self, steps: Generator[T, None, None]) -> None:
        self._steps = steps

    def __enter__(self) -> T:
        return next(self._steps)

    def __exit__(self, *error: object) -> None:
        next(self._steps, None)
