"""Calls that a client submits, as workers make them: what they raise is no reason to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dask.tokenize import normalize_token
from dask.utils import funcname
from distributed.utils import iscoroutinefunction

from gpuscale.engines.remote import that_travels

__all__ = ["Call", "for_worker"]


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
    if not callable(function) or is_actor or iscoroutinefunction(function):
        return function
    return Call(function)
