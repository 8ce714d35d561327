"""Durations in seconds as people write them."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import TypeAlias

__all__ = ["Duration", "parse_seconds", "parse_timeout"]

#: Seconds, a text such as ``"10s"``, or a timedelta.
Duration: TypeAlias = "float | str | timedelta"

_UNITS = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_DURATION = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)?\s*([a-z]*)\s*", re.IGNORECASE)


def parse_seconds(duration: Duration, what: str = "a duration") -> float:
    """Turn what a user says about a duration into seconds.

    Parameters
    ----------
    duration : int, float, str or timedelta
        A number of seconds, or a text such as ``"10s"``, ``"500 ms"``, ``"2 min"``.
    what : str
        Its name, for messages.

    Raises
    ------
    TypeError, ValueError
        It is no duration.

    Examples
    --------
    >>> [parse_seconds(each) for each in (3, "10s", "500 ms", "2 min", "1.5h", "7")]
    [3.0, 10.0, 0.5, 120.0, 5400.0, 7.0]
    """
    if isinstance(duration, timedelta):
        return duration.total_seconds()
    if isinstance(duration, str):
        match = _DURATION.fullmatch(duration.lower())
        if match is None or match[2] not in _UNITS or not duration.strip():
            raise ValueError(
                f"{what} is a number of seconds, or a text such as '10s', '500 ms' or '2 min', "
                f"not {duration!r}"
            )
        return float(match[1] or 1) * _UNITS[match[2]]
    if isinstance(duration, bool):
        raise TypeError(f"{what} is a number of seconds, not {duration!r}")
    try:
        seconds = float(duration)
    except (TypeError, ValueError):
        raise TypeError(
            f"{what} is a number of seconds, or a text such as '10s', not {duration!r}"
        ) from None
    if seconds != seconds:
        raise ValueError(f"{what} is a number of seconds, not {duration!r}")
    return seconds


def parse_timeout(timeout: Duration | None) -> float | None:
    """Turn what a user says about how long to wait at most into seconds, 0 or more.

    None is for as long as it takes, as are infinity and what no clock can count.

    Examples
    --------
    >>> [parse_timeout(each) for each in (None, float("inf"), "10s", -1)]
    [None, None, 10.0, 0.0]
    """
    seconds = None if timeout is None else parse_seconds(timeout, "timeout")
    if seconds is None or seconds > threading.TIMEOUT_MAX / 2:  # what is added to it must fit, too
        return None
    return max(0.0, seconds)
