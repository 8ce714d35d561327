"""What a scan combines with, and into how many segments it cuts a line."""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["OPERATIONS", "Cut", "cut", "neutral", "split_shape"]

OPERATIONS = ("add", "multiply", "minimum", "maximum")

_JOBS = 2048  # segments in all that keep a large GPU busy


def neutral(operation: str, dtype: Any, exclusive: bool = False) -> Any:
    """Return the element that changes nothing, which exclusive scans begin with.

    Examples
    --------
    >>> neutral("minimum", np.int8), neutral("maximum", np.float64)
    (np.int8(127), np.float64(-inf))

    Sums of negative zeros are negative zeros, which only a negative zero leaves alone:

    >>> neutral("add", np.float64), neutral("add", np.float64, exclusive=True)
    (np.float64(-0.0), np.float64(0.0))

    Raises
    ------
    ValueError
        If there is no such operation.
    TypeError
        If the dtype is no integer and no float.
    """
    dtype = np.dtype(dtype)
    if operation not in OPERATIONS:
        raise ValueError(f"a scan takes one of {', '.join(OPERATIONS)}, not {operation!r}")
    if dtype.kind not in "iuf":
        raise TypeError(f"a scan takes integers and floats, not {dtype}: use astype")
    if operation in ("add", "multiply"):
        zero = -0.0 if dtype.kind == "f" and not exclusive else 0
        return dtype.type(1 if operation == "multiply" else zero)
    if dtype.kind == "f":
        return dtype.type(np.inf if operation == "minimum" else -np.inf)
    limits = np.iinfo(dtype)
    return dtype.type(limits.max if operation == "minimum" else limits.min)


def split_shape(shape: tuple[int, ...], axis: int) -> tuple[int, int, int]:
    """Return how many elements lie before, along and after an axis of a C-contiguous array.

    Examples
    --------
    >>> split_shape((2, 3, 4, 5), -2)
    (6, 4, 5)

    Raises
    ------
    ValueError
        If there is no such axis.
    """
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis {axis} is out of bounds for an array of {len(shape)} dimensions")
    axis %= len(shape)
    outer, inner = 1, 1
    for size in shape[:axis]:
        outer *= size
    for size in shape[axis + 1 :]:
        inner *= size
    return outer, shape[axis], inner


class Cut(NamedTuple):
    """Lines of `length` in `segments` of `size`, the last one shorter."""

    segments: int
    size: int


def cut(lines: int, length: int, least: int) -> Cut:
    """Cut each line so that the segments of all lines keep a GPU busy.

    It depends on the shape alone, and so do the bits of the result.

    Parameters
    ----------
    lines, length : int
        Number of lines, elements of each.
    least : int
        Elements that a segment has at least, but for the last of a line.

    Examples
    --------
    >>> cut(1, 10_000_000, 1024), cut(5000, 10_000, 1024), cut(1, 10, 1024)
    (Cut(segments=2048, size=4883), Cut(segments=1, size=10000), Cut(segments=1, size=10))
    """
    wanted = max(1, min(-(-_JOBS // max(1, lines)), length // least))
    size = max(1, -(-length // wanted))
    return Cut(max(1, -(-length // size)), size)
