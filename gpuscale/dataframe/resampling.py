"""Bins of time, as users hold them: ``df.resample("1D")``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gpuscale.base.errors import NotSupportedError
from gpuscale.dataframe.algorithms.bins import Bins, empty_bin
from gpuscale.dataframe.algorithms.grouping import Call
from gpuscale.dataframe.algorithms.whole import Whole
from gpuscale.dataframe.api.counting import gathered
from gpuscale.dataframe.api.one_place import in_one_place
from gpuscale.dataframe.api.windows import ends_of
from gpuscale.dataframe.by_column import ByColumn
from gpuscale.dataframe.calls import call
from gpuscale.dataframe.inference import emptied, nonempty
from gpuscale.dataframe.methods import dress

__all__ = ["Resampler"]


class Resampler(ByColumn):
    """Rows by bins of time; made by ``resample``.

    Rows are grouped by their bins in parts. The first and the last label of all, which say which
    bins there are, are computed when a result is asked for.
    """

    def __init__(self, x: Any, rule: Any, options: dict[str, Any]) -> None:
        if options.get("level") is not None:
            raise NotSupportedError("resample(level=): make it the index, by set_index")
        options = dict(options)
        if (on := options.pop("on", None)) is not None:
            times = x[on]
            pd.DataFrame(index=pd.Index(times._meta)).resample(rule)  # pandas says if it is no time
            x = x[times.notna()].set_index(on)
        given = tuple((name, value) for name, value in options.items() if value is not None)
        x._meta.resample(rule, **dict(given))  # pandas says what is wrong
        if isinstance(x._meta.index, pd.PeriodIndex):
            raise NotSupportedError("resample of periods: make times of them by to_timestamp")
        self._x, self._rule, self._options = x, rule, given

    def __getitem__(self, key: Any) -> Resampler:
        return Resampler(self._x[key], self._rule, dict(self._options))

    def _asked(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        x = self._x
        filled = [each for each in ends_of(x) if each[0]]
        index = x._meta.index
        if not filled:
            bins = Bins(self._rule, self._options, None, None, index)
            out = getattr(bins.resampled(x._meta), name)(*args, **kwargs)
            return call(_no_rows, (x, out), label="resample", rows="new", out=out)
        bins = Bins(self._rule, self._options, filled[0][1], filled[-1][2], index)
        numbers = call(bins, (x,), label="bins")
        found = getattr(x.groupby(numbers), name)(*args, **kwargs)
        example = getattr(bins.resampled(self._far_apart(filled[0][1])), name)(*args, **kwargs)
        options = {"empty": empty_bin(example, 2)}
        out = emptied(found._meta).set_axis(index)
        return call(bins.filled, (found,), options, "resample", "new", out)

    def _far_apart(self, first: Any) -> Any:
        """Make up two rows with empty bins between them."""
        index = self._x._meta.index
        offset = pd.tseries.frequencies.to_offset(self._rule)
        made = nonempty(self._x._meta)
        made.index = pd.Index([first, first + 5 * offset]).astype(index.dtype)
        return made

    def _of_all(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return rows at the bounds of bins, which look for rows near them."""
        function = self._whole(name, args, kwargs)
        out = function(self._far_apart(nonempty(self._x._meta.index)[0]))
        return gathered(self._x, Whole(function), name, out)

    def _whole(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> OfBins:
        method = Call(name, args, tuple(kwargs.items()))
        return OfBins(Call("resample", (self._rule,), self._options), method)

    def apply(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Aggregate the rows of each bin; the same as `agg`, as it is in pandas."""
        return self._asked("agg", (func, *args), kwargs)

    aggregate = apply

    def transform(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Give each row something of its bin, by one task that has all rows."""
        function = self._whole("transform", (func, *args), kwargs)
        return in_one_place(self._x, function, "transform")

    def pipe(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        """Return ``func(self, *args, **kwargs)``, as pandas does."""
        return func(self, *args, **kwargs)

    def __repr__(self) -> str:
        return f"gpuscale.dataframe.Resampler by {self._rule!r}"


@dataclass(frozen=True)
class OfBins:
    """A method of the bins of all rows."""

    bins: Call
    method: Call

    def __call__(self, rows: Any) -> Any:
        """Call it."""
        return self.method(self.bins(rows))


def _no_rows(partition: Any, out: Any) -> Any:
    return out


def _method(name: str, asked: Callable[..., Any], of: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return asked(self, name, args, kwargs)

    dress(method, getattr(pd.api.typing.Resampler, name), f"Resampler.{name}", f"Resampler.{name}")
    method.__doc__ = (method.__doc__ or "").replace("on each partition", of)
    return method


for _name in (
    *("sum", "prod", "min", "max", "mean", "var", "std", "sem", "count", "size", "first", "last"),
    *("median", "quantile", "nunique", "ohlc", "agg"),
):
    setattr(Resampler, _name, _method(_name, Resampler._asked, "of the rows of each bin"))
for _name in ("ffill", "bfill", "nearest", "asfreq", "interpolate"):
    setattr(Resampler, _name, _method(_name, Resampler._of_all, "by one task that has all rows"))
