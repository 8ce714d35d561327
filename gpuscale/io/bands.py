"""Pieces that lie scattered over much of a mapped file: copied a band of it at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any

import numpy as np

from gpuscale.base.blocks import block

__all__ = ["copied_in_bands", "few_pages", "is_copied"]

#: Bytes of a file whose pages are held at a time.
BAND = 16 << 20
#: Bytes of the file for each byte of a piece from which on a copy holds less than a view.
SCATTERED = 2

_few_pages: ContextVar[bool] = ContextVar("gpuscale-few-pages", default=False)


@block
def few_pages() -> Generator[None, None, None]:
    """Hold few pages of mapped files: a piece that lies scattered over one is no view of it.

    A view of some columns touches every page of a file that is stored by rows. They count as
    memory of the process that holds them, and a cluster ends a worker that has too much of it.
    """
    token = _few_pages.set(True)
    try:
        yield
    finally:
        _few_pages.reset(token)


def is_copied(view: np.ndarray[Any, Any]) -> bool:
    """Whether a view of a file is to be copied: it lies scattered, and few pages are to be held.

    Examples
    --------
    >>> table = np.zeros((3000, 3000))
    >>> with few_pages():
    ...     is_copied(table[:, :10]), is_copied(table[:, :2000]), is_copied(table[:100, :10])
    (True, False, False)
    """
    return _few_pages.get() and _span(view) > max(BAND, SCATTERED * view.nbytes)


def copied_in_bands(
    view: np.ndarray[Any, Any], leave_pages: Callable[[], None]
) -> np.ndarray[Any, Any]:
    """Copy a view of a file, and let go of the pages after each band; as read-only as it was.

    Parameters
    ----------
    view : numpy.ndarray
    leave_pages : callable
        Lets go of what is held of the file.
    """
    copy = np.empty_like(view, subok=False)
    _copy(copy, view, leave_pages)
    copy.flags.writeable = view.flags.writeable
    return copy


def _copy(
    to: np.ndarray[Any, Any], view: np.ndarray[Any, Any], leave_pages: Callable[[], None]
) -> None:
    if _span(view) <= BAND:
        to[...] = view
        leave_pages()
        return
    # Along the axis of the longest steps, or inside of one of these.
    step, axis = max((abs(view.strides[i]), i) for i, n in enumerate(view.shape) if n > 1)
    n = view.shape[axis]
    most = max(1, min(BAND // step, n // 2))
    for start in range(0, n, most):
        part: Any = (*[slice(None)] * axis, slice(start, start + most))
        _copy(to[part], view[part], leave_pages)


def _span(view: np.ndarray[Any, Any]) -> int:
    """Bytes from the first element to the last one."""
    if not view.size:
        return 0
    steps = zip(view.shape, view.strides, strict=True)
    return view.itemsize + sum((n - 1) * abs(step) for n, step in steps)
