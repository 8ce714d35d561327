"""One call as one task, futures among its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from inspect import CO_COROUTINE
from typing import TYPE_CHECKING, Any

from gpuscale.base.brief import name_of
from gpuscale.base.tokens import ATOMS, tokenize_plain
from gpuscale.engines.failure import task_name
from gpuscale.engines.outcome import Outcome
from gpuscale.futures.future import Future
from gpuscale.futures.meaning import meaning, present
from gpuscale.graph.handle import new_key
from gpuscale.graph.packing import PackedCall, Slot, pack
from gpuscale.graph.task import Task

if TYPE_CHECKING:
    from gpuscale.futures.tasks import Starter

__all__ = ["CallMaker", "are_settled"]

_SETTLED = ATOMS | {Future}


class CallMaker:
    """Makes outcomes of calls of one function.

    Parameters
    ----------
    client : Starter
        Which the futures among the arguments must be of.
    function : callable
    pure : bool
        Whether equal calls are the same task.
    origin : (str, int), optional
        The user's line.

    Raises
    ------
    TypeError
        The function cannot be called.
    """

    def __init__(
        self,
        client: Starter,
        function: Callable[..., Any],
        pure: bool,
        origin: tuple[str, int] | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"the first argument is what to call, not {function!r}")
        self._client, self._function = client, _as_plain(function)
        self._pure, self._origin, self._name = pure, origin, name_of(function)
        self._meaning = meaning(function) if pure else ""
        self._named: tuple[dict[str, Any], str] = ({}, "")  # of a map, the same for each call

    def token(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Return the token of one call of a pure function."""
        if not kwargs and ATOMS.issuperset(map(type, args)):
            return tokenize_plain((self._meaning, args))
        if kwargs is not self._named[0]:
            self._named = kwargs, present(kwargs) if kwargs else ""
        return present(self._meaning, args, self._named[1])

    def make(self, args: tuple[Any, ...], kwargs: dict[str, Any], key: Any = None) -> Outcome:
        """Make the outcome of one call."""
        name = self._name
        is_plain = not kwargs and ATOMS.issuperset(map(type, args))
        if key is None:
            key = f"{name}-{self.token(args, kwargs)}" if self._pure else new_key(name)
        call: Callable[..., Any] = self._function
        parents: dict[Any, Outcome] = {}
        if not is_plain:
            call, args = self._packed(args, kwargs, parents)
        task = Task(key, call, tuple(parents), args, 0, 0, 0, name, self._origin)
        return Outcome(task, tuple(parents.values()))

    def _packed(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], parents: dict[Any, Outcome]
    ) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        slots: dict[Any, Slot] = {}

        def slot_of(value: Any) -> Slot | None:
            if not isinstance(value, Future):
                return None
            outcome = self._checked(value)
            key = outcome.task.key
            if key not in slots:
                slots[key] = Slot(len(slots))
                parents[key] = outcome
            return slots[key]

        packed = pack(args, slot_of)
        named = {name: pack(value, slot_of) for name, value in kwargs.items()}
        if not parents and not kwargs:
            return self._function, args
        if not kwargs and len(slots) == len(packed) and all(type(p) is Slot for p in packed):
            return self._function, ()
        return PackedCall(self._function, packed, named), ()

    def _checked(self, future: Future) -> Outcome:
        outcome = future._outcome
        if future.client is not self._client:
            raise ValueError(
                f"future {task_name(outcome.task)} belongs to another client; give its result() "
                "instead"
            )
        if outcome.status == "cancelled":
            raise CancelledError(f"argument {task_name(outcome.task)} was cancelled or released")
        return outcome


class _Awaited:
    """A coroutine function as one that returns when the coroutine has."""

    __slots__ = ("__name__", "_function")

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self.__name__ = function, name_of(function)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        import asyncio

        return asyncio.run(self._function(*args, **kwargs))


def _as_plain(function: Callable[..., Any]) -> Callable[..., Any]:
    code = getattr(getattr(function, "func", function), "__code__", None)  # of a partial
    is_coroutine = code is not None and code.co_flags & CO_COROUTINE
    return _Awaited(function) if is_coroutine else function


def are_settled(arguments: Iterable[Any]) -> bool:
    """Say at a glance that nothing among arguments is lazy, or holds what is."""
    return _SETTLED.issuperset(map(type, arguments))
