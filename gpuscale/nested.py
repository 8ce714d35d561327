"""Collections and delayed values inside of what users hand over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gpuscale.collection import Collection
from gpuscale.graph.handle import Handle
from gpuscale.graph.lazy_values import handle_of
from gpuscale.graph.packing import ONCE, rebuilt

__all__ = ["find", "listed", "on_top", "replace", "with_handles"]


def listed(values: Sequence[Any]) -> tuple[Any, ...]:
    """Read generators and other iterators into lists, since their items may be lazy.

    Examples
    --------
    >>> listed((1, (n for n in range(2))))
    (1, [0, 1])
    """
    return tuple([_listed(each) for each in values])


def _listed(value: Any) -> Any:
    if not isinstance(value, ONCE):
        return value
    iterator: Any = value
    return list(iterator)


def with_handles(values: tuple[Any, ...], traverse: bool = True) -> tuple[Any, ...]:
    """Put handles in the place of futures of clusters, also in containers if ``traverse``."""
    if "distributed" not in sys.modules:  # then there are none
        return values

    def change(each: Any) -> Any:
        handle = None if isinstance(each, _LAZY) else handle_of(each)
        if handle is None:
            return rebuilt(each, change) if traverse and not isinstance(each, _LAZY) else each
        return handle

    return tuple([change(each) for each in values])


def on_top(function: Callable[..., Iterable[Any]], values: Sequence[Any]) -> tuple[Any, ...]:
    """Hand those of some values over that are lazy themselves, and put results in their place."""
    found = iter(function(*[each for each in values if isinstance(each, _LAZY)]))
    return tuple([next(found) if isinstance(each, _LAZY) else each for each in values])


def find(value: Any) -> list[Any]:
    """List collections and delayed values, nested in containers and dataclasses."""
    found: list[Any] = []

    def note(each: Any) -> Any:
        found.append(each)
        return each

    replace(value, note)
    return found


def replace(value: Any, function: Callable[[Any], Any]) -> Any:
    """Replace collections and delayed values where `find` finds them."""
    if isinstance(value, _LAZY):
        return function(value)

    def change(item: Any) -> Any:
        return function(item) if isinstance(item, _LAZY) else replace(item, function)

    return rebuilt(value, change)


_LAZY = (Collection, Handle)
