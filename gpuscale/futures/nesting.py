"""Futures inside of lists, tuples, dictionaries, sets and dataclasses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gpuscale.futures.future import Future, refuse_strangers
from gpuscale.nested import replace

__all__ = ["gathered"]


def gathered(futures: Any, errors: str) -> Any:
    """Wait for futures and put their results in their places."""
    if errors not in ("raise", "skip"):
        raise ValueError(f'errors is "raise" or "skip", not {errors!r}')
    if isinstance(futures, Iterator):
        futures = list(futures)
    if errors == "skip":
        futures = _without_failed(futures)
    elif type(futures) is list and all(type(each) is Future for each in futures):
        return [each.result() for each in futures]
    refuse_strangers(futures, "gather")
    return replace(futures, lambda each: each.result() if isinstance(each, Future) else each)


def _without_failed(value: Any) -> Any:
    """Leave out of lists, and of what else may be shorter, the futures without results."""
    if isinstance(value, dict):
        return {k: _without_failed(v) for k, v in value.items() if not _failed(v)}
    if isinstance(value, list | tuple | set | frozenset) and not hasattr(value, "_fields"):
        return type(value)(_without_failed(each) for each in value if not _failed(each))
    return value


def _failed(value: Any) -> bool:
    return isinstance(value, Future) and (value._outcome.wait() and value.status != "finished")
