"""Calls that a client submits: as workers make them, and what of them cannot be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import cloudpickle
from dask.tokenize import TokenizationError, normalize_token
from dask.utils import funcname
from distributed.utils import iscoroutinefunction

from gpuscale.base.errors import add_note
from gpuscale.cluster.scattered import named_items
from gpuscale.cluster.short_logs import cannot_be_sent
from gpuscale.engines.remote import that_travels
from gpuscale.expr.node import user_line

__all__ = ["Call", "for_worker", "name_of", "not_fetched", "not_scattered", "not_sent", "sent"]


class Call:
    """A function whose exceptions reach whoever asks for its result, whatever they are.

    A worker of dask.distributed ends by ``SystemExit``, as do the next ones that get the call.

    Parameters
    ----------
    function : callable

    Examples
    --------
    >>> import sys
    >>> Call(sys.exit)(3)
    Traceback (most recent call last):
    gpuscale.base.errors.EngineError: SystemExit: 3
    """

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    @property
    def __name__(self) -> str:  # part of keys, and of what dashboards and logs say
        return str(funcname(self.function))

    def __dask_tokenize__(self) -> Any:
        return normalize_token(self.function)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        try:
            return self.function(*args, **kwargs)
        except BaseException as error:
            told = that_travels(error)
            if told is error:  # with its cause
                raise
            raise told from None


def for_worker(function: Any, options: dict[str, Any]) -> Any:
    """Return what a worker is to call for a function, with such options of ``submit``."""
    is_actor = options.get("actor") or options.get("actors")
    is_done = isinstance(function, Call)  # as dask.distributed maps batches by maps of each
    if not callable(function) or is_actor or is_done or iscoroutinefunction(function):
        return function
    return Call(function)


def name_of(func: Any) -> str:
    """Name of a function, for people."""
    return getattr(func, "__name__", None) or type(func).__name__


def sent(send: Any, func: Any, args: Any, kwargs: Any) -> Any:
    """Send a call to workers; what of it cannot be pickled is said."""
    try:
        return send(for_worker(func, kwargs), *args, **kwargs)
    except (TypeError, TokenizationError) as error:
        is_ours = isinstance(error, TokenizationError) or cannot_be_sent(error)
        told = not_sent(name_of(func), func, args, kwargs) if is_ours else None
        if told is None:
            raise
        raise add_note(told, operation=name_of(func), origin=user_line()) from error.__cause__


def not_sent(
    name: str, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> TypeError | None:
    """Say which part of a call cannot be pickled; None if all can be.

    Examples
    --------
    >>> import threading
    >>> not_sent("load", print, (1, threading.Lock()), {})
    TypeError("load cannot be sent to a worker: argument 1 cannot be pickled: cannot pickle \
'_thread.lock' object; make it in the function")
    """
    parts = [("the function itself", function)]
    parts += [(f"argument {i}", each) for i, each in enumerate(args)]
    parts += [(f"argument {key}=", each) for key, each in kwargs.items()]
    said = _not_pickled(parts)
    return said and TypeError(f"{name} cannot be sent to a worker: {said}; make it in the function")


def not_scattered(data: Any) -> TypeError | None:
    """Say which part of some data cannot be pickled; None if all can be."""
    said = _not_pickled(named_items(data))
    return said and TypeError(
        f"{type(data).__name__} cannot be scattered: {said}; make it in a function that a worker "
        "calls"
    )


def _not_pickled(parts: Iterable[tuple[str, Any]]) -> Any:
    """Name the first part that cannot be pickled; None if there is none."""
    for part, value in parts:
        try:
            cloudpickle.dumps(value)
        except Exception as error:
            return f"{part} cannot be pickled: {error}"
    return None


def not_fetched(names: Iterable[str], error: TypeError) -> TypeError:
    """Return what there is to say about results that cannot be pickled."""
    reason = str(error).strip().rpartition("\n")[2].partition(": ")[2]
    who = " or ".join(sorted(set(names))) or "a task"
    return TypeError(
        f"what {who} returned cannot be fetched from its worker: {reason or error}; return what "
        "can be pickled, or hand the future to another call"
    )
