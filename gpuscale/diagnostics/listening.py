"""Listeners that are on for a while: ``with ProgressBar(): ...``."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, TypeVar

from gpuscale.engines.events import Event, Listener

__all__ = ["Watcher", "active_listeners"]

W = TypeVar("W", bound="Watcher")

_active: list[Listener] = []


class Watcher:
    """A listener that is on within a ``with`` block, or between `register` and `unregister`.

    Examples
    --------
    >>> class Count(Watcher):
    ...     n = 0
    ...     def __call__(self, event):
    ...         self.n += 1
    >>> with Count() as count:
    ...     count in active_listeners()
    True
    >>> count in active_listeners()
    False
    """

    #: The events that it needs to see; the fewer, the less an engine has to do.
    wants: ClassVar[tuple[type, ...] | None] = None

    def __call__(self, event: Event) -> None:
        """Take one event; called in the thread that asked for the computation."""
        raise NotImplementedError

    def register(self) -> None:
        """Watch every computation from now on."""
        _active.append(self)

    def unregister(self) -> None:
        """Stop watching."""
        _active.remove(self)

    def __enter__(self: W) -> W:
        self.register()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.unregister()


def active_listeners() -> list[Listener]:
    """List the listeners that are on."""
    return list(_active)
