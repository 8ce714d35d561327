"""``ufunc.at`` for libraries that have it of few functions and dtypes, and in no fixed order."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuscale.backends.folding import reduceat_pairwise
from gpuscale.base.errors import NotSupportedError

__all__ = ["update_in_turn"]

# Functions by which operands are joined before the element takes them all at once.
_JOINED_BY = {"add": "add", "subtract": "add"} | {
    name: name
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "fmax", "fmin", "maximum", "minimum")
}


def update_in_turn(
    xp: ModuleType, array: Any, name: str, index: tuple[NDArray[Any], ...], *operand: Any
) -> None:
    """Apply a ufunc in place to elements that an index may name more than once.

    Operands of a sum, a maximum or bits are joined pairwise first. Other functions take one turn
    for each time that the element named most often is named.

    Parameters
    ----------
    xp : module
        Namespace of the array.
    array : array
    name : str
    index : tuple of array of int
        Places on the first axes, in the host's memory; equal ones lie side by side.
    *operand : array
        Of a ufunc of two operands the second, of the shape of ``array[index]``.

    Raises
    ------
    NotSupportedError
        If the library has no function of that name.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 30.0])
    >>> update_in_turn(np, x, "divide", (np.array([0, 2, 2]),), np.array([2, 3, 5]))
    >>> x.tolist()
    [0.5, 2.0, 2.0]
    """
    starts = _starts(index)
    if operand and starts.size < index[0].size and _are_joined(name, array.dtype, operand[0].dtype):
        joined = reduceat_pairwise(xp, operand[0], _JOINED_BY[name], starts, 0, array.dtype)
        _apply(xp, array, name, tuple(each[starts] for each in index), joined)
        return
    lengths = np.diff(starts, append=index[0].size)
    turn = np.arange(index[0].size) - np.repeat(starts, lengths)
    order = np.argsort(turn, kind="stable")
    ends = np.cumsum(np.bincount(turn)).tolist()
    for begin, end in zip([0, *ends], ends, strict=False):
        now = order[begin:end]
        values = (each[xp.asarray(now)] for each in operand)
        _apply(xp, array, name, tuple(each[now] for each in index), *values)


def _starts(index: tuple[NDArray[Any], ...]) -> NDArray[Any]:
    """Where places stand that differ from the one before."""
    differs = [each[1:] != each[:-1] for each in index]
    first = np.ones(index[0].size, dtype=bool)
    first[1:] = np.logical_or.reduce(differs)
    return np.flatnonzero(first)


def _are_joined(name: str, dtype: Any, given: Any) -> bool:
    """Whether operands of a dtype may be joined: in between, nothing is cast that loses digits."""
    return name in _JOINED_BY and np.can_cast(given, dtype)


def _apply(
    xp: ModuleType, array: Any, name: str, index: tuple[NDArray[Any], ...], *operand: Any
) -> None:
    places = tuple(map(xp.asarray, index))
    function = getattr(xp, name, None)
    if function is None:
        raise NotSupportedError(
            f"{name}.at is not supported on a device, as {xp.__name__} has no {name}; where no "
            f"element is named twice, write x[index] = {name}(x[index])"
        )
    made = function(array[places], *operand)
    array[places] = made.astype(array.dtype, copy=False)
