"""Ranges of dates and of durations: what `numpy.arange` does with them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["DateRange", "date_range"]

_PYTHON = {datetime.timedelta: "m8", datetime.datetime: "M8", datetime.date: "M8", str: "M8"}


@dataclass(frozen=True)
class DateRange:
    """Numbers of units since 1970, or of units alone.

    Attributes
    ----------
    first, step : int
    length : int
    dtype : numpy.dtype
    """

    first: int
    step: int
    length: int
    dtype: np.dtype[Any]


def date_range(start: Any, stop: Any, step: Any, dtype: Any) -> DateRange | None:
    """Resolve the arguments of `arange`, if there are dates or durations among them.

    Parameters
    ----------
    start, stop, step : number, date, duration, str or None
    dtype : dtype or None

    Returns
    -------
    DateRange or None
        None where all are numbers, whose range is nothing special.

    Raises
    ------
    ValueError
        If the step is zero or a date, if something is not a time, or there is no start of dates.
    TypeError
        If the elements of another dtype are asked for, or units have nothing in common.

    Examples
    --------
    >>> date_range(np.datetime64("2020-01"), np.datetime64("2020-01-03"), 1, None)
    DateRange(first=18262, step=1, length=2, dtype=dtype('<M8[D]'))
    """
    wanted = None if dtype is None else np.dtype(dtype)
    parts = [None if v is None else _value(v) for v in (start, stop, step)]
    dated = [p for p in parts if p is not None and p.dtype.kind in "mM"]
    if not dated and (wanted is None or wanted.kind not in "mM"):
        return None
    if wanted is not None and wanted.kind not in "mM":
        raise TypeError(f"arange of dates and durations has no elements of {wanted}: use astype")
    _check(parts, dated)
    kind = wanted.kind if wanted is not None else "M" if _has(parts[:2], "M") else "m"
    if kind == "M" and (stop is None or start is None):
        raise ValueError("arange requires both a start and a stop for NumPy datetime64 ranges")
    if _has(parts, "M") if kind == "m" else _has(parts[:1], "m"):
        raise ValueError("arange cannot mix starts and stops of dates and of durations")
    return _resolved(parts, dated, kind, wanted)


def _value(value: Any) -> Any:
    kind = next((k for t, k in _PYTHON.items() if isinstance(value, t)), None)
    array = np.asarray(value, kind)
    if array.ndim:
        raise ValueError(f"arange takes single values, not an array of shape {array.shape}")
    return array


def _has(parts: list[Any], kind: str) -> bool:
    return any(p is not None and p.dtype.kind == kind for p in parts)


def _check(parts: list[Any], dated: list[Any]) -> None:
    if any(np.isnat(p) for p in dated):
        raise ValueError("arange: cannot use NaT (not-a-time) datetime values")
    if any(p is not None and p.dtype.kind not in "biumM" for p in parts):
        raise ValueError("arange of dates and durations counts whole units: use integers")
    if parts[2] is not None and parts[2].dtype.kind == "M":
        raise ValueError("cannot use a datetime as a step in arange")


def _resolved(
    parts: list[Any], dated: list[Any], kind: str, wanted: np.dtype[Any] | None
) -> DateRange:
    unit = f"{kind}8"
    if wanted is not None and np.datetime_data(wanted)[0] != "generic":
        unit = wanted.str
    elif dated:
        unit = f"{kind}8{np.result_type(*(p.dtype for p in dated)).str[3:]}"
    if kind == "M" and unit == "M8":
        raise ValueError("Converting an integer to a NumPy datetime requires a specified unit")
    duration = f"m8{np.dtype(unit).str[3:]}"
    start, stop, step = parts
    first = 0 if start is None else _count(start, unit)
    # A stop that is no date says how far it is from the start.
    relative = kind == "M" and stop.dtype.kind != "M"
    last = first + _count(stop, duration) if relative else _count(stop, unit)
    stride = 1 if step is None else _count(step, duration)
    if stride == 0:
        raise ValueError("arange: step cannot be zero")
    return DateRange(first, stride, max(0, -((first - last) // stride)), np.dtype(unit))


def _count(value: Any, unit: str) -> int:
    return int(value.astype(unit).astype(np.int64)[()])
