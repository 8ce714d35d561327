"""Truth values as bits of bytes, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuscale.array.api.creation import zeros
from gpuscale.array.api.functional import map_blocks
from gpuscale.array.api.joining import concatenate
from gpuscale.array.api.reshaping import along_axis
from gpuscale.array.collection import Array
from gpuscale.backends.seams import array_namespace
from gpuscale.chunks.axes import at_axis

__all__ = ["packbits", "unpackbits"]


def packbits(a: Any, /, axis: int | None = None, bitorder: str = "big") -> Array:
    """Pack truth values, eight in a byte, along an axis.

    Parameters
    ----------
    a : array of bool or int
    axis : int, optional
        Flattened by default.
    bitorder : {"big", "little"}
        Whether the first of eight becomes the highest bit, or the lowest.

    Raises
    ------
    TypeError
        If the elements are no integers.
    ValueError
        If there is no such order.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.packbits([1, 0, 1]).compute()
    array([160], dtype=uint8)
    """
    x, axis = _prepared(a, axis, bitorder)
    if x.dtype.kind not in "biu":
        raise TypeError("Expected an input array of integer or boolean data type")
    sizes = x.chunks[axis]
    if any(n % 8 for n in sizes[:-1]):
        x = x.rechunk({axis: -(-max(sizes) // 8) * 8})
    lengths = tuple(-(-int(n) // 8) for n in x.chunks[axis])
    return _mapped(_pack, x, axis, lengths, bitorder)


def unpackbits(
    a: Any, /, axis: int | None = None, count: int | None = None, bitorder: str = "big"
) -> Array:
    """Spell the bits of bytes out along an axis.

    Parameters
    ----------
    a : array of uint8
    axis, bitorder
        As for `packbits`.
    count : int, optional
        Bits along the axis: the others are left out, or zeros are added; a negative one says how
        many are left out at the end.

    Raises
    ------
    TypeError
        If the elements are not of uint8.

    Examples
    --------
    >>> import gpuscale.array as ga
    >>> ga.unpackbits(ga.asarray([160], dtype="uint8"), count=3).compute()
    array([1, 0, 1], dtype=uint8)
    """
    x, axis = _prepared(a, axis, bitorder)
    if x.dtype != np.uint8:
        raise TypeError("Expected an input array of unsigned byte data type")
    bits = _mapped(_unpack, x, axis, tuple(int(n) * 8 for n in x.chunks[axis]), bitorder)
    if count is None:
        return bits
    length = bits.shape[axis]
    if count < -length:
        raise ValueError(f"-ve count out of range: {count} for {length} bits")
    if count > length:
        shape = tuple(count - length if k == axis else n for k, n in enumerate(bits.shape))
        return concatenate([bits, zeros(shape, bits.dtype, like=bits)], axis)
    return bits[at_axis(axis, slice(0, count))]


def _prepared(a: Any, axis: int | None, bitorder: str) -> tuple[Array, int]:
    if bitorder not in ("big", "little"):
        raise ValueError("'order' must be either 'little' or 'big'")
    return along_axis(a, axis)


def _mapped(function: Any, x: Array, axis: int, lengths: tuple[int, ...], bitorder: str) -> Array:
    chunks = tuple(lengths if k == axis else sizes for k, sizes in enumerate(x.chunks))
    return map_blocks(function, x, axis=axis, bitorder=bitorder, chunks=chunks, dtype=np.uint8)


def _pack(chunk: Any, axis: int, bitorder: str) -> Any:
    return array_namespace(chunk).packbits(chunk, axis=axis, bitorder=bitorder)


def _unpack(chunk: Any, axis: int, bitorder: str) -> Any:
    return array_namespace(chunk).unpackbits(chunk, axis=axis, bitorder=bitorder)
