"""Stencils by NumPy: shifted views of the padded grid, added one after the other."""

from itertools import product
from typing import Any

import numpy as np

from .boundaries import check_stencil

__all__ = ["stencil"]

# Names of these boundaries in `np.pad`; nothing beyond the edge adds nothing, as zeros do.
_PADDING = {
    "none": "constant",
    "periodic": "wrap",
    "reflect": "symmetric",
    "nearest": "edge",
    "constant": "constant",
}


def stencil(values: Any, weights: Any, boundary: str = "none", constant: float = 0.0) -> Any:
    """Return weighted sums over neighbourhoods; see `stencil_cuda.stencil`.

    Examples
    --------
    >>> stencil(np.ones((2, 3)), np.ones((3, 3)))
    array([[4., 6., 4.],
           [4., 6., 4.]])
    """
    check_stencil(values, weights, boundary)
    out = np.zeros_like(values, order="C")
    if not values.size:
        return out
    margins = [(size // 2, size // 2) for size in weights.shape]
    beyond = {"constant_values": constant} if boundary == "constant" else {}
    padded = np.pad(values, margins, _PADDING[boundary], **beyond)  # type: ignore[call-overload]
    for place in product(*map(range, weights.shape)):
        weight = values.dtype.type(weights[place])
        if weight != 0:
            window = zip(place, values.shape, strict=True)
            out += weight * padded[tuple(slice(first, first + n) for first, n in window)]
    return out
