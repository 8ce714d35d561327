"""BLAS has one thread for each busy worker, and its own number again afterwards."""

import threading

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import gpuscale as gs
from gpuscale.engines import blas


def threads_of_blas():
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two_threads():
    with threadpool_limits(2, "blas"):
        yield


def together(n):
    """Make n tasks that run at the same time and say how many threads BLAS has in each."""
    meeting = threading.Barrier(n)

    def count(k):
        meeting.wait(timeout=30)
        found = threads_of_blas()
        meeting.wait(timeout=30)
        return found

    return [gs.delayed(count)(k) for k in range(n)]


def compute_together():
    more = [gs.delayed(abs)(k) for k in range(9)]  # which make it worth starting threads
    return gs.compute(together(2) + more, num_workers=2)[0][:2]


def test_workers_side_by_side_have_one_thread_each():
    assert compute_together() == [{1}, {1}]
    assert threads_of_blas() == {2}


def test_a_worker_alone_has_them_all():
    alone = [gs.delayed(lambda k: threads_of_blas())(k) for k in range(9)]
    assert gs.compute(alone, num_workers=1)[0] == [{2}] * 9


def test_limits_of_users_hold_after_a_run_and_end():
    with threadpool_limits(1, "blas"):
        compute_together()
        assert threads_of_blas() == {1}
    assert threads_of_blas() == {2}
    compute_together()
    with threadpool_limits(1, "blas"):
        assert threads_of_blas() == {1}


def threads_with_two_workers():
    blas.enter()
    blas.enter()
    found = threads_of_blas()
    blas.leave()
    blas.leave()
    return found


def test_threads_are_given_back_after_an_error():
    with pytest.raises(ZeroDivisionError):
        gs.compute([gs.delayed(divmod)(1, k) for k in range(20, -20, -1)], num_workers=2)
    assert threads_of_blas() == {2}


def test_a_library_that_is_loaded_later_is_limited_too():
    assert threads_with_two_workers() == {1}
    import scipy.linalg  # noqa: F401  brings a BLAS of its own

    assert threads_with_two_workers() == {1}
    assert 1 not in threads_of_blas()
