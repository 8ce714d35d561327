import contextvars
import threading
import time

from gpuscale.engines.pool import ThreadPool, in_worker

word = contextvars.ContextVar("word", default="none")


def ask(pool, function):
    """Make a call in the pool and wait for its answer."""
    answers, done = [], threading.Event()

    def call():
        answers.append(function())
        done.set()

    pool.call(call)
    assert done.wait(20)
    return answers[0]


def test_calls_run_in_threads_of_the_pool():
    pool = ThreadPool()
    assert ask(pool, in_worker)
    assert not in_worker()
    assert ask(pool, threading.get_ident) != threading.get_ident()
    pool.close()


def test_as_many_threads_as_calls():
    pool = ThreadPool()
    meeting = threading.Barrier(4, timeout=20)
    for _ in range(3):
        pool.call(meeting.wait)
    meeting.wait()
    pool.close()


def test_calls_see_the_context_of_the_caller():
    pool = ThreadPool()
    assert ask(pool, word.get) == "none"
    token = word.set("mine")
    assert ask(pool, word.get) == "mine"
    assert ask(pool, lambda: word.set("theirs") and None) is None
    assert word.get() == "mine"
    word.reset(token)
    pool.close()


def test_close_ends_idle_threads():
    pool = ThreadPool()
    ask(pool, int)
    threads = []
    while not threads:  # the thread returns to the pool after its answer
        threads = list(pool._idle)
    pool.close()
    assert not threads[0].is_alive()
    assert ask(pool, in_worker)
    pool.close()


class Vanishing(list):
    """Not empty when it is looked at; by then its thread has got a call."""

    def __bool__(self):
        return True


def test_a_thread_that_gets_a_call_while_the_pool_closes_is_nobodys_error():
    pool = ThreadPool()
    pool._idle = Vanishing()
    pool.close()
    assert ask(pool, in_worker)


def test_threads_beyond_those_to_keep_end():
    pool = ThreadPool(keep=2)
    meeting, ended = threading.Barrier(9, timeout=20), []

    def call():
        ended.append(threading.current_thread())
        meeting.wait()

    for _ in range(8):
        pool.call(call)
    meeting.wait()
    until = time.monotonic() + 20
    while sum(thread.is_alive() for thread in ended) > 2:
        assert time.monotonic() < until
    assert ask(pool, threading.current_thread) in ended
    pool.close()


def test_threads_that_make_calls_while_the_pool_closes_end_after_them():
    pool, go_on, threads = ThreadPool(keep=2), threading.Event(), []

    def call():
        threads.append(threading.current_thread())
        go_on.wait(20)

    pool.call(call)
    pool.close()
    go_on.set()
    while not threads:
        time.sleep(0.001)
    threads[0].join(20)
    assert not threads[0].is_alive()
