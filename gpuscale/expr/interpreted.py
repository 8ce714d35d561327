"""What programs take on a device whose library nobody makes kernels for.

There every operation leaves an array, in tiles. On the host tiles fit the caches, and nobody counts
them; the memory of a device is counted to the byte.
"""

from __future__ import annotations

from gpuscale.backends.creation import is_on_device
from gpuscale.codegen.interpret import TILE, bytes_in_use, temporaries
from gpuscale.codegen.targets import is_interpreted
from gpuscale.expr.kernels import ProgramKernel, ReduceKernel

__all__ = ["bytes_to_interpret", "elements_within"]


def bytes_to_interpret(
    kernel: ProgramKernel | ReduceKernel, elements: int, backend: str, in_place: bool = False
) -> int:
    """Bytes that a program takes beside its inputs and its result.

    Parameters
    ----------
    kernel : ProgramKernel or ReduceKernel
    elements : int
        Of the block.
    backend : str
        That of the chunks; of the host's and where kernels are made it is nothing.
    in_place : bool
        Whether the result has memory already.
    """
    if not is_on_device(backend) or not is_interpreted(backend):
        return 0
    taken = bytes_in_use(kernel.program, elements)
    if isinstance(kernel, ReduceKernel):
        return taken + temporaries(kernel.reductions, elements)
    # The last value of a small block is the result itself.
    own = 0 if in_place or elements > TILE else elements * kernel.program.dtypes[0].itemsize
    return max(0, taken - own)


def elements_within(
    kernel: ProgramKernel | ReduceKernel, elements: int, backend: str, room: int
) -> int:
    """Halve a number of elements until a program that has so many takes no more than some bytes."""
    while elements > 1 and bytes_to_interpret(kernel, elements, backend) > room:
        elements //= 2
    return elements
