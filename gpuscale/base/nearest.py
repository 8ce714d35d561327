"""Names that do not exist, and those that were meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

__all__ = ["meant", "nearest_told", "with_nearest"]

E = TypeVar("E", bound=Exception)

_QUOTED = re.compile(r"'([^']*)'|\(([^()]*)\)")


def meant(name: Any, names: Iterable[Any]) -> str:
    """Say which of some names somebody may have meant.

    Examples
    --------
    >>> meant("Citty", ["city", "day"]), meant("x", ["city"])
    ("; did you mean 'city'?", '')
    """
    from difflib import get_close_matches  # of use only for messages

    spelled = {str(each).casefold(): str(each) for each in names if str(each)[:1] != "_"}
    close = get_close_matches(str(name).casefold(), spelled, 1)
    return f"; did you mean {spelled[close[0]]!r}?" if close else ""


def with_nearest(error: E, names: Iterable[Any]) -> E:
    """Have an exception of another library say which of some names may have been meant.

    It keeps its type, and what it says: which name does not exist is found in there.

    Examples
    --------
    >>> with_nearest(KeyError("None of ['citty'] are in the columns"), ["city", "day"]).args[0]
    "None of ['citty'] are in the columns; did you mean 'city'?"
    >>> with_nearest(KeyError("citty"), ["city", "day"])
    KeyError("citty; did you mean 'city'?")
    >>> with_nearest(AttributeError("'Series' object has no attribute 'summ'"), ["size", "sum"])
    AttributeError("'Series' object has no attribute 'summ'; did you mean 'sum'?")
    """
    known = list(map(str, names))
    said = str(error.args[0]) if error.args else ""
    quoted = [inner or outer for inner, outer in _QUOTED.findall(said)] or [said]
    if isinstance(error, AttributeError):
        quoted = quoted[-1:]  # whose attribute it would be stands before
    hints = (meant(each, known) for each in quoted if len(each) > 1 and each not in known)
    hint = next(filter(None, hints), "")
    if hint and "did you mean" not in said:
        error.args = f"{said}{hint}", *error.args[1:]
    return error


class nearest_told:  # noqa: N801 - a `with` block, as `contextlib.suppress`
    """Have what is raised in a block for a name that does not exist say which was meant.

    Parameters
    ----------
    names : iterable of str
        Those that there are.
    *kinds : type of exception
        By default what pandas raises for columns.

    Examples
    --------
    >>> with nearest_told(["city", "day"]):
    ...     {}["citty"]
    Traceback (most recent call last):
    KeyError: "citty; did you mean 'city'?"
    """

    def __init__(self, names: Iterable[Any], *kinds: type[Exception]) -> None:
        self._names, self._kinds = names, kinds or (KeyError, NameError)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, self._kinds):
            with_nearest(error, self._names)
