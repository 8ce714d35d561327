"""The texts of the kernels that count and place what a mask chooses; see `masks_cuda.py`."""

from typing import Any

import numpy as np
from numba import cuda, from_dtype

from ..blocks_cuda import prefix_sums

__all__ = ["build_counts", "build_place"]

_LONG, _INT = from_dtype(np.dtype(np.int64)), from_dtype(np.dtype(np.int32))


def build_counts(threads: int) -> Any:
    """Build what counts the true elements of segments."""

    def count_flags(flags: Any, counts: Any, n: int, size: int) -> None:
        """Count the flags of a segment, a block for each."""
        partial = cuda.shared.array(threads, _LONG)
        thread = cuda.threadIdx.x
        own = 0
        stop = min((cuda.blockIdx.x + 1) * size, n)
        for k in range(cuda.blockIdx.x * size + thread, stop, threads):
            if flags[k] != 0:
                own += 1
        partial[thread] = own
        prefix_sums(partial, threads)
        if thread == threads - 1:
            counts[cuda.blockIdx.x] = partial[thread]

    return count_flags


def build_place(take: bool, threads: int) -> Any:
    """Build what writes the true positions, or elements there if `take`."""

    def place_flagged(flags: Any, before: Any, source: Any, out: Any, n: int, size: int) -> None:
        """Write elements or positions of a segment after all that come before, a block for each."""
        sums = cuda.shared.array(threads, _INT)
        thread = cuda.threadIdx.x
        at = before[cuda.blockIdx.x]
        stop = min((cuda.blockIdx.x + 1) * size, n)
        for start in range(cuda.blockIdx.x * size, stop, threads):
            k = start + thread
            is_set = k < stop and flags[min(k, n - 1)] != 0
            sums[thread] = 1 if is_set else 0
            prefix_sums(sums, threads)
            if is_set:
                if take:
                    out[at + sums[thread] - 1] = source[k]
                else:
                    out[at + sums[thread] - 1] = k
            at += sums[threads - 1]
            cuda.syncthreads()

    return place_flagged
