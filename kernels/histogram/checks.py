"""What can be counted on every target."""

from typing import Any

__all__ = ["check_counted"]


def check_counted(values: Any, weights: Any) -> None:
    """Refuse what is in no bin, and weights that do not belong to it.

    Raises
    ------
    TypeError
        If values or weights are no integers and no floats.
    ValueError
        If they have not one dimension and the same length.
    """
    for array in (values,) if weights is None else (values, weights):
        if array.dtype.kind not in "iuf":
            raise TypeError(f"bins are of integers and floats, not {array.dtype}: use astype")
        if array.ndim != 1:
            raise ValueError(f"bins count one dimension, not {array.ndim}: use ravel")
    if weights is not None and weights.size != values.size:
        raise ValueError(f"{weights.size} weights do not belong to {values.size} values")
