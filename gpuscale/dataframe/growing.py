"""Windows of all rows up to each, as users hold them: ``df.expanding()``, ``df.ewm(span=3)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms.grouping import Call
from gpuscale.dataframe.algorithms.growing import Moments, Replacing
from gpuscale.dataframe.api import windows as api
from gpuscale.dataframe.by_column import ByColumn
from gpuscale.dataframe.inference import nonempty
from gpuscale.dataframe.methods import dress

__all__ = ["Expanding", "ExponentialMovingWindow"]


class _Growing(ByColumn):
    """The base of both."""

    _kind: str

    def __init__(self, x: Any, windows: Call) -> None:
        windows(nonempty(x._meta))  # pandas says what is wrong
        self._x, self._windows = x, windows

    def __getitem__(self, key: Any) -> Any:
        return type(self)(self._x[key], self._windows)

    def __repr__(self) -> str:
        return f"gpuscale.dataframe.{type(self).__name__}"

    @property
    def _options(self) -> dict[str, Any]:
        return dict(self._windows.kwargs)

    def _asked(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have pandas make a result in one task that has all rows."""
        return api.of_all_before(self._x, self._windows, Call(name, args, tuple(kwargs.items())))

    def cov(self, other: Any = None, **options: Any) -> Any:
        """Covariance with another series up to each row, by one task that has all."""
        return api.pair_of_all_before(
            self._x, self._windows, Call("cov", (other,), tuple(options.items()))
        )

    def corr(self, other: Any = None, **options: Any) -> Any:
        """Correlation with another series up to each row, by one task that has all."""
        return api.pair_of_all_before(
            self._x, self._windows, Call("corr", (other,), tuple(options.items()))
        )


class Expanding(_Growing):
    """Windows of all rows up to each; made by ``expanding``.

    ``count sum mean min max var std sem`` are made in parts. For others one task has all rows.
    """

    def _asked(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        least = self._options["min_periods"]
        if name in ("count", "sum", "mean", "min", "max") and not args and set(kwargs) <= _PLAIN:
            x = api.numeric(self._x, **kwargs)
            return api.grown(x, name, least)
        if name in ("var", "std", "sem") and set(kwargs) <= {"ddof", *_PLAIN}:
            options = {**dict(zip(("ddof",), args, strict=False)), **kwargs}
            x = api.numeric(self._x, options.pop("numeric_only", False))
            return api.going_on(x, Moments(), name, {"min_periods": least, **options})
        return super()._asked(name, args, kwargs)


class ExponentialMovingWindow(_Growing):
    """Windows of all rows up to each, of which those before weigh less; made by ``ewm``.

    ``mean`` is made in parts, as are ``sum var std`` with ``adjust=True``. For others one task has
    all rows.
    """

    def _asked(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        options = self._options
        in_parts = ("mean", "sum", "var", "std") if options["adjust"] else ("mean",)
        if name not in in_parts or not set(kwargs) <= {"bias", *_PLAIN}:
            return super()._asked(name, args, kwargs)
        given = {**dict(zip(("bias",), args, strict=False)), **kwargs}
        x = api.numeric(self._x, given.pop("numeric_only", False))
        getattr(self._windows(nonempty(x._meta)), name)(**given)  # pandas says what is wrong
        kind = Moments if options["adjust"] else Replacing
        growing = kind(_alpha(options), options["ignore_na"])
        return api.going_on(x, growing, name, {"min_periods": options["min_periods"], **given})


_PLAIN = {"numeric_only"}


def _alpha(options: dict[str, Any]) -> float:
    """Return the part that an element has, as it is said in one of four ways."""
    if options["com"] is not None:
        return float(1.0 / (1.0 + options["com"]))
    if options["span"] is not None:
        return float(2.0 / (options["span"] + 1.0))
    if options["halflife"] is not None:
        return float(1.0 - np.exp(-np.log(2.0) / options["halflife"]))
    return float(options["alpha"])


def weighted(x: Any, options: dict[str, Any]) -> ExponentialMovingWindow:
    """Return windows of which the rows before weigh less."""
    if options["times"] is not None or isinstance(options["halflife"], str | pd.Timedelta):
        raise NotSupportedError(
            "ewm(times=): weights by rows alone; resample() to even times first"
        )
    del options["times"]
    return ExponentialMovingWindow(x, Call("ewm", (), tuple(options.items())))


def _method(kind: type, theirs: type, name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self._asked(name, args, kwargs)

    label = f"{kind.__name__}.{name}"
    dress(method, getattr(theirs, name), label, label)
    text = (method.__doc__ or "").replace("on each partition", "whatever partitions rows lie in")
    method.__doc__ = text
    return method


for _kind, _theirs, _names in (
    (
        Expanding,
        pd.api.typing.Expanding,
        (
            *("count", "sum", "mean", "min", "max", "var", "std", "sem", "median", "quantile"),
            *("skew", "kurt", "rank", "first", "last", "nunique", "apply", "agg", "aggregate"),
        ),
    ),
    (
        ExponentialMovingWindow,
        pd.api.typing.ExponentialMovingWindow,
        ("mean", "sum", "var", "std", "agg", "aggregate"),
    ),
):
    for _name in _names:
        if hasattr(_theirs, _name):
            setattr(_kind, _name, _method(_kind, _theirs, _name))
