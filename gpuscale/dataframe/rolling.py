"""Windows, as users hold them: ``df.rolling(3)``, ``df.expanding()``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms.grouping import Call
from gpuscale.dataframe.api import windows as api
from gpuscale.dataframe.methods import dress

__all__ = ["Expanding", "Rolling", "no_weights"]


class Rolling:
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


class Expanding:
    """Windows of all rows up to each; made by ``expanding``."""

    def __init__(self, x: Any, min_periods: int) -> None:
        self._x, self._min_periods = x, min_periods

    def count(self) -> Any:
        """How many elements are no nulls."""
        return api.grown(self._x, "count", self._min_periods)

    def sum(self) -> Any:
        """Sum of all up to each."""
        return api.grown(self._x, "sum", self._min_periods)

    def mean(self) -> Any:
        """Mean of all up to each."""
        return api.grown(self._x, "mean", self._min_periods)

    def min(self) -> Any:
        """Least of all up to each."""
        return api.grown(self._x, "min", self._min_periods)

    def max(self) -> Any:
        """Greatest of all up to each."""
        return api.grown(self._x, "max", self._min_periods)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_") or not hasattr(pd.api.typing.Expanding, name):
            raise AttributeError(f"'Expanding' has no attribute {name!r}")
        raise NotSupportedError(f"expanding().{name}: {_IN_ONE}expanding().{name}())")

    def __repr__(self) -> str:
        return "gpuscale.dataframe.Expanding"


_IN_ONE = (
    "it needs all rows before each; if they fit into memory, "
    "df.repartition(npartitions=1).map_partitions(lambda part: part."
)


def no_weights(*args: Any, **options: Any) -> NoReturn:
    """Refuse windows of weights that fall off.

    Raises
    ------
    NotSupportedError
    """
    raise NotSupportedError(f"ewm: {_IN_ONE}ewm(...).mean())")


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
    *("kurt", "apply", "agg", "rank", "first", "last", "nunique"),
):
    if hasattr(pd.api.typing.Rolling, _name):
        setattr(Rolling, _name, _method(_name))
