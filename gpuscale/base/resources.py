"""Amounts of scarce things, by name."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from numbers import Real
from typing import Any

__all__ = ["check_number", "check_resources"]


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
        check_number(amount, 0, f"resource {name!r} is a number, at least 0")
    return dict(resources)


def check_number(value: Any, least: float, sentence: str) -> None:
    """Raise unless a value is a finite real number that is large enough.

    Examples
    --------
    >>> check_number(-1, 0, "backoff is a number of seconds, at least 0")
    Traceback (most recent call last):
    ...
    ValueError: backoff is a number of seconds, at least 0, not -1
    """
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{sentence}, not {value!r}")
    if not isfinite(value) or value < least:
        raise ValueError(f"{sentence}, not {value!r}")
