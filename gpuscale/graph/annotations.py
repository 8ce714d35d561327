"""`annotate`: what is said once about all tasks that a block of code makes."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from dataclasses import fields
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from numbers import Integral
from typing import Any, TypeVar, cast

from gpuscale.base.durations import Duration
from gpuscale.graph.options import TaskOptions
from gpuscale.graph.task import Task
from gpuscale.memory.limits import parse_bytes

__all__ = ["Annotation", "annotate", "annotate_tasks", "without_annotations"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = tuple(each.name for each in fields(TaskOptions))
_KNOWN = ("priority", *_OPTIONS, "memory")


def annotate(
    *,
    priority: int | None = None,
    retries: int | None = None,
    backoff: Duration | None = None,
    timeout: Duration | None = None,
    resources: Mapping[str, float] | None = None,
    memory: float | str | None = None,
    **unknown: Any,
) -> Annotation:
    """Say how the tasks that a block of code makes are to be run.

    A delayed call makes its task when it is called. Arrays and `get` make theirs when they are
    computed or persisted, so that is what has to stand in the block. Blocks nest; of what both
    say, the inner one wins. As a decorator, it has each call of a function be such a block.

    Parameters
    ----------
    priority : int, optional
        Tasks of larger priority, and what they need, run earlier; 0 without annotation.
    retries : int, optional
        How many times a task that raises is tried again.
    backoff : float or str, optional
        Seconds, or a text such as ``"500 ms"``, before the first retry (0.1 without annotation),
        doubled before each further one, up to ten seconds.
    timeout : float or str, optional
        Seconds, or a text such as ``"10s"``, that one attempt may take.
    resources : mapping of str to float, optional
        What must be free while a task runs, as ``{"GPU": 1}``; the option ``resources`` says what
        there is.
    memory : int, float or str, optional
        Bytes that a task needs at least for its result and to work in, as ``"2 GiB"``; written as
        in the option ``memory-limit``.

    Returns
    -------
    Annotation
        A context manager, and a decorator of functions.

    Warns
    -----
    UserWarning
        At the end of a block in which no task was made: it has no effect.

    Raises
    ------
    TypeError, ValueError
        There is no such annotation, or it cannot have that value.

    Examples
    --------
    >>> import gpuscale as gs
    >>> with gs.annotate(retries=2, priority=1):
    ...     value = gs.delayed(int)("7")
    >>> value.compute()
    7
    >>> @gs.annotate(retries=2)
    ... def total(values):
    ...     return gs.delayed(sum)(values).compute()
    >>> total([3, 4])
    7
    >>> gs.annotate(retires=2)
    Traceback (most recent call last):
    ...
    TypeError: there is no annotation 'retires'; did you mean 'retries'?
    """
    for name in unknown:
        raise TypeError(f"there is no annotation {name!r}; {_advice(name)}")
    if priority is not None and not _is_integer(priority):
        raise TypeError(f"priority is an integer, not {priority!r}")
    nbytes = None if memory is None else _read_memory(memory)
    values = (priority, retries, backoff, timeout, resources, nbytes)
    given = {k: v for k, v in zip(_KNOWN, values, strict=True) if v is not None}
    _Annotations(given)  # now, not when the block begins
    return Annotation(given, tells=True)


def annotate_tasks(tasks: Iterable[Task]) -> None:
    """Put what the block around the caller says on tasks that it has just made."""
    found = _current.get()
    if found is not None:
        found.is_heard = True
        for task in tasks:
            found.put_on(task)


def without_annotations() -> AbstractContextManager[None]:
    """Make tasks as if there were no block around: those of a task inside of a task."""
    return Annotation(None)


class _Annotations:
    """What blocks say, as tasks keep it."""

    __slots__ = ("given", "is_heard", "memory", "options", "priority")

    def __init__(self, given: dict[str, Any]) -> None:
        self.given, self.is_heard = given, False
        self.priority: int = given.get("priority", 0)
        self.memory: int = given.get("memory", 0)
        chosen = {name: given[name] for name in _OPTIONS if name in given}
        self.options = TaskOptions(**chosen) if chosen else None

    def put_on(self, task: Task) -> None:
        if self.priority:
            task.priority = self.priority
        if self.options is not None:
            task.options = self.options
        task.workspace = max(task.workspace, self.memory - task.nbytes)


_current: ContextVar[_Annotations | None] = ContextVar("gpuscale-annotations", default=None)


_UNHEARD = (
    "no task was made in this block of annotate(), which therefore says nothing: arrays and frames "
    "make theirs when they are computed or persisted, so have that in the block"
)


class Annotation(AbstractContextManager[None]):
    """A block of code that says something about its tasks, or nothing whatever is around it.

    `annotate` makes it. Not a generator: for these, `contextlib` sets attributes of exceptions,
    which some refuse.
    """

    def __init__(self, given: dict[str, Any] | None, tells: bool = False) -> None:
        self._given, self._tells = given, tells
        self._tokens: list[Token[_Annotations | None]] = []

    def __enter__(self) -> None:
        outer, given = _current.get(), self._given
        if given is not None and outer is not None:
            given = {**outer.given, **given}
        self._tokens.append(_current.set(None if given is None else _Annotations(given)))

    def __exit__(self, *error: object) -> None:
        inner = _current.get()
        _current.reset(self._tokens.pop())
        if inner is None:
            return
        outer = _current.get()
        if inner.is_heard and outer is not None:
            outer.is_heard = True
        if self._tells and not inner.is_heard and error[0] is None:
            warnings.warn(_UNHEARD, stacklevel=2)

    def __call__(self, function: F) -> F:
        """Decorate a function: each of its calls is a block of its own.

        Raises
        ------
        TypeError
            It is a generator, whose body runs when no block is open any more, or no function.
        """
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise TypeError("the body of a generator runs after the call: have the block inside")
        if not callable(function):
            raise TypeError(f"annotate decorates functions, not {type(function).__name__}")
        given = self._given

        if iscoroutinefunction(function):

            @wraps(function)
            async def annotated(*args: Any, **kwargs: Any) -> Any:
                with Annotation(given):
                    return await function(*args, **kwargs)

        else:

            @wraps(function)
            def annotated(*args: Any, **kwargs: Any) -> Any:
                with Annotation(given):
                    return function(*args, **kwargs)

        return cast(F, annotated)


def _is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _read_memory(memory: float | str) -> int:
    try:
        return parse_bytes(memory)
    except ValueError as error:
        raise ValueError(f"annotation memory: {error}") from None
    except TypeError:
        raise TypeError(f"memory is a size such as '2 GiB', not {memory!r}") from None


def _advice(name: str) -> str:
    near = difflib.get_close_matches(name, _KNOWN, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_KNOWN)}"
