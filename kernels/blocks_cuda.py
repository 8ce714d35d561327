"""Steps that the threads of a block take together, for the text of several kernels.

They are inlined while Numba still has Python's meaning of them: a call that is left would make
Numba ask for the device that it compiles for, and kernels are compiled where there is none.
"""

from typing import Any

from numba import cuda

__all__ = ["prefix_sums"]


@cuda.jit(device=True, inline="always")
def prefix_sums(sums: Any, threads: int) -> None:
    """Replace the elements of a shared array by the sums of all up to each of them.

    Every thread of the block calls this after it wrote its element, and may read all sums after it.
    Order of additions: Hillis and Steele, "Data parallel algorithms" (1986).
    """
    thread = cuda.threadIdx.x
    cuda.syncthreads()
    step = 1
    while step < threads:
        before = sums[thread - step] if thread >= step else sums[thread] - sums[thread]
        cuda.syncthreads()
        sums[thread] += before
        cuda.syncthreads()
        step *= 2
