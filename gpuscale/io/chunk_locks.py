"""Locks of stored chunks, for those that several writers of one process fill together.

Writing a part of a stored chunk means reading it, changing it and writing it whole, so two writers
at once lose what one of them wrote. One run cuts its pieces so that this never happens; but a user
may start several runs, or write several regions of one array in one run.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from itertools import product
from typing import Any

from gpuscale.base.blocks import block

__all__ = ["hold_chunks", "storage_name"]

# A fixed number of locks for all chunks of all arrays: some share one, which is only slower.
_LOCKS = tuple(threading.Lock() for _ in range(64))


def storage_name(array: Any) -> str:
    """Return a name that all handles of one stored array share.

    Examples
    --------
    >>> class Store: root = "data"
    >>> class Stored: store, path = Store(), "group/x"
    >>> storage_name(Stored()) == os.path.realpath("data/group/x")
    True
    """
    store, path = getattr(array, "store", None), getattr(array, "path", None)
    if store is None or not isinstance(path, str):
        return f"{type(array).__name__} {id(array)}"
    root = getattr(store, "root", None)
    if isinstance(root, str | os.PathLike):
        return os.path.realpath(os.path.join(root, path))
    return f"{store}/{path}"


@block
def hold_chunks(
    name: str, selected: Sequence[range], shape: Sequence[int], stored: Sequence[int]
) -> Generator[None, None, None]:
    """Keep other writers of this process away from the stored chunks that a piece fills in part.

    Parameters
    ----------
    name : str
        Of the stored array.
    selected : sequence of range
        Positions of the piece along each axis, ascending.
    shape, stored : sequence of int
        Shapes of the array and of its stored chunks.
    """
    numbers = _shared_chunks(name, selected, shape, stored)
    with ExitStack() as stack:
        for number in sorted(numbers):  # all in one order, so that nobody waits in a circle
            stack.enter_context(_LOCKS[number])
        yield


def _shared_chunks(
    name: str, selected: Sequence[range], shape: Sequence[int], stored: Sequence[int]
) -> set[int]:
    """Return the numbers of the locks of a piece; one of whole chunks needs none."""
    axes = list(zip(selected, shape, stored, strict=True))
    if not all(map(len, selected)) or all(_is_whole(*axis) for axis in axes):
        return set()
    touched = [range(each[0] // size, each[-1] // size + 1) for each, _, size in axes]
    if math.prod(map(len, touched)) >= len(_LOCKS):
        return set(range(len(_LOCKS)))
    return {hash((name, number)) % len(_LOCKS) for number in product(*touched)}


def _is_whole(selected: range, length: int, size: int) -> bool:
    ends = selected.stop % size == 0 or selected.stop == length
    return selected.step == 1 and selected.start % size == 0 and ends
