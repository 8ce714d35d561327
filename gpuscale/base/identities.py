"""Names for objects that only they themselves can stand for."""

from __future__ import annotations

import threading
import uuid
import weakref
from contextvars import ContextVar
from typing import Any

__all__ = ["by_identity", "met", "now"]

now: ContextVar[bool] = ContextVar("now", default=False)
"""Whether what objects are right now is asked, as in `gpuscale.base.tokens.tokenize_now`."""

met: ContextVar[list[Any] | None] = ContextVar("met", default=None)
"""Collects the objects that were known by identity, where somebody asks."""

# Address -> (weak reference, name): a table beside the objects, since arrays do not hash.
_identities: dict[int, tuple[weakref.ref[Any], str]] = {}
_identities_lock = threading.RLock()


def by_identity(value: Any) -> tuple[Any, ...]:
    """Return what stands for an object alone: a random number that lives and dies with it."""
    if (found := met.get()) is not None:
        found.append(value)
    if now.get():  # it may have changed
        return (..., "identity", uuid.uuid4().hex)
    key = id(value)

    def forget(reference: weakref.ref[Any]) -> None:
        with _identities_lock:
            if key in _identities and _identities[key][0] is reference:
                del _identities[key]

    with _identities_lock:
        if key in _identities and _identities[key][0]() is value:
            return (..., "identity", _identities[key][1])
        name = uuid.uuid4().hex
        try:
            _identities[key] = (weakref.ref(value, forget), name)
        except TypeError:
            # Nothing would tell that this object is gone and its address taken by another one, so
            # it is not remembered and gets a new name each time it is asked.
            _identities.pop(key, None)
    return (..., "identity", name)
