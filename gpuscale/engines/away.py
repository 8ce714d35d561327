"""Results that somebody holds a future of, while they are on disk.

`Away` stands in an outcome in the place of its result. It may be asked for the result at any time,
from any thread: as long as the result is only on its way to disk it is still there, and whoever
has asked gets the very object, so that it does not go; afterwards it is read back, once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from gpuscale.memory.spilled import Spilled

__all__ = ["Away"]

_NOTHING: Any = object()


class Away:
    """A result that is being written to disk, or has been.

    Parameters
    ----------
    value : object
        The result; given `stored`, there is none in memory.
    number : int
        Of the task.
    tell : callable
        Called with this object when the result is in memory again.
    stored : Spilled, optional
        The result on disk.

    Attributes
    ----------
    kind : type
        Of the result.
    """

    __slots__ = ("_lock", "_value", "kind", "number", "stored", "tell")

    def __init__(
        self,
        value: Any,
        number: int,
        tell: Callable[[Away], object],
        stored: Spilled | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self.number, self.stored, self.tell = number, stored, tell
        self._value = value if stored is None else _NOTHING
        self.kind: type = type(value) if stored is None else stored.kind

    def fetch(self) -> Any:
        """Return the result, the same object each time.

        Raises
        ------
        SpillError
            It cannot be read; it stays where it is.
        """
        with self._lock:
            if self._value is _NOTHING:
                assert self.stored is not None
                self._value = self.stored.load()
            return self._value

    def keep(self, value: Any) -> Any:
        """Have the result in memory again; return it, as others may have read it as well."""
        with self._lock:
            if self._value is _NOTHING:
                self._value = value
            return self._value

    def leave(self, stored: Spilled) -> None:
        """Have the result on disk alone."""
        with self._lock:
            self.stored, self._value = stored, _NOTHING
