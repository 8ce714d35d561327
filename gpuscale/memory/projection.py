"""How many bytes a graph will need, before any of it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from gpuscale.base.errors import MemoryBudgetError, written_at
from gpuscale.base.sizes import format_bytes
from gpuscale.memory.limits import is_for_workers
from gpuscale.memory.spaces import HOST

__all__ = [
    "LIMITS",
    "Projected",
    "MORE_PARTITIONS",
    "advice_of",
    "bytes_in_use",
    "check_alone",
    "check_fits",
    "check_measured",
    "check_results",
    "count_uses",
    "hands_on",
    "is_measured",
    "measured_needs",
    "operation_of",
    "peak_bytes",
    "reads_regions",
    "result_bytes",
    "task_bytes",
]


class Projected(Protocol):
    """What must be known of a task; `gpuscale.graph.task.Task` has it.

    A function whose attribute ``reads_regions`` is true reads the arrays that it gets by integers
    and slices (and ``take``) alone: where memory has no room for them it gets
    `gpuscale.memory.spilled.SpilledArray`, of which only those regions are in memory. One whose
    attribute ``hands_on`` is true returns its only input or a view of it, whose memory lives on.
    One whose tasks do not shrink with the chunks says in ``advice`` what to do instead, or the
    object whose method it is does.

    Where data decide, a function has a method ``needs(inputs) -> (result, workspace)``: the most
    that a task takes, from the bytes of its inputs. What is projected of it is then an upper bound
    and no reason to refuse a plan; the task is refused once its inputs are measured and say so.
    """

    fn: Callable[..., Any]
    key: Any  # attributes of a protocol are invariant: Hashable would refuse every kind of key
    deps: tuple[Any, ...]
    nbytes: int
    workspace: int
    space: int
    label: str
    origin: tuple[str, int] | None


T = TypeVar("T", bound=Projected)

#: What the limits of the spaces are called.
LIMITS = ("memory limit", "device memory limit")

# What to do with results that are too large together.
_INSTEAD = (
    "write them to files instead, reduce them first",
    "bring them to the host by x.to_backend('numpy'), compute them in pieces, reduce them first",
)


def task_bytes(graph: Mapping[Any, T], task: T) -> int:
    """Bytes that are in use while one task runs alone: inputs, result and workspace.

    Inputs that are read in regions may be on disk.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> x = Task("x", int, nbytes=8)
    >>> y = Task("y", int, deps=("x", "x"), nbytes=4, workspace=100)
    >>> task_bytes({"x": x, "y": y}, y)
    112
    """
    inputs = 0 if reads_regions(task) else sum(result_bytes(graph, dep) for dep in set(task.deps))
    return inputs + task.nbytes + task.workspace


def result_bytes(graph: Mapping[Any, T], key: Any) -> int:
    """Bytes that a result keeps alive, also where it is that of another task, handed on.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> def same(value):
    ...     return value
    >>> same.hands_on = True
    >>> result_bytes({"x": Task("x", int, nbytes=8), "y": Task("y", same, ("x",))}, "y")
    8
    """
    return _source(graph, graph[key]).nbytes


def _source(graph: Mapping[Any, T], task: T) -> T:
    """Return the task that made what a task returns."""
    while hands_on(task):
        task = graph[task.deps[0]]
    return task


def is_measured(task: Projected) -> bool:
    """Say whether data decide what a task takes."""
    return hasattr(type(task.fn), "needs")


def measured_needs(task: Projected, inputs: Sequence[int]) -> tuple[int, int]:
    """Bytes that a task which `is_measured` takes for its result and its work."""
    needs: tuple[int, int] = task.fn.needs(inputs)  # type: ignore[attr-defined]
    return needs


def hands_on(task: Projected) -> bool:
    """Say whether a task's result is its input, or a view of it."""
    return getattr(task.fn, "hands_on", False) is True


def reads_regions(task: Projected) -> bool:
    """Say whether a task's function reads its inputs in regions."""
    return getattr(task.fn, "reads_regions", False)


def count_uses(tasks: Iterable[Projected], kept: Iterable[Any] = ()) -> dict[Any, int]:
    """Count who needs each result: the tasks that read it, and whoever requested it.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> count_uses([Task("x", int), Task("y", max, ("x", "x"))], kept=["x", "y"])
    {'x': 2, 'y': 1}
    """
    uses: dict[Any, int] = dict.fromkeys(kept, 1)
    for task in tasks:
        for dep in set(task.deps):
            uses[dep] = uses.get(dep, 0) + 1
    return uses


def peak_bytes(
    graph: Mapping[Any, T],
    order: Iterable[Any],
    kept: Iterable[Any] = (),
    n_workers: int = 1,
    space: int = HOST,
) -> int:
    """Bytes that a run needs at its worst if its workers keep close to the given order.

    Parameters
    ----------
    graph, order, kept, n_workers, space
        As for `bytes_in_use`.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> graph = {k: Task(k, int, nbytes=10) for k in "ab"}
    >>> graph["c"] = Task("c", max, ("a", "b"), nbytes=1)
    >>> peak_bytes(graph, "abc", kept="c"), peak_bytes(graph, "abc", n_workers=3)
    (21, 21)
    """
    return max(bytes_in_use(graph, order, kept, n_workers, space), default=0)


def bytes_in_use(
    graph: Mapping[Any, T],
    order: Iterable[Any],
    kept: Iterable[Any] = (),
    n_workers: int = 1,
    space: int = HOST,
) -> Iterator[int]:
    """Bytes in use while each task runs, if workers keep close to the given order.

    Parameters
    ----------
    graph : mapping of key to task
    order : iterable of key
        Order of execution.
    kept : iterable of key
        Requested results, which stay to the end.
    n_workers : int
        Tasks that run at the same time. Exact for one; for more it is what is needed if, at each
        moment, the tasks under way are `n_workers` neighbours of the order.
    space : int
        Where the bytes are (`gpuscale.memory.spaces`).

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> graph = {k: Task(k, int, nbytes=10) for k in "ab"}
    >>> graph["c"] = Task("c", max, ("a", "b"), nbytes=1)
    >>> list(bytes_in_use(graph, "abc", kept="c"))
    [10, 20, 21]
    """
    sequence: Sequence[T] = [graph[key] for key in order]
    uses = count_uses(sequence, kept)
    alive = under_way = 0
    for place, task in enumerate(sequence):
        under_way += task.nbytes + task.workspace if task.space == space else 0
        if place >= n_workers:
            finished = sequence[place - n_workers]
            if finished.space == space:
                under_way -= finished.nbytes + finished.workspace
            alive += _bytes_in(graph, finished.key, space) if uses.get(finished.key) else 0
            for dep in set(finished.deps):
                uses[dep] -= 1
                alive -= 0 if uses[dep] else _bytes_in(graph, dep, space)
        yield alive + under_way


def _bytes_in(graph: Mapping[Any, T], key: Any, space: int) -> int:
    source = _source(graph, graph[key])
    return source.nbytes if source.space == space else 0


def check_fits(
    graph: Mapping[Any, T],
    limits: Sequence[float],
    keys: Iterable[Any] = (),
    here: Sequence[float] | None = None,
) -> None:
    """Refuse a graph of which one task, or the requested results together, exceed a limit.

    Parameters
    ----------
    graph : mapping of key to task
    limits : sequence of float
        Bytes that may be in use at a time, in each space (`gpuscale.memory.spaces`).
    keys : iterable of key
        Requested results, which are all in memory at the end.
    here : sequence of float, optional
        Limits of the process that gets these, if others run the tasks.

    Raises
    ------
    MemoryBudgetError
        Names the task, the line that made it, its bytes, the limit and what to do.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> graph = {"x": Task("x", int, nbytes=3 << 30, label="ones", origin=("a.py", 7))}
    >>> check_fits(graph, (4 << 30, 0))
    >>> check_fits(graph, (1 << 30, 0))
    Traceback (most recent call last):
    ...
    gpuscale.base.errors.MemoryBudgetError: a task of ones, written at a.py:7, needs 3.0 GiB at \
once: 0 B of inputs, 3.0 GiB of result and 0 B to work in, but the memory limit is 1.0 GiB; use \
smaller chunks, or raise the option memory-limit
    """
    for task in graph.values() if _may_exceed(graph.values(), min(limits)) else ():
        if is_measured(task):
            continue
        task = _to_blame(graph, task, limits)
        deps = () if reads_regions(task) else set(task.deps)
        _check(task, _sure_bytes(graph, deps), task.nbytes, task.workspace, limits)
    kept, room = _sure_bytes(graph, dict.fromkeys(keys)), here or limits
    for space, total in enumerate(kept):
        if total > room[space]:
            raise MemoryBudgetError(
                f"the requested results take {format_bytes(total)} together, but the "
                f"{LIMITS[space]} is {format_bytes(room[space])}; {_INSTEAD[space]}, or raise "
                f"the option {_option(space)}"
            )


def _to_blame(graph: Mapping[Any, T], task: T, limits: Sequence[float]) -> T:
    """Return the task that makes an input which alone is too large, if it says what to do.

    Whoever reads that suffers from it, and smaller chunks of its own would not help.
    """
    found: T | None = task
    while found is not None and not _said(found.fn, "advice"):
        sources = (_source(graph, graph[dep]) for dep in found.deps)
        found = next((t for t in sources if t.nbytes + t.workspace > limits[t.space]), None)
    return task if found is None or is_measured(found) else found


def check_results(metas: Iterable[Any], limit: float) -> None:
    """Refuse arrays that do not fit the memory of the host together.

    Parameters
    ----------
    metas : iterable of GridMeta
        What is known of them; sizes that depend on data are left out.
    limit : float
        Bytes.

    Raises
    ------
    MemoryBudgetError
        Says what to do instead.
    """
    metas = [meta for meta in metas if meta.known]
    total = sum(meta.projected_nbytes for meta in metas)
    if total > limit:
        written = " and ".join(dict.fromkeys(meta.written for meta in metas))
        raise MemoryBudgetError(
            f"the result would take {format_bytes(total)}, more than the memory limit of "
            f"{format_bytes(limit)}; write it to disk with {written}, reduce it first, "
            "or raise the limit with gpuscale.config.set({'memory-limit': ...})"
        )


def _may_exceed(tasks: Collection[Projected], limit: float) -> bool:
    """Whether some task could; looking at every input of very many takes longer than most runs."""
    inputs = max(map(len, map(attrgetter("deps"), tasks)), default=0)
    largest = max(map(attrgetter("nbytes"), tasks), default=0)
    workspace = max(map(attrgetter("workspace"), tasks), default=0)
    return inputs * largest + largest + workspace > limit


def _sure_bytes(graph: Mapping[Any, T], keys: Iterable[Any]) -> list[int]:
    """Bytes that some results take together in each space, as far as data do not decide it."""
    total = [0, 0]
    for task in (_source(graph, graph[key]) for key in keys):
        total[task.space] += 0 if is_measured(task) else task.nbytes
    return total


def _option(space: int) -> str:
    return LIMITS[space].replace(" ", "-")


def check_alone(task: Projected, limits: Sequence[float]) -> None:
    """Refuse a task that takes more than the limit whatever its inputs are.

    Raises
    ------
    MemoryBudgetError
        As of `check_fits`.
    """
    if not is_measured(task):
        _check(task, (0, 0), task.nbytes, task.workspace, limits)


def check_measured(
    task: Projected, inputs: Iterable[tuple[int, int]], limits: Sequence[float]
) -> None:
    """Refuse a task that is about to run where its inputs say that it takes more than the limit.

    Parameters
    ----------
    task : Projected
        Its function has a method ``needs``.
    inputs : iterable of (int, int)
        Bytes of its inputs, and the space of each.
    limits : sequence of float
        Of each space.

    Raises
    ------
    MemoryBudgetError
        As of `check_fits`.
    """
    inputs = list(inputs)
    nbytes, workspace = measured_needs(task, [size for size, _ in inputs])
    read = [0, 0]
    for size, space in () if reads_regions(task) else inputs:
        read[space] += size
    _check(task, read, nbytes, workspace, limits)


MORE_PARTITIONS = "repartition into more partitions"
"""What to do about tasks of frames that are too large."""


def advice_of(function: Any, otherwise: str = "use smaller chunks") -> str:
    """What to do about tasks of a function that are too large.

    It, or what it is a method of, may have an ``advice`` that no other task has, or say what helps
    ``otherwise``, which is of its kind.

    Examples
    --------
    >>> advice_of(len)
    'use smaller chunks'
    """
    return _said(function, "advice") or _said(function, "otherwise") or otherwise


def _said(function: Any, name: str) -> str:
    owners = function, getattr(function, "__self__", None)
    return next(filter(None, (getattr(owner, name, "") for owner in owners)), "")


def operation_of(task: Any) -> str:
    """Name what a task is for, in messages: views and writes are of something.

    Examples
    --------
    >>> from gpuscale.graph.task import Task
    >>> operation_of(Task("x", len, label="len"))
    'len'
    """
    owner = getattr(task.fn, "__self__", task.fn)  # of a method: the node that it is of
    label: str = getattr(owner, "operation", task.label)
    return label


def _check(
    task: Projected, inputs: Sequence[int], nbytes: int, workspace: int, limits: Sequence[float]
) -> None:
    for space, limit in enumerate(limits):
        result, room = (nbytes, workspace) if space == task.space else (0, 0)
        needed = inputs[space] + result + room
        if needed <= limit:
            continue
        label = operation_of(task)
        name = f"a task of {label}" if label else f"the task {task.key!r}"
        advice = advice_of(task.fn)
        where = f"{written_at(task.origin)}{',' * bool(task.origin)}"
        raise MemoryBudgetError(
            f"{name}{where} needs {format_bytes(needed)} at once{('', ' on the device')[space]}: "
            f"{format_bytes(inputs[space])} of inputs, {format_bytes(result)} of result and "
            f"{format_bytes(room)} to work in, but {_whose(space)} is {format_bytes(limit)}; "
            f"{advice}, or {_remedy(space)}"
        )


def _whose(space: int) -> str:
    """Name the limit of a task."""
    of_workers = space == HOST and is_for_workers()
    return "what the smallest worker has for tasks" if of_workers else f"the {LIMITS[space]}"


def _remedy(space: int) -> str:
    """What allows larger tasks."""
    of_workers = space == HOST and is_for_workers()
    return "give workers more memory" if of_workers else f"raise the option {_option(space)}"
