"""What an engine is, and how one is found by name."""

from __future__ import annotations

import importlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from typing import Any, ClassVar, Literal, TypeAlias

from gpuscale.base import config
from gpuscale.base.blocks import block
from gpuscale.base.errors import EngineError
from gpuscale.base.types import Key
from gpuscale.engines.events import Listener
from gpuscale.graph.task import Task

__all__ = ["ENTRY_POINTS", "Engine", "OnError", "engine_names", "get_engine", "planned_for_default"]

#: Entry point group in which a package names its engines: ``name = "module:Class"``.
ENTRY_POINTS = "gpuscale.engines"

_BUILT_IN = {
    "distributed": "gpuscale.engines.distributed:DistributedEngine",
    "sync": "gpuscale.engines.sync:SyncEngine",
    "threads": "gpuscale.engines.threads:ThreadsEngine",
}
_FOR_TESTS = {"refusing": "gpuscale.testing.refusing:RefusingEngine"}  # found, but not listed

OnError: TypeAlias = Literal["raise", "continue"]

_engines: dict[tuple[str, frozenset[tuple[str, str]]], Engine] = {}
_lock = threading.Lock()


class Engine(ABC):
    """Runs graphs of tasks. A subclass is created without arguments when found by name."""

    #: The name under which `get_engine` finds it.
    name: ClassVar[str]
    #: Whether tasks see the memory of this process: read its arrays, and write into them.
    shares_memory: ClassVar[bool] = True

    def planning(self) -> AbstractContextManager[Any]:
        """Be around the making of a plan for this engine, such as with its limits in force."""
        return nullcontext()

    @abstractmethod
    def run(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
        on_error: OnError = "raise",
    ) -> list[Any]:
        """Run the tasks that `keys` need and return the results of `keys`, in their order.

        Parameters
        ----------
        graph : mapping of Key to Task
        keys : sequence of Key
            Requested results.
        listeners : sequence of callables
            Called with each event (`gpuscale.engines.events`) in the calling thread.
        on_error : {"raise", "continue"}
            What the last failure of a task does: end the run, or put a `Failure` in the place of
            each result that needs the task.

        Raises
        ------
        GraphError
            The graph is not complete, or has a circle.
        Exception
            What a task raised in its last attempt, with a note that names the task and the user's
            line; no further task starts after it.
        """

    def persist(
        self,
        graph: Mapping[Key, Task],
        keys: Sequence[Key],
        *,
        listeners: Sequence[Listener] = (),
    ) -> dict[Key, Any]:
        """Run like `run`, and return handles on results that stay where they are.

        An engine of this process returns the results themselves or, where there is no room for all
        of them together, what `gpuscale.memory.spilled` and `gpuscale.memory.parked` have.
        """
        return dict(zip(keys, self.run(graph, keys, listeners=listeners), strict=True))

    def close(self) -> None:  # noqa: B027 - an engine without threads or connections has nothing
        """Give back threads and connections; a closed engine may be used again."""


def get_engine(engine: str | Engine | None = None, **options: Any) -> Engine:
    """Find an engine.

    Parameters
    ----------
    engine : str, Engine or None
        A name (``"threads"``, ``"sync"``, ``"distributed"`` or one that a package brings), an
        engine, a client of dask.distributed, or None for the option ``engine``. The same name and
        options give the same engine every time.
    **options
        What the engine's class takes: ``num_workers``, ``memory_limit`` and ``resources`` for
        ``"threads"``.

    Raises
    ------
    EngineError
        No engine has that name, or it takes no such options.

    Examples
    --------
    >>> get_engine("sync").name
    'sync'
    >>> get_engine("sink")
    Traceback (most recent call last):
    ...
    gpuscale.base.errors.EngineError: there is no engine 'sink'; there are 'distributed', ...
    """
    if isinstance(engine, Engine):
        if options:
            raise EngineError(f"{engine!r} exists already and cannot take {options}")
        return engine
    if engine is not None and not isinstance(engine, str):
        return _engine_over(engine)
    name: str = config.get("engine") if engine is None else engine
    wanted = name, frozenset((key, repr(value)) for key, value in options.items())
    with _lock:
        if wanted not in _engines:
            try:
                _engines[wanted] = _find(name)(**options)
            except TypeError as error:
                raise EngineError(f"engine {name!r} does not take {options}: {error}") from error
        return _engines[wanted]


# Package of an object -> the engine that runs tasks there.
_OVER = {"distributed": "distributed"}


def _engine_over(client: Any) -> Engine:
    """Make the engine that gives tasks to somebody else's client."""
    for kind in type(client).__mro__:
        name = _OVER.get(kind.__module__.partition(".")[0])
        if name is not None:
            return _find(name)(client)  # type: ignore[call-arg]
    raise EngineError(
        f"an engine is a name such as 'threads', an Engine, or a client of a cluster, "
        f"not {client!r}"
    )


@block
def planned_for_default() -> Generator[None, None, None]:
    """Plan for the engine of the option ``engine``; for this process where that has no cluster.

    Examples
    --------
    >>> with planned_for_default():
    ...     pass
    """
    with ExitStack() as stack:
        with suppress(EngineError):  # `compute` says so, or is told another engine
            stack.enter_context(get_engine().planning())
        yield


def engine_names() -> list[str]:
    """Name all engines of this installation that compute something.

    Examples
    --------
    >>> {"sync", "threads"} <= set(engine_names())
    True
    """
    from importlib.metadata import entry_points

    return sorted({*_BUILT_IN, *entry_points(group=ENTRY_POINTS).names} - set(_FOR_TESTS))


def _find(name: str) -> type[Engine]:
    known = {**_BUILT_IN, **_FOR_TESTS}
    if name in known:
        module, _, attribute = known[name].partition(":")
        found: type[Engine] = getattr(importlib.import_module(module), attribute)
        return found
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS, name=name):
        found = entry.load()
        return found
    names = ", ".join(map(repr, engine_names()))
    raise EngineError(f"there is no engine {name!r}; there are {names}")
