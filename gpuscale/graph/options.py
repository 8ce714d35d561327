"""What else may be said about a task: how often it is tried, for how long, and what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral, Real
from typing import Any

__all__ = ["LONGEST_BACKOFF", "TaskOptions", "check_resources"]

#: Seconds that a retry waits at most.
LONGEST_BACKOFF = 10.0


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
        if not _is_number(self.backoff) or self.backoff < 0:
            raise _error("backoff", self.backoff, "a number of seconds, at least 0")
        if self.timeout is not None and (not _is_number(self.timeout) or self.timeout <= 0):
            raise _error("timeout", self.timeout, "a number of seconds above 0")
        object.__setattr__(self, "resources", check_resources(self.resources))

    def delay(self, attempt: int) -> float:
        """Seconds between the failure of an attempt (1 is the first) and the next one."""
        return min(LONGEST_BACKOFF, self.backoff * 2.0 ** min(attempt - 1, 64))


def check_resources(resources: Any) -> dict[str, float]:
    """Return amounts by name, or say what is wrong with them.

    Examples
    --------
    >>> check_resources({"GPU": 1})
    {'GPU': 1}
    >>> check_resources({"GPU": "two"})
    Traceback (most recent call last):
    ...
    TypeError: resource 'GPU' is a number, at least 0, not 'two'
    """
    if not isinstance(resources, Mapping):
        raise TypeError(f'resources are amounts by name, such as {{"GPU": 1}}, not {resources!r}')
    for name, amount in resources.items():
        if not isinstance(name, str):
            raise TypeError(f'resources have names, such as {{"GPU": 1}}, not {name!r}')
        if not _is_number(amount) or amount < 0:
            raise _error(f"resource {name!r}", amount, "a number, at least 0")
    return dict(resources)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)


def _error(what: str, value: Any, wanted: str) -> Exception:
    kind = ValueError if isinstance(value, Real) and not isinstance(value, bool) else TypeError
    return kind(f"{what} is {wanted}, not {value!r}")
