"""What is a mask on every target."""

from typing import Any

__all__ = ["check_mask"]


def check_mask(mask: Any, values: Any = None) -> None:
    """Refuse what is no mask, or does not fit the elements that it chooses from.

    Raises
    ------
    TypeError
        If the mask is not of bool.
    ValueError
        If it has not the shape of the elements, or not one dimension.
    """
    if mask.dtype != bool:
        raise TypeError(f"a mask is bool, not {mask.dtype}: use astype(bool)")
    if mask.ndim != 1:
        raise ValueError(f"a mask has one dimension, not {mask.ndim}: use ravel")
    if values is not None and values.shape != mask.shape:
        raise ValueError(f"a mask of {mask.shape} does not fit elements of {values.shape}")
