"""What a client starts: calls, data, collections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from gpuscale.base.errors import NotSupportedError
from gpuscale.base.tokens import tokenize_now
from gpuscale.base.types import Key
from gpuscale.engines.outcome import Outcome
from gpuscale.engines.session import Session
from gpuscale.expr.node import user_line
from gpuscale.futures.calls import CallMaker, are_settled
from gpuscale.futures.future import Future
from gpuscale.futures.meaning import present
from gpuscale.futures.nesting import gathered
from gpuscale.graph.annotations import annotate, annotate_tasks
from gpuscale.graph.handle import new_key, same
from gpuscale.graph.plain import tasks_of, wanted_keys
from gpuscale.graph.task import Graph, Task
from gpuscale.keeping import persist
from gpuscale.memory.limits import limits_for
from gpuscale.memory.projection import check_alone, check_fits
from gpuscale.nested import find, listed, replace
from gpuscale.run import whole_values

__all__ = ["Starter"]


class Starter:
    """The part of `Client` that starts tasks and gathers their results."""

    _session: Session
    _limit: int  # bytes
    _device_limit: float | str | None

    def submit(
        self,
        func: Callable[..., Any],
        /,
        *args: Any,
        key: Key | None = None,
        workers: Any = None,
        resources: Mapping[str, float] | None = None,
        retries: int | None = None,
        priority: int = 0,
        fifo_timeout: Any = None,
        allow_other_workers: bool = False,
        actor: bool = False,
        actors: bool = False,
        pure: bool = True,
        **kwargs: Any,
    ) -> Future:
        """Start a call.

        Parameters
        ----------
        func : callable
            A coroutine function runs in an event loop of its own, in the thread of a worker.
        *args, **kwargs
            Futures among them, also in lists, tuples, dictionaries, sets, slices and dataclasses,
            are replaced by their results, as are arrays and delayed values, which are computed
            as by `compute`; the call begins when all are there.
        key : str, optional
            Name of the task. If there is a future of that name, this is the same task.
        resources, retries, priority
            As in `gpuscale.annotate`, which also knows timeouts and memory.
        pure : bool
            Whether the function gives the same result for the same arguments, so that equal calls
            are the same task. Say False for random numbers, and what has effects.
        workers, fifo_timeout, allow_other_workers
            Mean nothing in one process.

        Returns
        -------
        Future

        Raises
        ------
        EngineError
            The client is closed.
        CancelledError
            A future among the arguments was cancelled or released.
        ValueError
            A future among the arguments belongs to another client.
        MemoryBudgetError
            An array among the arguments is larger than the memory limit, or the call needs more,
            as `gpuscale.annotate` says.

        Examples
        --------
        >>> import gpuscale as gs, gpuscale.array as ga
        >>> with gs.Client() as client:
        ...     x = client.submit(abs, -3)
        ...     client.submit(max, [x, ga.arange(3).sum()], default=0).result()
        3
        """
        if actor or actors:
            raise NotSupportedError("actors are not there; keep a lock in an object of your own")
        (args,), kwargs = self._begun([args], kwargs)
        outcome = self._maker(func, pure).make(args, kwargs, key)
        (outcome,) = self._start([outcome], retries, resources, priority)
        return Future(outcome, self)

    def map(
        self,
        func: Callable[..., Any],
        /,
        *iterables: Iterable[Any],
        key: str | list[Key] | None = None,
        workers: Any = None,
        retries: int | None = None,
        resources: Mapping[str, float] | None = None,
        priority: int = 0,
        allow_other_workers: bool = False,
        fifo_timeout: Any = None,
        actor: bool = False,
        actors: bool = False,
        pure: bool = True,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[Future]:
        """Start a call for each item of iterables, as Python's `map`.

        Parameters
        ----------
        func : callable
        *iterables : iterable
            As many as the function takes arguments; the shortest one ends it.
        key : str or list, optional
            Beginning of the names of the tasks, or all their names.
        batch_size : int, optional
            How many calls to start at a time; by default all.
        **kwargs
            Given to each call.
        resources, retries, priority, pure, workers, fifo_timeout, allow_other_workers
            As in `submit`.

        Returns
        -------
        list of Future

        Examples
        --------
        >>> import gpuscale as gs
        >>> with gs.Client() as client:
        ...     client.gather(client.map(pow, [2, 3], [4, 5]))
        [16, 243]
        """
        if actor or actors:
            raise NotSupportedError("actors are not there; keep a lock in an object of your own")
        if not iterables:
            raise TypeError("map takes a function and at least one iterable")
        maker = self._maker(func, pure)
        calls, kwargs = self._begun(list(zip(*iterables, strict=False)), kwargs)
        names = _names(key, calls, kwargs, maker if pure else None)
        made = (maker.make(c, kwargs, name) for c, name in zip(calls, names, strict=True))
        futures: list[Future] = []
        while batch := list(islice(made, batch_size)):
            begun = self._start(batch, retries, resources, priority)
            futures += [Future(outcome, self) for outcome in begun]
        return futures

    def _begun(
        self, calls: list[tuple[Any, ...]], kwargs: dict[str, Any]
    ) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
        """Start to compute what is lazy among arguments, all at once; put futures in its place.

        A task could do little with a lazy value but compute it by itself, where nobody would know
        that others need the same.
        """
        if are_settled(kwargs.values()) and all(map(are_settled, calls)):
            return calls, kwargs
        if all(isinstance(each, Future) for each in find((calls, kwargs))):
            return calls, kwargs
        begun: tuple[list[tuple[Any, ...]], dict[str, Any]] = self.compute((calls, kwargs))
        return begun

    def _maker(self, func: Callable[..., Any], pure: bool) -> CallMaker:
        return CallMaker(self, func, pure, user_line())

    def _start(
        self,
        outcomes: list[Outcome],
        retries: int | None = None,
        resources: Mapping[str, float] | None = None,
        priority: int = 0,
    ) -> list[Outcome]:
        """Start tasks; return the outcomes of their keys, those that were there before if any."""
        tasks = [outcome.task for outcome in outcomes]
        self._annotate(tasks, retries, resources, priority)
        for task in tasks:
            check_alone(task, limits_for((task,), self._limit, self._device_limit))
        return self._session.add({task.key: task for task in tasks}, outcomes)

    def _annotate(
        self,
        tasks: Iterable[Task],
        retries: int | None,
        resources: Mapping[str, float] | None,
        priority: int,
    ) -> None:
        if retries is None and resources is None and not priority:
            annotate_tasks(tasks)
        else:
            with annotate(retries=retries, resources=resources, priority=priority or None):
                annotate_tasks(tasks)

    # data

    def gather(
        self, futures: Any, errors: str = "raise", direct: Any = None, asynchronous: Any = None
    ) -> Any:
        """Wait for futures and put their results in their places.

        Parameters
        ----------
        futures : Future, or containers of futures
            Lists, tuples, dictionaries, sets and dataclasses keep their type; from an iterator
            comes a list.
        errors : {"raise", "skip"}
            Whether to raise what a task raised, or to leave out what has no result (in lists).
        direct, asynchronous : object
            Mean nothing in one process.

        Examples
        --------
        >>> import gpuscale as gs
        >>> with gs.Client() as client:
        ...     x = client.submit(abs, -1)
        ...     y = client.submit(divmod, 1, 0)
        ...     client.gather({"x": [x, x]}), client.gather([x, y], errors="skip")
        ({'x': [1, 1]}, [1])
        """
        return gathered(futures, errors)

    def scatter(
        self,
        data: Any,
        workers: Any = None,
        broadcast: bool = False,
        direct: Any = None,
        hash: bool = True,
        timeout: Any = None,
        asynchronous: Any = None,
    ) -> Any:
        """Make futures of data that are there.

        Parameters
        ----------
        data : object
            A list, tuple, set, range or iterator gives futures of its items, a dictionary futures
            of its values with its keys as names, anything else one future.
        hash : bool
            Whether equal data are the same task.
        workers, broadcast, direct, timeout, asynchronous
            Mean nothing in one process.

        Raises
        ------
        ValueError
            A name of a dictionary is that of a future of other data, or of a call.

        Examples
        --------
        >>> import gpuscale as gs
        >>> with gs.Client() as client:
        ...     x = client.scatter([1, 2, 3])
        ...     client.submit(sum, x).result()
        6
        """
        if isinstance(data, Iterator | range):
            data = list(data)
        if isinstance(data, dict):
            made = self._scattered(list(data.values()), list(data), hash)
            return dict(zip(data, made, strict=True))
        if isinstance(data, list | tuple | set | frozenset):
            made = self._scattered(list(data), None, hash)
            kind: Any = type(data)
            return kind(*made) if hasattr(data, "_fields") else kind(made)
        return self._scattered([data], None, hash)[0]

    def _scattered(self, values: list[Any], keys: list[Key] | None, hash: bool) -> list[Future]:
        is_named = keys is not None
        if keys is None:
            names = [type(value).__name__ for value in values]
            keys = [
                f"{name}-{present(value)}" if hash else new_key(name)
                for name, value in zip(names, values, strict=True)
            ]
        tasks = [
            Task(key, same, (), (value,), label="scatter")
            for key, value in zip(keys, values, strict=True)
        ]
        given = [Outcome(task) for task in tasks]
        outcomes = self._session.add({task.key: task for task in tasks}, given)
        for outcome, own, value in zip(outcomes, given, values, strict=True):
            if is_named and outcome is not own and not _holds(outcome, value):
                raise ValueError(
                    f"{outcome.key!r} is the name of a future of something else; let go of that "
                    "future (del, or release()) before there are other data of this name, or give "
                    "these another name"
                )
        for outcome, value in zip(outcomes, values, strict=True):
            outcome.settle("finished", value)  # whenever a worker finds the time to count its bytes
        return [Future(outcome, self) for outcome in outcomes]

    def compute(
        self,
        collections: Any,
        sync: bool = False,
        optimize_graph: bool = True,
        workers: Any = None,
        allow_other_workers: bool = False,
        resources: Mapping[str, float] | None = None,
        retries: int | None = None,
        priority: int = 0,
        fifo_timeout: Any = None,
        traverse: bool = True,
        **kwargs: Any,
    ) -> Any:
        """Start to compute arrays and delayed values.

        Parameters
        ----------
        collections : Collection, Delayed, or a list, tuple or set of these
        sync : bool
            Whether to wait, and to return results in the place of futures.
        resources, retries, priority
            Of each of the tasks.
        optimize_graph, workers, allow_other_workers, fifo_timeout, traverse
            Mean nothing here.

        Returns
        -------
        Future, or a container of futures
            Other objects are handed back as they are.

        Examples
        --------
        >>> import gpuscale as gs, gpuscale.array as ga
        >>> with gs.Client() as client:
        ...     x = ga.arange(10, chunks=5)
        ...     total, largest = client.compute([x.sum(), x.max()])
        ...     total.result(), client.submit(pow, largest, 2).result()
        (np.int64(45), np.int64(81))
        """
        (collections,) = listed((collections,))
        lazy = [each for each in find(collections) if not isinstance(each, Future)]
        graph, keys = whole_values(*lazy)
        if retries is not None or resources is not None or priority:
            self._annotate(graph.values(), retries, resources, priority)
        futures = self._futures(graph, keys)
        by_id = {id(each): future for each, future in zip(lazy, futures, strict=True)}
        made = replace(collections, lambda each: by_id.get(id(each), each))
        return self.gather(made) if sync else made

    def get(self, dsk: Mapping[Any, Any], keys: Any, sync: bool = True, **kwargs: Any) -> Any:
        """Run a plain dictionary of tasks; see `gpuscale.get`.

        Returns
        -------
        object or list
            Results, or futures with ``sync=False``; a list for each list of keys.
        """

        def nested(value: Any) -> Any:
            return [nested(each) for each in value] if isinstance(value, list) else by_key[value]

        graph = tasks_of(dsk)
        wanted = wanted_keys(keys, graph)
        annotate_tasks(graph.values())
        by_key = dict(zip(wanted, self._futures(graph, wanted), strict=True))
        made = nested(keys)
        return self.gather(made) if sync else made

    def _futures(self, graph: Graph, keys: list[Key]) -> list[Future]:
        check_fits(graph, limits_for(graph.values(), self._limit, self._device_limit))
        outcomes = self._session.add(graph, [Outcome(graph[key], graph=graph) for key in keys])
        return [Future(outcome, self) for outcome in outcomes]

    def persist(self, collections: Any, **kwargs: Any) -> Any:
        """Compute chunks and keep them in memory or on disk; see `gpuscale.persist`.

        Other than in dask.distributed, it waits until they are there.
        """
        kwargs = {k: v for k, v in kwargs.items() if k in ("num_workers", "memory_limit")}
        return persist(collections, **kwargs)[0]


def _holds(outcome: Outcome, value: Any) -> bool:
    """Say whether an outcome that was there before is one of these very data, or equal ones."""
    if outcome.task.label == "scatter":
        outcome.wait()  # for the thread that is about to say what it is
    if outcome.status != "finished":
        return False
    held = outcome.value
    return held is value or tokenize_now(held) == tokenize_now(value)


def _names(
    key: str | list[Key] | None,
    calls: list[tuple[Any, ...]],
    kwargs: dict[str, Any],
    maker: CallMaker | None,
) -> list[Key | None]:
    """Names of the tasks of a map; None for those that are named by what they do."""
    if key is None:
        return [None] * len(calls)
    if isinstance(key, list):
        if len(key) != len(calls):
            raise ValueError(f"there are {len(key)} keys for {len(calls)} calls")
        return list(key)
    if maker is not None:
        return [f"{key}-{maker.token(call, kwargs)}" for call in calls]
    return [new_key(key) for _ in calls]
