"""What an engine writes on the exception of a task: which task, and which line made it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gpuscale.base.errors import add_note
from gpuscale.graph.task import Task

__all__ = ["annotate"]


def annotate(error: BaseException, task: Task, inputs: Sequence[Any]) -> None:
    """Add a note with the task's label, key and origin and its inputs' shapes and bytes.

    Examples
    --------
    >>> import numpy as np
    >>> error = ZeroDivisionError("no")
    >>> annotate(error, Task(("x", 0), abs, label="abs", origin=("a.py", 7)), [np.ones((2, 3))])
    >>> print(error.__notes__[0])
    in operation abs, written at a.py:7
      chunk: ('x', 0)
      shapes: (2, 3)
      bytes: 48 B
    """
    shapes = [each.shape for each in inputs if isinstance(getattr(each, "shape", None), tuple)]
    sizes = [getattr(each, "nbytes", None) for each in inputs]
    add_note(
        error,
        operation=task.label or None,
        origin=task.origin,
        chunk=task.key,
        shapes=shapes or None,
        nbytes=sum(size for size in sizes if isinstance(size, int)) if inputs else None,
    )
