"""Windows and bins of single columns, by the names of these: ``df.rolling(3).x``."""

from __future__ import annotations

from typing import Any

__all__ = ["ByColumn"]


class ByColumn:
    """A mixin: columns of the rows that it is of are attributes, as they are in pandas."""

    _x: Any

    def __getitem__(self, key: Any) -> Any:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in getattr(self._x, "columns", ()):
            return self[name]
        raise AttributeError(f"{type(self).__name__!r} has no attribute or column {name!r}")
