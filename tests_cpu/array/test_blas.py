"""BLAS keeps to one thread inside tasks, and gets its threads back afterwards."""

from threadpoolctl import threadpool_info

import gpuscale.array as ga
from gpuscale.array.blas import one_thread


def threads_of_blas():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def threads_inside(chunk):
    with one_thread():
        chunk[...] = max(threads_of_blas(), default=1)
    return chunk


def test_a_task_has_one_thread_of_blas():
    before = threads_of_blas()
    x = ga.ones(8 << 20, chunks=1 << 20)
    assert (x.map_blocks(threads_inside).compute(num_workers=2) == 1).all()
    assert threads_of_blas() == before
