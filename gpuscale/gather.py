"""Collections and delayed values inside of what users hand over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gpuscale.collection import Collection
from gpuscale.graph.handle import Handle
from gpuscale.graph.packing import rebuilt

__all__ = ["find", "replace"]


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
