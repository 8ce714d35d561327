"""What the `*_cuda.py` files ask of whoever runs their kernels, so that they need no CUDA library.

A kernel is a plain Python function that Numba can compile for CUDA. Its arguments are 1-d
contiguous arrays in device memory, and Python integers and floats, compiled as int64 and float64.
Sizes of tiles, dtypes and the operation are constants of its text: it is built for them. That is
done where a kernel is compiled; one that is stored as PTX is found by what it would be built of,
and Numba is not imported.

An operation allocates what it needs through a `Device` and launches its kernels in order, all on
one stream. Nothing in between reads a result back, unless the docstring says so.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np

__all__ = ["MOST_BLOCKS", "Device", "Kernel", "Stretches", "blocks_for", "stretches_of", "word_of"]

# Fills the largest GPUs many times over; loops with a stride of the grid do the rest.
MOST_BLOCKS = 4096


class Kernel(NamedTuple):
    """A kernel by name: what it is built of, and what knows it again in another process.

    Attributes
    ----------
    family : str
        The folder in which it lies.
    name : str
        `kernels_cuda.py` there builds it by a function `build_<name>`.
    constants : tuple
        What this function takes: numbers, text, dtypes, and tuples of these.
    """

    family: str
    name: str
    constants: tuple[Any, ...]

    def build(self) -> Callable[..., None]:
        """Return the function to compile, a new one each time; this imports Numba."""
        module = import_module(f"{__package__}.{self.family}.kernels_cuda")
        build: Callable[..., Callable[..., None]] = getattr(module, f"build_{self.name}")
        return build(*self.constants)


class Device(Protocol):
    """Memory, and a stream that kernels are put on.

    Arrays have NumPy's `reshape`, `view`, `dtype`, `shape` and `size`, as those of CuPy do.
    """

    def empty(self, shape: Any, dtype: Any) -> Any:
        """Return a contiguous array in device memory with any content."""

    def zeros(self, shape: Any, dtype: Any) -> Any:
        """Return a contiguous array in device memory full of zeros."""

    def number(self, array: Any) -> int:
        """Return the only element of an array; this waits for the device."""

    def launch(self, kernel: Kernel, grid: int, block: int, *arguments: Any) -> None:
        """Run `grid` blocks of `block` threads; shared memory is part of the kernel's text."""


def blocks_for(work: int, threads: int) -> int:
    """Return how many blocks of `threads` to start for some independent pieces of work.

    Examples
    --------
    >>> blocks_for(1000, 256), blocks_for(0, 256), blocks_for(10**12, 256)
    (4, 1, 4096)
    """
    return max(1, min(-(-work // threads), MOST_BLOCKS))


class Stretches(NamedTuple):
    """Values that lie side by side, in `blocks` stretches of `size`, the last one shorter."""

    blocks: int
    size: int


def stretches_of(n: int, threads: int, most: int, least: int = 1) -> Stretches:
    """Return how many blocks share `n` values, and how many each takes; by sizes alone.

    Each thread has eight values or more, unless there shall be more blocks at least.

    Examples
    --------
    >>> stretches_of(10_000_000, 256, 1024), stretches_of(10, 256, 1024)
    (Stretches(blocks=1024, size=9766), Stretches(blocks=1, size=10))
    """
    blocks = max(least, min(most, -(-n // (threads * 8))), 1)
    return Stretches(blocks, -(-n // blocks))


# What is moved for elements of some size: their bits.
_WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}


def word_of(dtype: Any) -> Any:
    """Return the dtype to move elements of a dtype in, so that kernels are compiled once a size.

    Examples
    --------
    >>> word_of("float32"), word_of("datetime64[s]")
    (dtype('uint32'), dtype('uint64'))

    Raises
    ------
    TypeError
        If elements are objects, text, or of another size than 1, 2, 4, 8 or 16 bytes.
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "biufcmM" or dtype.itemsize not in _WORDS:
        raise TypeError(f"a GPU moves numbers of 1, 2, 4, 8 or 16 bytes, not {dtype}")
    return np.dtype(_WORDS[dtype.itemsize])
