"""What an engine writes on the exception of a task: which task, and which line made it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gpuscale.base.errors import add_note
from gpuscale.base.types import Key
from gpuscale.graph.task import Task

__all__ = ["annotate"]

# The first part of a block's key: a name, the token of a node, and a step inside the node.
_NAME = re.compile(r".*-[0-9a-f]{16}(?:-([\w-]+))?", re.DOTALL)


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
