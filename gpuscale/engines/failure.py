"""What becomes of the exception of a task: a note of which task and line, and a `Failure`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from gpuscale.base.errors import TaskTimeoutError, add_note
from gpuscale.base.types import Key
from gpuscale.graph.task import Task

__all__ = ["Failure", "annotate", "of_task", "too_late"]

# The first part of a block's key: a name, the token of a node, and a step inside the node.
_NAME = re.compile(r".*-[0-9a-f]{16}(?:-([\w-]+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Failure:
    """What stands in the place of a result that there is not, with ``on_error="continue"``.

    Parameters
    ----------
    key : Key
        Of the task that failed, which what was asked for is, or needs.
    error : Exception
        What it raised, with a note that says in which operation and line.

    Examples
    --------
    >>> import gpuscale as gs
    >>> bad, good = gs.delayed(int)("no"), gs.delayed(int)("7")
    >>> gs.compute(good, bad + 1, on_error="continue")
    (7, Failure('int-...', ValueError("invalid literal for int() with base 10: 'no'")))
    """

    key: Key
    error: Exception

    def __repr__(self) -> str:
        return f"Failure({self.key!r}, {self.error!r})"


def too_late(task: Task, seconds: float) -> TaskTimeoutError:
    """Make the error of a task that takes longer than it may.

    Examples
    --------
    >>> too_late(Task("x", int, label="load"), 2)
    TaskTimeoutError("task 'x' (load) took longer than its timeout of 2 s; it is left to itself")
    """
    label = f" ({task.label})" if task.label else ""
    return TaskTimeoutError(
        f"task {task.key!r}{label} took longer than its timeout of {seconds:g} s; it is left to "
        "itself"
    )


def annotate(error: BaseException, task: Task, inputs: Sequence[Any]) -> None:
    """Add a note with the task's label, block and origin and its inputs' shapes and bytes.

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
    """
    shapes = [each.shape for each in inputs if isinstance(getattr(each, "shape", None), tuple)]
    sizes = [getattr(each, "nbytes", None) for each in inputs]
    add_note(
        error,
        operation=task.label or None,
        origin=task.origin,
        chunk=_block_of(task.key),
        shapes=shapes or None,
        nbytes=sum(size for size in sizes if isinstance(size, int)) if inputs else None,
    )


def _block_of(key: Key) -> Any:
    """Return the index of a block; keys that users gave to their tasks stay as they are.

    Examples
    --------
    >>> _block_of(("add-0123456789abcdef", 3, 2)), _block_of(("x", 0)), _block_of("x")
    ((3, 2), ('x', 0), 'x')
    >>> _block_of(("sum-0123456789abcdef-0", 3, 2))
    '(3, 2) of step 0'
    """
    found = _NAME.fullmatch(str(key[0])) if isinstance(key, tuple) and key else None
    if found is None:
        return key
    index, step = key[1:], found[1]
    return index if step is None else f"{index} of step {step}"


_ENGINES = os.path.dirname(__file__)


def of_task(traceback: TracebackType | None) -> TracebackType | None:
    """Leave the engine's own frames out of a traceback: they hold what its worker holds."""
    while traceback is not None and traceback.tb_next is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_ENGINES):
            break
        traceback = traceback.tb_next
    return traceback
