"""What a function does right now, as a token: its code and all that the code reads.

Between two calls a closure, a global, a mutable default or a helper may have changed, and then the
calls are not the same task, though the function is the same object. So the token is made anew for
each call, except of functions that read nothing.
"""

from __future__ import annotations

import builtins
import types
import uuid
import weakref
from functools import lru_cache
from typing import Any

from gpuscale.base.read_classes import class_members
from gpuscale.base.read_modules import is_installed, is_ours, with_modules
from gpuscale.base.steady import Steady, code_of, global_names, own_attributes
from gpuscale.base.tokens import (
    ATOMS,
    by_identity,
    importable_name,
    most_read,
    tagged,
    tokenize_plain,
)

__all__ = ["meaning", "present"]


_names = lru_cache(1000)(global_names)

# Functions that read nothing, by address: what they were like, and their token.
_closed: dict[int, tuple[weakref.ref[Any], types.CodeType, Any, frozenset[str], str]] = {}
_MOST = 1000

_MOST_READ = 2**24  # bytes of an array, some hundredths of a second of each call


def meaning(function: Any) -> str:
    """Return the token of what a function does now.

    What cannot be told from others, or takes long to read, has a new token each time: it is
    computed again, rather than taken for what it was.

    Examples
    --------
    >>> numbers = [1]
    >>> before = meaning(lambda: numbers)
    >>> before == meaning(lambda: numbers)
    True
    >>> numbers.append(2)
    >>> before == meaning(lambda: numbers)
    False
    """
    if type(function) is not types.FunctionType:
        name = importable_name(function)
        if name is not None and is_installed(function.__module__):
            return tokenize_plain(("name", name))
        return present(function)
    ref, code, defaults, names, token = _closed.get(id(function), _NOTHING)
    if (
        ref() is function
        and function.__code__ is code
        and function.__defaults__ is defaults
        and function.__kwdefaults__ is None
        and names.isdisjoint(function.__globals__)
    ):
        return token
    token = present(function)
    code, defaults = function.__code__, function.__defaults__
    names = frozenset(_names(code))
    if (
        not function.__closure__
        and ATOMS.issuperset(map(type, defaults or ()))
        and function.__kwdefaults__ is None
        and names.isdisjoint(function.__globals__)
        and names <= vars(builtins).keys()
    ):
        if len(_closed) >= _MOST:
            _closed.clear()
        _closed[id(function)] = weakref.ref(function), code, defaults, names, token
    return token


def _nobody() -> None:
    """Stand in for a reference to a function."""


_NOTHING: tuple[Any, ...] = (_nobody, None, None, frozenset(), "")


def present(*operands: Any) -> str:
    """Return the token of what arguments are now, whatever they were before.

    Arrays are read up to 16 MiB each; those that are larger have a new token each time, as what
    cannot be told from others has.

    Examples
    --------
    >>> import numpy as np
    >>> buffer = np.zeros(300_000)
    >>> before = present(buffer)
    >>> before == present(buffer)
    True
    >>> buffer[0] = 1
    >>> before == present(buffer)
    False
    """
    before = most_read.set(_MOST_READ)
    try:
        return _Live({}).token(*operands)
    except Exception:  # objects may raise anything when asked what they are
        return uuid.uuid4().hex
    finally:
        most_read.reset(before)


class _Live(Steady):
    """Looks into all that is not installed, as it is now, whatever module it is in."""

    def _parts(self, value: Any) -> tuple[Any, ...]:
        kind = type(value)
        if hasattr(kind, "__gpuscale_tokenize__"):
            known = kind.__qualname__ if is_ours(kind.__module__) else kind
            return tagged("object", known, value.__gpuscale_tokenize__())
        return super()._parts(value)

    def _is_known_by_name(self, value: Any) -> bool:
        return is_installed(value.__module__)

    def _compiled(self, value: Any) -> tuple[Any, ...] | None:
        made = super()._compiled(value)  # each keeps globals as they were when it was compiled
        return None if made is None else (*made, by_identity(value))

    def _class(self, kind: type) -> tuple[Any, ...]:
        name = importable_name(kind)
        if name is not None and is_installed(kind.__module__):
            return (..., "name", name)
        where = (kind.__module__, kind.__qualname__)
        return tagged("class", where, kind.__bases__, type(kind), class_members(kind))

    def _function(self, function: types.FunctionType) -> tuple[Any, ...]:
        name = importable_name(function)
        if name is not None and is_installed(function.__module__):
            return (..., "name", name)
        held = [cell.cell_contents for cell in function.__closure__ or ()]
        names = function.__code__.co_freevars
        cells = with_modules(dict(zip(names, held, strict=True)), function.__code__)
        defaults = (function.__defaults__, function.__kwdefaults__)
        code = code_of(function.__code__)
        where = (function.__module__, function.__qualname__)
        return tagged(
            "function", where, code, defaults, cells, own_attributes(function), self._uses(function)
        )

    def _uses(self, function: types.FunctionType) -> dict[str, Any]:
        there = function.__globals__
        used = {name: there[name] for name in sorted(_names(function.__code__)) if name in there}
        return with_modules(used, function.__code__)
