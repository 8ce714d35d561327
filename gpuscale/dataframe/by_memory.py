"""Functions of the public interface that plan by the memory there is: that of the run.

A program may say its limit after it has written what it wants: `compute` takes it as an option, an
engine has one. So what these functions return remembers them, and is planned again before anything
else is done to it (`gpuscale.dataframe.rules.by_memory`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from gpuscale.base.blocks import block
from gpuscale.collection import Collection
from gpuscale.dataframe.collection import wrap
from gpuscale.dataframe.nodes.by_memory import ByMemory
from gpuscale.engines.base import planned_for_default
from gpuscale.expr.frames import FrameMeta
from gpuscale.expr.node import Node
from gpuscale.nested import find, replace

__all__ = ["by_memory", "limits_are_known"]

F = TypeVar("F", bound=Callable[..., Any])

_LITTLE = 64 << 10  # bytes for which no limit is so small that there would be another way

_known: ContextVar[bool] = ContextVar("gpuscale-limits-are-known", default=False)


@block
def limits_are_known() -> Generator[None, None, None]:
    """Plan once and for all: the limits in force are those of the run."""
    token = _known.set(True)
    try:
        yield
    finally:
        _known.reset(token)


def by_memory(function: F) -> F:
    """Have a function of collections plan by the memory of the run, not by that of the call.

    Parameters
    ----------
    function : callable
        Of a module; it returns a collection. Those that it calls may be of this kind as well.
    """

    @wraps(function)
    def planned(*args: Any, **kwargs: Any) -> Any:
        if _known.get():
            return function(*args, **kwargs)
        inputs = _inputs_of((args, kwargs))
        if sum(_nbytes(node) for node in inputs) <= _LITTLE:
            with limits_are_known():
                return function(*args, **kwargs)
        with planned_for_default(), limits_are_known():
            found = function(*args, **kwargs)
        return wrap(ByMemory(inputs, Again(planned, args, kwargs), found.expr))

    return planned  # type: ignore[return-value]


@dataclass(frozen=True)
class Again:
    """A call that is made again, of other nodes in the place of those that it was of."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def __call__(self, inputs: Sequence[Node]) -> Node:
        """Call it."""
        given = (self.args, self.kwargs)
        new = dict(zip((each.token for each in _inputs_of(given)), inputs, strict=True))

        def changed(each: Any) -> Any:
            return each._wrap(new[each.expr.token]) if isinstance(each, Collection) else each

        args, kwargs = replace(given, changed)
        with limits_are_known():
            node: Node = self.function(*args, **kwargs).expr
        return node


def _inputs_of(given: Any) -> tuple[Node, ...]:
    nodes = [each.expr for each in find(given) if isinstance(each, Collection)]
    return tuple({node.token: node for node in nodes}.values())


def _nbytes(node: Node) -> int:
    return int(node.meta.nbytes) if isinstance(node.meta, FrameMeta) else 0
