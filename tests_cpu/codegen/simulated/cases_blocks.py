"""Threads of a block that wait for each other."""

import numpy as np
import pytest
from numba import cuda

THREADS = 4


def test_all_that_run_meet(launcher):
    @cuda.jit
    def kernel(seen, sums):
        here = cuda.threadIdx.x
        for turn in range(3):
            seen[here] = turn
            cuda.syncthreads()
            sums[turn, here] = seen.sum()
            cuda.syncthreads()

    seen, sums = np.zeros(THREADS), np.zeros((3, THREADS))
    kernel[2, THREADS](seen, sums)
    assert (sums == THREADS * np.arange(3)[:, None]).all()


def test_who_has_ended_is_not_waited_for(launcher):
    @cuda.jit
    def kernel(left):
        for turn in range(cuda.threadIdx.x):
            cuda.syncthreads()
            left[cuda.threadIdx.x] = turn

    left = np.full(THREADS, -1)
    kernel[1, THREADS](left)
    assert left.tolist() == [-1, 0, 1, 2]


@pytest.mark.parametrize("failing", [0, THREADS - 1])
def test_an_error_of_one_ends_those_that_wait(launcher, failing):
    @cuda.jit
    def kernel(ended):
        if cuda.threadIdx.x == failing:
            raise ZeroDivisionError("no sum")
        cuda.syncthreads()
        ended[cuda.threadIdx.x] = True

    ended = np.zeros(THREADS, bool)
    with pytest.raises(ZeroDivisionError, match="no sum"):
        kernel[1, THREADS](ended)
    assert not ended.any()
