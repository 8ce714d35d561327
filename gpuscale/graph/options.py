"""What else may be said about a task: how often it is tried, for how long, and what it needs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from numbers import Integral

from gpuscale.base.durations import parse_seconds
from gpuscale.base.resources import check_number, check_resources

__all__ = ["LONGEST_BACKOFF", "TaskOptions"]

#: Seconds that a retry waits at most.
LONGEST_BACKOFF = 10.0

_SHORTEST = sys.float_info.min  # number of seconds above 0


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """How an engine treats a task; nearly all tasks have none of this.

    Parameters
    ----------
    retries : int
        How many times a task that raises is tried again.
    backoff : float
        Seconds before the first retry, doubled before each further one, up to ten seconds.
    timeout : float, optional
        Seconds that one attempt may take.
    resources : mapping of str to float
        What the engine must have free while the task runs, as ``{"GPU": 1}``.

    Raises
    ------
    TypeError, ValueError
        A value that none of these can have.

    Examples
    --------
    >>> options = TaskOptions(retries=3, backoff=0.5)
    >>> [options.delay(attempt) for attempt in (1, 2, 3, 20)]
    [0.5, 1.0, 2.0, 10.0]
    >>> TaskOptions(timeout=-1)
    Traceback (most recent call last):
    ...
    ValueError: timeout is a number of seconds above 0, not -1
    """

    retries: int = 0
    backoff: float = 0.1
    timeout: float | None = None
    resources: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.retries, Integral) or isinstance(self.retries, bool):
            raise TypeError(f"retries is a number of times, an integer, not {self.retries!r}")
        if self.retries < 0:
            raise ValueError(f"retries is a number of times, at least 0, not {self.retries}")
        for name in ("backoff", "timeout"):
            value = getattr(self, name)
            if isinstance(value, str | timedelta):
                object.__setattr__(self, name, parse_seconds(value, name))
        check_number(self.backoff, 0, "backoff is a number of seconds, at least 0")
        if self.timeout is not None:
            check_number(self.timeout, _SHORTEST, "timeout is a number of seconds above 0")
        object.__setattr__(self, "resources", check_resources(self.resources))

    def delay(self, attempt: int) -> float:
        """Seconds between the failure of an attempt (1 is the first) and the next one."""
        return min(LONGEST_BACKOFF, self.backoff * 2.0 ** min(attempt - 1, 64))
