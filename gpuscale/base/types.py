"""Words that every floor uses: sizes that may be unknown, shapes, chunks, keys, paths."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeGuard

import numpy as np

from gpuscale.base.errors import UnknownSizeError

__all__ = [
    "BlockIndex",
    "Chunks",
    "Key",
    "PathLike",
    "Shape",
    "Size",
    "Unknown",
    "is_known",
    "same_dtype",
]

_INTEGERS = {np.dtype(name): np.dtype(name) for name in ("i4", "u4", "i8", "u8")}


@dataclass(frozen=True, slots=True)
class Unknown:
    """One size that depends on data, such as the length of ``x[x > 0]``.

    Two axes are aligned exactly when their unknown sizes are equal, so a size carries the
    identity of the expression that will decide it. Arithmetic on it raises, because a wrong
    shape is worse than none: `Array.compute_chunk_sizes` turns it into an integer.

    Parameters
    ----------
    token : str
        Identity of the expression and axis that decides the size.
    block : int
        Block number along that axis; -1 stands for the length of the whole axis.

    Examples
    --------
    >>> Unknown("nonzero-1", 0) == Unknown("nonzero-1", 0)
    True
    >>> Unknown("nonzero-1", 0) == Unknown("nonzero-1", 1)
    False
    """

    token: str
    block: int

    def __gpuscale_steady__(self, known: Mapping[Any, str]) -> tuple[str, int]:
        return "unknown", self.block  # the expression that decides it is known anyway

    def __repr__(self) -> str:
        return "?"

    def _refuse(self, *_: Any) -> NoReturn:
        raise UnknownSizeError(
            "this operation needs a size that depends on data and is not computed yet; "
            "call x.compute_chunk_sizes() first"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = __mod__ = __neg__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __index__ = __bool__ = _refuse


Size = int | Unknown
Shape = tuple[Size, ...]
Chunks = tuple[tuple[Size, ...], ...]
PathLike = str | os.PathLike[str]
Key = str | tuple[Any, ...]
BlockIndex = tuple[int, ...]


def is_known(sizes: Iterable[Any]) -> TypeGuard[tuple[int, ...]]:
    """Say whether a shape, the sizes of one axis, or whole chunks hold no `Unknown`.

    Examples
    --------
    >>> is_known((3, 4)), is_known(((2, 2), (Unknown("t", 0),)))
    (True, False)
    """
    sizes = tuple(sizes)
    kinds = set(map(type, sizes))  # quick for axes of a million blocks
    if Unknown in kinds:
        return False
    return tuple not in kinds or all(is_known(each) for each in sizes if isinstance(each, tuple))


def same_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the one dtype that stands for all that equal it.

    NumPy has two integers of 64 bits, ``long`` and ``longlong``. They are equal, so a cache takes
    them for one, but they are shown differently: without this, what is shown of an array would
    depend on what was computed before it.

    Examples
    --------
    >>> same_dtype(np.dtype("longlong")).char == np.dtype("int64").char
    True
    """
    return _INTEGERS.get(dtype, dtype)
