"""A task: one call of one Python function on results of other tasks."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, TypeAlias

from gpuscale.base.errors import GraphError
from gpuscale.base.types import Key
from gpuscale.graph.options import TaskOptions

__all__ = [
    "Graph",
    "GraphError",
    "Origin",
    "Task",
    "check_dependencies",
    "find_cycle",
    "toposort",
    "validate",
]

Origin: TypeAlias = tuple[str, int]


class Task:
    """One call of one function: ``fn(*[results[d] for d in deps], *args)``.

    A plain class with slots, since a graph may hold a million of them: creating one takes well
    under a microsecond and nothing is checked here. `validate` checks a whole graph.

    Parameters
    ----------
    key : Key
        Name of the result: ``(name, *block index)`` or a string.
    fn : callable
        Called with the results of `deps`, then `args`.
    deps : tuple of Key
        Tasks whose results are the first arguments; one may be listed twice.
    args : tuple
        Further arguments, passed as they are.
    nbytes : int
        Projected bytes that the result keeps alive; 0 for views of memory that is counted
        elsewhere.
    workspace : int
        Projected bytes needed while the task runs, besides inputs and result.
    priority : int
        The user's wish: tasks of larger priority, and what they need, run earlier.
    label : str
        Short human name of the expression, such as ``"add+sum"``.
    origin : (str, int) or None
        File and line of the user's code that made the expression.
    options : TaskOptions or None
        Retries, a timeout and scarce resources, where the user asked for them.
    space : int
        Where result and workspace lie, as far as is known before (`gpuscale.memory.spaces`).

    Examples
    --------
    >>> task = Task(("add", 0), lambda x, y: x + y, deps=(("x", 0),), args=(1,), label="add")
    >>> task
    Task(('add', 0), <lambda>, deps=(('x', 0),), label='add')
    """

    __slots__ = (
        "args",
        "deps",
        "fn",
        "key",
        "label",
        "nbytes",
        "options",
        "origin",
        "priority",
        "space",
        "workspace",
    )

    def __init__(
        self,
        key: Key,
        fn: Callable[..., Any],
        deps: tuple[Key, ...] = (),
        args: tuple[Any, ...] = (),
        nbytes: int = 0,
        workspace: int = 0,
        priority: int = 0,
        label: str = "",
        origin: Origin | None = None,
        options: TaskOptions | None = None,
        space: int = 0,
    ) -> None:
        self.key = key
        self.fn = fn
        self.deps = deps
        self.args = args
        self.nbytes = nbytes
        self.workspace = workspace
        self.priority = priority
        self.label = label
        self.origin = origin
        self.options = options
        self.space = space

    def __repr__(self) -> str:
        name = getattr(self.fn, "__name__", None) or type(self.fn).__name__
        return f"Task({self.key!r}, {name}, deps={self.deps!r}, label={self.label!r})"


Graph: TypeAlias = dict[Key, Task]


def validate(graph: Mapping[Key, Task], keys: Iterable[Key] = ()) -> None:
    """Check that every task and every requested key can be computed.

    Raises
    ------
    GraphError
        A key or a dependency is not in the graph, a task is stored under another key than its
        own, a size is negative, or tasks need each other in a circle, which the message shows.

    Examples
    --------
    >>> validate({"x": Task("x", int)}, ["x"])
    >>> validate({"x": Task("x", abs, deps=("y",))})
    Traceback (most recent call last):
    ...
    gpuscale.base.errors.GraphError: task 'x' needs 'y', which is not in the graph
    """
    for key in keys:
        if key not in graph:
            raise GraphError(f"the requested key {key!r} is not in the graph")
    for key, task in graph.items():
        if task.key != key:
            raise GraphError(f"the task of {task.key!r} is stored under another key, {key!r}")
        if task.nbytes < 0 or task.workspace < 0:
            raise GraphError(
                f"task {key!r} has a negative size: nbytes={task.nbytes}, "
                f"workspace={task.workspace}"
            )
    check_dependencies(graph)
    toposort(graph)


def check_dependencies(graph: Mapping[Key, Task], known: Container[Key] = ()) -> None:
    """Check that everything a task needs is in the graph, or known otherwise.

    Raises
    ------
    GraphError
        A task needs a key that is not there.
    """
    for key, task in graph.items():
        for dep in task.deps:
            if dep not in graph and dep not in known:
                raise GraphError(f"task {key!r} needs {dep!r}, which is not in the graph")


_MOST_SHOWN = 10  # keys of a circle


def toposort(graph: Mapping[Key, Task]) -> list[Key]:
    """List the keys of a graph so that each comes after all it needs (Kahn's algorithm).

    Tasks that do not depend on each other stay in the order in which the graph holds them as far
    as possible. Dependencies outside the graph count as computed.

    Raises
    ------
    GraphError
        Tasks need each other in a circle; the message shows it.

    Examples
    --------
    >>> toposort({"y": Task("y", abs, deps=("x",)), "x": Task("x", int)})
    ['x', 'y']
    """
    users: dict[Key, list[Key]] = {}
    waiting: dict[Key, int] = {}
    for key, task in graph.items():
        needed = {dep for dep in task.deps if dep in graph}
        waiting[key] = len(needed)
        for dep in needed:
            users.setdefault(dep, []).append(key)
    done = [key for key, count in waiting.items() if count == 0]
    for key in done:
        for user in users.get(key, ()):
            waiting[user] -= 1
            if waiting[user] == 0:
                done.append(user)
    if len(done) < len(waiting):
        circle = find_cycle(graph, [key for key, count in waiting.items() if count])
        shown = [repr(key) for key in circle]
        if len(shown) > _MOST_SHOWN:
            left_out = len(shown) - _MOST_SHOWN
            half = _MOST_SHOWN // 2
            shown[half:-half] = [f"... ({left_out} more)"]
        path = " -> ".join(shown)
        raise GraphError(f"tasks need each other in a circle, so none of them can run: {path}")
    return done


def find_cycle(graph: Mapping[Key, Task], stuck: Iterable[Key]) -> list[Key]:
    """Walk from one stuck task to a stuck task it needs until one comes again.

    Parameters
    ----------
    graph : mapping of Key to Task
    stuck : iterable of Key
        Tasks that each need at least one other of them.

    Returns
    -------
    list of Key
        A circle; the first key is repeated at the end.

    Examples
    --------
    >>> find_cycle({"x": Task("x", abs, ("y",)), "y": Task("y", abs, ("x",))}, ["x", "y"])
    ['x', 'y', 'x']
    """
    remaining = dict.fromkeys(stuck)
    key = next(iter(remaining))
    walked: dict[Key, int] = {}
    while key not in walked:
        walked[key] = len(walked)
        key = next(dep for dep in graph[key].deps if dep in remaining)
    return [*list(walked)[walked[key] :], key]
