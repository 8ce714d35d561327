"""Random arrays: a namespace with NumPy's names that can itself be called.

``random((n, n), like=cupy)`` is ``random.random((n, n), like=cupy)``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from gpuscale.array.collection import Array
from gpuscale.array.random.draw import draw

__all__ = ["random"]


def random(
    size: Any = (), chunks: Any = "auto", *, like: Any = None, backend: str | None = None
) -> Array:
    """Uniform numbers in [0, 1)."""
    return draw("philox_uniform", (7, 7), size, chunks, like, backend)


class _Callable(ModuleType):
    """The module itself, which calls `random`."""

    def __call__(self, *args: Any, **kwargs: Any) -> Array:
        return random(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
