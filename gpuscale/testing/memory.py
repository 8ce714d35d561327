"""Whether tasks take no more memory than was projected."""

from __future__ import annotations

import tracemalloc
from typing import Any

from gpuscale.run import compute, graph_of

__all__ = ["assert_room_is_enough"]


def assert_room_is_enough(*collections: Any) -> None:
    """Run all tasks one by one and compare what NumPy allocates with what they were projected.

    Raises
    ------
    AssertionError
        Names the task and the bytes.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> assert_room_is_enough(ga.linalg.inv(ga.eye(50)))
    """
    compute(*collections)  # what is loaded and compiled at the first time is no matter here
    results: dict[Any, Any] = {}
    tasks = graph_of(*collections)
    waiting = list(tasks)
    while waiting:
        key = waiting.pop(0)
        task = tasks[key]
        if any(dep not in results for dep in task.deps):
            waiting.append(key)
            continue
        inputs = [results[dep] for dep in task.deps]
        tracemalloc.start()
        try:
            results[key] = task.fn(*inputs, *task.args)
            taken = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        projected = task.nbytes + task.workspace + _OVERHEAD
        assert taken <= projected, f"{task.label} took {taken} bytes, not {projected}"


_OVERHEAD = 20_000  # objects of Python and caches
