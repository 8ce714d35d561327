"""Windows that move, as users hold them: ``df.rolling(3)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from gpuscale.dataframe.algorithms.grouping import Call
from gpuscale.dataframe.api import windows as api
from gpuscale.dataframe.by_column import ByColumn
from gpuscale.dataframe.methods import dress

__all__ = ["Rolling"]


class Rolling(ByColumn):
    """Windows that move over the rows of a frame or a series; made by ``rolling``.

    Partitions get the rows of their neighbours that their windows reach, and pandas makes the
    results.
    """

    def __init__(self, x: Any, window: Any, options: dict[str, Any]) -> None:
        api.checked(x, window, options)
        self._x, self._window, self._options = x, window, options

    @property
    def kwargs(self) -> dict[str, Any]:
        """What the windows are."""
        return {"window": self._window, **self._options}

    def _asked(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(name, args, tuple(kwargs.items()))
        return api.moving(self._x, self._window, self._options, call)

    def cov(self, other: Any = None, **options: Any) -> Any:
        """Covariance with another series in each window; see pandas' ``Rolling.cov``."""
        call = Call("cov", (other,), tuple(options.items()))
        return api.moving_pair(self._x, self._window, self._options, call)

    def corr(self, other: Any = None, **options: Any) -> Any:
        """Correlation with another series in each window; see pandas' ``Rolling.corr``."""
        call = Call("corr", (other,), tuple(options.items()))
        return api.moving_pair(self._x, self._window, self._options, call)

    def __getitem__(self, key: Any) -> Rolling:
        return Rolling(self._x[key], self._window, self._options)

    def __repr__(self) -> str:
        return f"gpuscale.dataframe.Rolling of {self._window!r}"


def _method(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self._asked(name, args, kwargs)

    dress(method, getattr(pd.api.typing.Rolling, name), f"Rolling.{name}", f"Rolling.{name}")
    method.__doc__ = (method.__doc__ or "").replace(
        "on each partition", "whatever partitions the rows of a window lie in"
    )
    return method


for _name in (
    *("sum", "mean", "min", "max", "count", "var", "std", "sem", "median", "quantile", "skew"),
    *("kurt", "apply", "agg", "aggregate", "rank", "first", "last", "nunique"),
):
    if hasattr(pd.api.typing.Rolling, _name):
        setattr(Rolling, _name, _method(_name))
