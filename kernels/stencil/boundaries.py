"""What lies beyond the edges of a grid, and what a neighbourhood may be."""

from typing import Any

__all__ = ["BOUNDARIES", "check_stencil"]

# In the words of `map_overlap`.
BOUNDARIES = ("none", "periodic", "reflect", "nearest", "constant")


def check_stencil(values: Any, weights: Any, boundary: str) -> None:
    """Refuse what is no grid, no neighbourhood or no boundary.

    Raises
    ------
    ValueError
        If the grid has not two or three dimensions, the neighbourhood another number of them or an
        even size, or there is no such boundary.
    TypeError
        If the grid is not of float32 or float64.
    """
    if values.ndim not in (2, 3) or weights.ndim != values.ndim:
        raise ValueError(
            "a stencil takes a grid of two or three dimensions and as many of weights, not "
            f"{values.ndim} and {weights.ndim}"
        )
    if any(size % 2 == 0 for size in weights.shape):
        raise ValueError(f"weights have a middle: odd sizes, not {tuple(weights.shape)}")
    if boundary not in BOUNDARIES:
        raise ValueError(f"boundary {boundary!r} is none of {BOUNDARIES}")
    if values.dtype not in ("float32", "float64"):
        raise TypeError(f"a stencil takes float32 and float64, not {values.dtype}: use astype")
