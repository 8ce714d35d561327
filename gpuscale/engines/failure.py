"""What becomes of the exception of a task: a note of which task and line, and a `Failure`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from gpuscale.base.brief import brief, brief_call
from gpuscale.base.errors import TaskTimeoutError, add_note
from gpuscale.base.types import Key
from gpuscale.graph.packing import PackedCall, Slot
from gpuscale.graph.task import Task
from gpuscale.memory.projection import operation_of

__all__ = [
    "Failure",
    "annotate",
    "forget_traceback",
    "leave_engine_out",
    "task_name",
    "too_late",
    "traceback_of",
]

# The first part of a block's key: a name, the token of a node, and a step inside the node.
_NAME = re.compile(r"(.*)-[0-9a-f]{16}(?:-([\w-]+))?", re.DOTALL)
# The key of a call that the user gave no name.
_GENERATED = re.compile(r".*-(?:[0-9a-f]{8}-\d+|[0-9a-f]{16,})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in the place of a result that there is not, with ``on_error="continue"``.

    Parameters
    ----------
    key : Key
        Of the task that failed, which what was asked for is, or needs.
    error : Exception
        What it raised, with a note that says in which operation and line.
    name : str
        What the task does, for people.

    Examples
    --------
    >>> import gpuscale as gs
    >>> bad, good = gs.delayed(int)("no"), gs.delayed(int)("7")
    >>> gs.compute(good, bad + 1, on_error="continue")
    (7, <Failure of int: ValueError("invalid literal for int() with base 10: 'no'")>)
    """

    key: Key
    error: Exception
    name: str = ""

    def __repr__(self) -> str:
        return f"<Failure of {self.name or brief(self.key)}: {self.error!r}>"


def too_late(task: Task, seconds: float) -> TaskTimeoutError:
    """Make the error of a task that takes longer than it may.

    Examples
    --------
    >>> too_late(Task("x", int, label="load"), 2)
    TaskTimeoutError("task load ('x') took longer than its timeout of 2 s; it is left to itself")
    """
    return TaskTimeoutError(
        f"task {task_name(task)} took longer than its timeout of {seconds:g} s; "
        "it is left to itself"
    )


def task_name(task: Task) -> str:
    """Name a task in messages: what it does, then the user's name of it, or which block it makes.

    Examples
    --------
    >>> for key in ("abs-1f2e3d4c-0", "mine", ("abs-0123456789abcdef", 0, 1)):
    ...     print(task_name(Task(key, abs, label="abs")))
    abs
    abs ('mine')
    abs, chunk (0, 1)
    """
    block = _block_of(task)
    if block is not None:
        return f"{operation_of(task) or block[0]}, chunk {block[1]}"
    return _named(task) or brief(task.key)


def annotate(error: BaseException, task: Task, inputs: Sequence[Any]) -> None:
    """Add a note with the task's label and origin, and the block or the call that failed.

    Examples
    --------
    >>> import numpy as np
    >>> error, key = ZeroDivisionError("no"), ("abs-0123456789abcdef", 0, 1)
    >>> annotate(error, Task(key, abs, label="abs", origin=("a.py", 7)), [np.ones((2, 3))])
    >>> print(error.__notes__[0])
    in operation abs, written at a.py:7
      chunk: (0, 1)
      shapes: (2, 3)
      bytes: 48 B
    >>> task = Task("abs-1f2e3d4c-0", abs, ("x-1f2e3d4c-1",), label="abs", origin=("a.py", 7))
    >>> annotate(error, task, ["text"])
    >>> print(error.__notes__[1])
    in operation abs, written at a.py:7
      call: abs('text')
    """
    block = _block_of(task)
    if block is None:
        add_note(
            error,
            operation=_named(task),
            origin=task.origin,
            call=_call(task, inputs),
            nbytes=sum(each.nbytes for each in inputs if isinstance(each, np.ndarray)) or None,
        )
        return
    shapes = [each.shape for each in inputs if isinstance(getattr(each, "shape", None), tuple)]
    sizes = [getattr(each, "nbytes", None) for each in inputs]
    add_note(
        error,
        operation=operation_of(task) or None,
        origin=task.origin,
        chunk=block[1],
        shapes=shapes or None,
        nbytes=sum(size for size in sizes if isinstance(size, int)) or None,
    )


def _block_of(task: Task) -> tuple[str, str] | None:
    """Return the operation and the index of the block that a task makes, None if it makes none."""
    if not isinstance(task.key, tuple) or not task.key:
        return None
    found = _NAME.fullmatch(str(task.key[0]))
    if found is None:
        return None
    index = str(task.key[1:])
    return found[1], index if found[2] is None else f"{index} of step {found[2]}"


def _named(task: Task) -> str | None:
    """Name what a call is, by the user's name of it if there is one."""
    is_generated = isinstance(task.key, str) and _GENERATED.fullmatch(task.key)
    if is_generated or str(task.key) == task.label:
        return task.label or None
    return f"{task.label} ({brief(task.key)})" if task.label else brief(task.key)


def _call(task: Task, inputs: Sequence[Any]) -> str:
    """Write the call of a task in few characters.

    Examples
    --------
    >>> _call(Task("x", max, ("a", "b"), (3,)), [1, 2])
    'max(1, 2, 3)'
    """
    call = task.fn
    if not isinstance(call, PackedCall):
        call = PackedCall(call, (*inputs, *task.args), {})
    function = call.function
    name: str = getattr(function, "__name__", None) or type(function).__name__
    if task.label and name.startswith(("_", "<")):
        name = task.label

    def filled(each: Any) -> Any:
        return inputs[each.number] if type(each) is Slot else each

    return brief_call(name, call.args, call.kwargs, filled)


_ENGINES = os.path.dirname(__file__)
# Not through the exception, whose class may refuse attributes.
_TRACEBACK: Any = BaseException.__dict__["__traceback__"]


def traceback_of(error: BaseException) -> TracebackType | None:
    """Return the traceback of an exception."""
    traceback: TracebackType | None = _TRACEBACK.__get__(error)
    return traceback


def leave_engine_out(error: BaseException) -> None:
    """Leave the engine's own frames out of a traceback: they hold what its worker holds."""
    traceback = traceback_of(error)
    while traceback is not None and traceback.tb_next is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_ENGINES):
            break
        traceback = traceback.tb_next
    _TRACEBACK.__set__(error, traceback)


def forget_traceback(error: BaseException) -> None:
    """Let go of all that the frames of a traceback hold."""
    _TRACEBACK.__set__(error, None)
