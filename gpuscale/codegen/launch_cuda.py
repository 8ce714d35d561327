"""What is launched on a device: the text of a kernel, the types of its arguments, its grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from gpuscale.codegen.emit import memory_type

__all__ = ["ENTRY", "Kernel", "Launcher", "array_of", "packed", "pointer_to", "scalar_types"]

DType = np.dtype[Any]
ENTRY = "gpuscale_kernel"  # name of every kernel in its PTX


@dataclass(frozen=True)
class Kernel:
    """A kernel that has been written.

    Attributes
    ----------
    text : str
        A module that defines ``kernel``.
    types : tuple of str
        Of its arguments: names of Numba's types, those of pointers with a star in front, those of
        contiguous arrays of one dimension with brackets behind.
    """

    text: str
    types: tuple[str, ...]


class Launcher(Protocol):
    """Runs kernels: on a device, or on none (`simulator_cuda`).

    Attributes
    ----------
    threads : int
        Of a block, a power of two.
    blocks : int
        That a grid may have at most; sums depend on both.
    """

    threads: int
    blocks: int

    def empty(self, shape: Sequence[int], dtype: DType) -> Any:
        """Make an array that nothing is written to yet."""

    def address(self, array: Any) -> int:
        """Address of an array's first element."""

    def prepare(self, kernel: Kernel) -> bool:
        """Load a kernel, compiled if need be; False, with a warning, where that cannot be done."""

    def launch(
        self, kernel: Kernel, grid: tuple[int, int], block: tuple[int, int], args: Sequence[Any]
    ) -> None:
        """Run a kernel over a grid of blocks; pointers are given as arrays."""


def pointer_to(dtype: DType) -> str:
    """Type of an argument that points to an array's first element.

    Examples
    --------
    >>> pointer_to(np.dtype("f4")), pointer_to(np.dtype("?"))
    ('*float32', '*uint8')
    """
    return "*" + memory_type(dtype)


def array_of(dtype: DType) -> str:
    """Type of an argument that is an array of one dimension.

    Examples
    --------
    >>> array_of(np.dtype("f4"))
    'float32[]'
    """
    return memory_type(dtype) + "[]"


def scalar_types(dtype: DType) -> tuple[str, ...]:
    """Types of the arguments that hold a parameter: of a complex number, its two parts.

    Examples
    --------
    >>> scalar_types(np.dtype("c8")), scalar_types(np.dtype("?"))
    (('float32', 'float32'), ('uint8',))
    """
    if dtype.kind == "c":
        return (f"float{dtype.itemsize * 4}",) * 2
    return (memory_type(dtype),)


def packed(types: Sequence[str], args: Sequence[Any], launcher: Launcher) -> tuple[Any, ...]:
    """Turn arguments into NumPy scalars of just the bytes that a kernel expects."""
    words: list[Any] = []
    for kind, arg in zip(types, args, strict=True):
        if kind[-1] == "]":
            words += _array_words(arg, launcher)
        elif kind[0] == "*":
            words.append(np.uint64(launcher.address(arg)))
        else:
            words.append(np.dtype(kind).type(arg))
    return tuple(words)


def _array_words(array: Any, launcher: Launcher) -> list[Any]:
    """Words of an array as Numba hands it over: two for an owner, which is needed on hosts only."""
    size, itemsize = map(np.int64, (array.size, array.itemsize))
    address = np.uint64(launcher.address(array))
    return [np.uint64(0), np.uint64(0), size, itemsize, address, size, itemsize]
