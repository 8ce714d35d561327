"""What is a matrix on every target."""

from typing import Any

from ..device import word_of

__all__ = ["check_matrices"]


def check_matrices(values: Any) -> Any:
    """Return the dtype to move the elements of matrices in.

    Raises
    ------
    ValueError
        If there are fewer than two dimensions.
    TypeError
        If elements are no numbers of 1, 2, 4, 8 or 16 bytes.
    """
    if values.ndim < 2:
        raise ValueError(f"an array of {values.ndim} dimensions has no two axes to exchange")
    return word_of(values.dtype)
