"""What rows must fulfil to select from them, on every target."""

from typing import Any

__all__ = ["check_rows"]


def check_rows(values: Any, k: int) -> None:
    """Refuse what has no best elements.

    Raises
    ------
    ValueError
        If rows have fewer than `k` elements, or too many.
    TypeError
        If elements are no integers and no floats.
    """
    length = values.shape[-1]
    if not 0 <= k <= length:
        raise ValueError(f"there are no {k} best of {length} elements")
    if length >= 2**31:
        raise ValueError(f"a row of {length} elements is too long to select from: cut it")
    if values.dtype.kind not in "iuf":
        raise TypeError(f"the best are chosen of integers and floats, not {values.dtype}")
