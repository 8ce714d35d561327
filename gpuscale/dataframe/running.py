"""Methods whose rows need those before or behind them; frames and series have the same."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gpuscale.dataframe.collection import api
from gpuscale.dataframe.methods import dress

__all__ = ["Running"]

_CUMULATIVE = ("cumsum", "cumprod", "cummin", "cummax")


class Running:
    """A mixin of running results, shifts and fills."""

    __slots__ = ()

    def shift(self, periods: int = 1, freq: Any = None, axis: Any = 0, **options: Any) -> Any:
        """Move rows against the index; see `pandas.DataFrame.shift`."""
        given = {"freq": freq, "axis": axis, **options}
        return api().neighbours.moved(self, "shift", periods, given)

    def diff(self, periods: int = 1, **options: Any) -> Any:
        """Differences of rows; see `pandas.DataFrame.diff`."""
        return api().neighbours.moved(self, "diff", periods, options)

    def ffill(self, axis: Any = None, limit: int | None = None) -> Any:
        """Fill nulls with the last value before; see `pandas.DataFrame.ffill`."""
        return api().neighbours.fill(self, "ffill", axis, limit)

    def bfill(self, axis: Any = None, limit: int | None = None) -> Any:
        """Fill nulls with the next value behind; see `pandas.DataFrame.bfill`."""
        return api().neighbours.fill(self, "bfill", axis, limit)

    def rolling(
        self,
        window: Any,
        min_periods: int | None = None,
        center: bool = False,
        win_type: str | None = None,
        on: Any = None,
        closed: str | None = None,
        step: int | None = None,
    ) -> Any:
        """Return windows that move over the rows; see `pandas.DataFrame.rolling`.

        Parameters
        ----------
        window : int, or span of time
            Of a span the index is sorted; its ends in each partition are computed now.
        min_periods, center, win_type, closed
            As pandas has them.
        on, step : None
            Not supported.
        """
        from gpuscale.dataframe.rolling import Rolling

        options = {"min_periods": min_periods, "center": center, "win_type": win_type}
        return Rolling(self, window, {**options, "on": on, "closed": closed, "step": step})

    def expanding(self, min_periods: int = 1) -> Any:
        """Return windows of all rows up to each; see `pandas.DataFrame.expanding`."""
        from gpuscale.dataframe.algorithms.grouping import Call
        from gpuscale.dataframe.growing import Expanding

        return Expanding(self, Call("expanding", (), (("min_periods", min_periods),)))

    def resample(
        self, rule: Any, closed: str | None = None, label: str | None = None, **options: Any
    ) -> Any:
        """Group rows by bins of time; see `pandas.DataFrame.resample`.

        Parameters
        ----------
        rule : str or offset
        closed, label : {"left", "right"}, optional
        **options
            ``origin`` and ``offset``, as pandas has them, and ``on``: a column to be resampled by,
            by which the rows are sorted, as `set_index` does.
        """
        from gpuscale.dataframe.resampling import Resampler

        return Resampler(self, rule, {"closed": closed, "label": label, **options})

    def ewm(
        self,
        com: float | None = None,
        span: float | None = None,
        halflife: float | None = None,
        alpha: float | None = None,
        min_periods: int = 0,
        adjust: bool = True,
        ignore_na: bool = False,
        times: Any = None,
    ) -> Any:
        """Return windows of all rows up to each, of which those before weigh less.

        Parameters
        ----------
        com, span, halflife, alpha : float, optional
            How fast weights fall off, in one of four ways.
        min_periods, adjust, ignore_na
            As `pandas.DataFrame.ewm` has them.
        times : None
            Not supported.
        """
        from gpuscale.dataframe.growing import weighted

        options = {"com": com, "span": span, "halflife": halflife, "alpha": alpha, "times": times}
        options |= {"min_periods": min_periods, "adjust": adjust, "ignore_na": ignore_na}
        return weighted(self, options)

    def map_overlap(self, func: Any, before: int, after: int, *args: Any, **kwargs: Any) -> Any:
        """Call a function on partitions with margins; see `gpuscale.dataframe.map_overlap`."""
        return api().neighbours.map_overlap(func, self, before, after, *args, **kwargs)


def _cumulative(name: str) -> Any:
    def method(self: Any, axis: Any = 0, skipna: bool = True, numeric_only: bool = False) -> Any:
        return api().neighbours.cumulative(self, name, axis, skipna, numeric_only)

    dress(method, getattr(pd.DataFrame, name), f"Running.{name}", f"DataFrame.{name}")
    return method


for _name in _CUMULATIVE:
    setattr(Running, _name, _cumulative(_name))
