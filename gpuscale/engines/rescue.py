"""What is done when a device has no memory left for a task: free, write away, split, or say why.

1. Garbage is collected, pools give back what they hold for arrays to come, and the task is tried
   again.
2. Room is made (`gpuscale.engines.relief`), with another try each time: results leave that nobody
   uses now, other tasks end, chunks leave that persist keeps. What is larger than the whole memory
   of the device waits for none of that.
3. A task that is a program over a block runs over parts of the block (`gpuscale.expr.halving`).
4. A `DeviceMemoryError` says who holds what, and what to do.

Memory of the host is no matter of this: tasks are started by a budget of it.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gpuscale.backends.cupy_ops import requested_bytes
from gpuscale.backends.devices import IN_USE, free_blocks
from gpuscale.backends.seams import is_out_of_memory, nbytes, on_device
from gpuscale.base.errors import DeviceMemoryError, written_at
from gpuscale.base.sizes import format_bytes
from gpuscale.engines.failure import forget_traceback, task_name
from gpuscale.engines.spilling import SMALLEST
from gpuscale.graph.task import Task
from gpuscale.memory.projection import advice_of

__all__ = ["device_bytes", "holdings", "rescue"]

Function = Callable[..., Any]

MOST_ROWS = 8  # of the ledger
_LARGER = "use larger chunks, so that there are fewer small results (x.rechunk('1 MiB'))"
_SMALLER = "use smaller chunks (x.rechunk('64 MiB'), or the option array.chunk-size)"


def rescue(
    task: Task,
    attempt: Callable[[Function], Any],
    relieve: Callable[[int], bool],
    held: Callable[[], Iterable[tuple[Task, Any]]],
    error: BaseException,
) -> Any:
    """Run a task again for which a device had no memory.

    Parameters
    ----------
    task : Task
    attempt : callable
        ``attempt(function)`` calls a function with what the task's own gets.
    relieve : callable
        ``relieve(nbytes)`` makes room for about so many bytes; says whether there is more now.
    held : callable
        Lists the results that are held, with the tasks that made them.
    error : BaseException
        What the first attempt raised.

    Returns
    -------
    object
        The result of the task.

    Raises
    ------
    DeviceMemoryError
        If there is no way; it tells who holds what on the device.
    """
    forget_traceback(error)
    gc.collect()  # arrays in circles hold memory that the pool knows nothing of
    goes_on = not _never_fits(error)
    while goes_on:
        found, result, error = _tried(attempt, task.fn, error)
        if found:
            return result
        goes_on = not _never_fits(error) and relieve(_missing(error))
    in_parts = _in_parts(task.fn)
    if in_parts is not None:
        found, result, error = _tried(attempt, in_parts, error)
        if found:
            return result
    sizes = (device_bytes(value) for _, value in held())
    small = sum(size for size in sizes if size < SMALLEST)
    raise DeviceMemoryError(_message(task, error, holdings(held()), small, in_parts)) from error


def _tried(
    attempt: Callable[[Function], Any], function: Function, error: BaseException
) -> tuple[bool, Any, BaseException]:
    """Make what room there is and try once: whether it did, the result, or the error.

    Frames of failed calls hold their arrays, and so do the closures of functions that were called
    in them, which clearing frames leaves alone: so the traceback of the call before goes.
    """
    forget_traceback(error)
    free_blocks()
    try:
        return True, attempt(function), error
    except Exception as again:
        if not is_out_of_memory(again):
            raise
        again.__context__ = None  # what was raised before, which is forgotten
        return False, None, again


def _never_fits(error: BaseException) -> bool:
    """Whether more was asked for than a device has for this process."""
    size = requested_bytes(error)
    figures = [device.figures() for device in IN_USE.values()]
    most = [each.limit or each.total for each in figures]
    return bool(size) and any(n is not None and size > n for n in most)


def _missing(error: BaseException) -> int:
    """Bytes that have to go for what was asked for, as far as that is known; at least one."""
    figures = [device.figures() for device in IN_USE.values()]
    known = [(each.limit - each.used) if each.limit else each.free for each in figures]
    room = min((n for n in known if n is not None), default=0)
    return max(1, requested_bytes(error) - room)


def _in_parts(function: Function) -> Function | None:
    node = getattr(function, "__self__", None)
    if getattr(node, "runs_in_parts", False) and getattr(function, "__name__", "") == "run":
        found: Function = node.run_in_parts  # type: ignore[union-attr]
        return found
    return None


def device_bytes(value: Any) -> int:
    """Bytes that a result, or a container of arrays, holds on devices.

    Examples
    --------
    >>> import numpy as np
    >>> device_bytes([np.ones(3), "text"])
    0
    """
    if isinstance(value, tuple | list):
        return sum(map(device_bytes, value))
    return nbytes(value) if on_device(value) else 0


def holdings(held: Iterable[tuple[Task, Any]]) -> list[tuple[str, int, int]]:
    """Who holds what on devices: an operation with the user's line, results and bytes.

    The largest comes first.
    """
    numbers: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for task, value in held:
        size = device_bytes(value)
        if size:
            name = (task.label or task_name(task)) + written_at(task.origin)
            numbers[name] += 1
            sizes[name] += size
    return [(name, numbers[name], size) for name, size in sizes.most_common()]


def _message(
    task: Task,
    error: BaseException,
    rows: Sequence[tuple[str, int, int]],
    small: int,
    in_parts: Function | None,
) -> str:
    origin = f"{written_at(task.origin)}{',' * bool(task.origin)}"
    tried = ", and over parts of its block" if in_parts is not None else ""
    mostly_small = 2 * small > sum(size for _, _, size in rows)
    advice = advice_of(task.fn, _LARGER if mostly_small else _SMALLER)
    lines = [
        f"the device has no memory left for task {task_name(task)}{origin} which was expected to "
        f"take {format_bytes(task.nbytes)} of result and {format_bytes(task.workspace)} to work in "
        f"(tried again with what could be freed{tried}): {error}",
        *_figures(),
        *_ledger(rows),
        *_small(small),
        f"{advice}; or run fewer tasks at once (the option num-workers), and "
        "let go of what persist keeps",
    ]
    return "\n".join(lines)


def _small(nbytes: int) -> Iterable[str]:
    if nbytes:
        limit = format_bytes(SMALLEST)
        yield f"  {format_bytes(nbytes)} of these in results under {limit}, which do not leave it"


def _figures() -> Iterable[str]:
    for name, device in IN_USE.items():
        figures = device.figures()
        known = {
            "held by arrays": figures.used,
            "kept by the pool for others": figures.cached,
            "limit of the pool": figures.limit,
            "free on the device": figures.free,
        }
        words = [f"{format_bytes(n)} {what}" for what, n in known.items() if n is not None]
        yield f"  memory of {name}: {', '.join(words)}"


def _ledger(rows: Sequence[tuple[str, int, int]]) -> Iterable[str]:
    if not rows:
        yield "  no result of this run is held on the device"
    for name, number, size in rows[:MOST_ROWS]:
        yield f"  {format_bytes(size)} in {number} result{'s' * (number > 1)} of {name}"
    rest = sum(size for _, _, size in rows[MOST_ROWS:])
    if rest:
        yield f"  {format_bytes(rest)} in results of {len(rows) - MOST_ROWS} other operations"
    used = sum(device.figures().used for device in IN_USE.values())
    beside = used - sum(size for _, _, size in rows)
    if beside > 0:
        yield (
            f"  {format_bytes(beside)} beside these: what running tasks work with, what persist "
            "keeps, and arrays of the program"
        )
