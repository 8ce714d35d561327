"""Windows and bins of single columns, by the names of these: ``df.rolling(3).x``."""

from __future__ import annotations

from typing import Any

from gpuscale.base.nearest import meant

__all__ = ["ByColumn"]


class ByColumn:
    """A mixin: columns of the rows that it is of are attributes, as they are in pandas."""

    _x: Any

    def __getitem__(self, key: Any) -> Any:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        columns = getattr(self._x, "columns", ())
        if name in columns:
            return self[name]
        instead = meant(name, [*columns, *dir(type(self))])
        raise AttributeError(
            f"{type(self).__name__!r} has no attribute or column {name!r}{instead}"
        )
