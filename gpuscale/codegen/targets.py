"""Who compiles programs for the arrays of a library: one row per namespace.

A target answers None for what it does not take, and the interpreter runs that through the
namespace. A namespace without a row is interpreted throughout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gpuscale.codegen.program import AffineIndex, ScalarProgram

__all__ = ["Target", "is_interpreted", "register_target", "target_of"]


class Target(Protocol):
    """Runs compiled programs; parameters and results as those of `run.run_map`.

    Attributes
    ----------
    mirrors : bool
        Whether `mirror` may take a block and its mirror image together.
    """

    mirrors: bool

    def may_pay(self, elements: int) -> bool:
        """Whether to look for a kernel at all for so many elements."""

    def map(
        self,
        program: ScalarProgram,
        arrays: Sequence[Any],
        indices: Sequence[AffineIndex],
        params: Sequence[Any],
        shape: tuple[int, ...],
        out: Sequence[Any] | None,
    ) -> tuple[Any, ...] | None:
        """Run a kernel of a map; None where there is none, or it would not pay."""

    def reduce(
        self,
        program: ScalarProgram,
        reductions: tuple[str, ...],
        arrays: Sequence[Any],
        indices: Sequence[AffineIndex],
        params: Sequence[Any],
        shape: tuple[int, ...],
        axes: tuple[int, ...],
    ) -> tuple[Any, ...] | None:
        """Run kernels of reductions; None where there are none, or they would not pay."""


def _cpu() -> Target:
    from gpuscale.codegen.run_cpu import CpuTarget

    return CpuTarget()


def _cupy() -> Target | None:
    from gpuscale.codegen.target_cuda import cupy_target

    return cupy_target()


_loaders: dict[str, Callable[[], Target | None]] = {"numpy": _cpu, "cupy": _cupy}
_loaded: dict[str, Target | None] = {}


def register_target(namespace: str, load: Callable[[], Target | None]) -> None:
    """Give a namespace a target.

    Parameters
    ----------
    namespace : str
        Name of the module whose functions take the arrays, as "numpy".
    load : callable
        Makes the target, or None where it cannot work; called when a program is first run.
    """
    _loaded.pop(namespace, None)
    _loaders[namespace] = load


def is_interpreted(name: str) -> bool:
    """Whether no target takes the arrays of a namespace, as is known without loading it.

    Examples
    --------
    >>> is_interpreted("cupy"), is_interpreted("another")
    (False, True)
    """
    return name not in _loaders


def target_of(xp: Any) -> Target | None:
    """Find the target of a namespace, if it has one.

    Examples
    --------
    >>> import numpy, math
    >>> type(target_of(numpy)).__name__, target_of(math)
    ('CpuTarget', None)
    """
    name = xp.__name__
    if name not in _loaded:
        _loaded[name] = _loaders[name]() if name in _loaders else None
    return _loaded[name]
