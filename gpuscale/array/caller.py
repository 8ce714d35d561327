"""Which public function the user called: errors name it, not what it is made of."""

from __future__ import annotations

from functools import lru_cache

from gpuscale.expr.node import user_call

__all__ = ["called_as"]


def called_as(otherwise: str) -> str:
    """Return the name of the function of `gpuscale.array` that the user called, if there is one."""
    return user_call(_names()) or otherwise


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    import gpuscale.array as public  # for its names alone

    return frozenset((*dir(public), *public.fft.__all__))
