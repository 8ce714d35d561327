"""`Client.get_executor` beside Python's own: the same program, the same outcome."""

import concurrent.futures
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import gpuscale as gs

SOON = 20


@contextmanager
def ours():
    with gs.Client(threads_per_worker=2) as client, client.get_executor() as executor:
        yield executor


@contextmanager
def pythons():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture(params=[ours, pythons])
def executor(request):
    with request.param() as executor:
        yield executor


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def test_calls(executor):
    assert isinstance(executor, concurrent.futures.Executor)
    future = executor.submit(divmod, 7, 2)
    assert isinstance(future, concurrent.futures.Future)
    assert future.result(SOON) == (3, 1)
    assert executor.submit(lambda *, key, priority: key + priority, key=1, priority=2).result() == 3
    assert list(executor.map(pow, [2, 3], [5, 2])) == [32, 9]
    with pytest.raises(ZeroDivisionError):
        executor.submit(divmod, 1, 0).result(SOON)


def test_map_keeps_the_order_and_has_a_timeout(executor, gate):
    def work(k):
        assert k or gate.wait(SOON)
        return k

    results = executor.map(work, range(3), timeout=0.05)
    with pytest.raises(TimeoutError):
        next(results)
    results = executor.map(work, range(3), timeout=SOON)
    gate.set()
    assert list(results) == [0, 1, 2]
    failing = executor.map(divmod, [1, 2], [1, 0])
    assert next(failing) == (1, 0)
    with pytest.raises(ZeroDivisionError):
        next(failing)


def test_only_what_has_not_begun_is_cancelled(executor, gate):
    begun = threading.Barrier(3)

    def block():
        begun.wait(SOON)
        return gate.wait(SOON)

    running = [executor.submit(block), executor.submit(block)]
    begun.wait(SOON)
    waiting = executor.submit(abs, -1)
    last = executor.submit(abs, -2)
    assert waiting.cancel() and waiting.cancel()
    assert waiting.cancelled() and waiting.done()
    assert running[0].running() and not running[0].cancel()
    gate.set()
    assert [each.result(SOON) for each in (*running, last)] == [True, True, 2]
    with pytest.raises(CancelledError):
        waiting.result()
    done, not_done = concurrent.futures.wait([*running, waiting, last], SOON)
    assert len(done) == 4 and not not_done
    assert len(list(concurrent.futures.as_completed([*running, waiting, last], SOON))) == 4


def test_callbacks(executor):
    called = []
    future = executor.submit(abs, -1)
    concurrent.futures.wait([future], SOON)
    future.add_done_callback(called.append)
    assert called == [future]


def test_shutting_down(executor, gate):
    begun = threading.Barrier(3)

    def block():
        begun.wait(SOON)
        gate.wait(SOON)

    running = [executor.submit(block) for _ in range(2)]
    begun.wait(SOON)
    waiting = [executor.submit(abs, -1) for _ in range(3)]
    executor.shutdown(wait=False, cancel_futures=True)
    assert all(each.cancelled() for each in waiting)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(abs, -1)
    gate.set()
    executor.shutdown()
    assert all(each.done() and not each.cancelled() for each in running)


def test_the_client_stays_open_and_closing_it_ends_what_is_left(gate):
    with gs.Client(threads_per_worker=1) as client:
        with client.get_executor(retries=1) as executor:
            answers = [ValueError(), 7]

            def flaky():
                answer = answers.pop(0)
                if isinstance(answer, Exception):
                    raise answer
                return answer

            with gs.annotate(backoff=0.001):
                assert executor.submit(flaky).result(SOON) == 7
            future = client.submit(abs, -3)
            assert executor.submit(abs, future).result(SOON) == 3  # one of the client's
        assert client.submit(abs, -1).result(SOON) == 1
        other = client.get_executor()
        begun = threading.Event()
        running = other.submit(lambda: begun.set() or gate.wait(SOON))
        assert begun.wait(SOON)
        waiting = other.submit(abs, -1)
        threading.Timer(0.02, gate.set).start()
    assert running.result(SOON) is True  # it ended while the client was closing
    with pytest.raises(CancelledError):
        waiting.result(SOON)
    with pytest.raises(RuntimeError, match="closed"):
        other.submit(abs, -1)
    with pytest.raises(TypeError, match="no key"):
        client.get_executor(key=3)


def with_result(executor, futures):
    return [future.result() for future in futures]


def with_exception(executor, futures):
    assert [future.exception() for future in futures] == [None] * 3
    return [future.result() for future in futures]


def with_wait(executor, futures):
    done, not_done = concurrent.futures.wait(futures)
    assert (done, not_done) == (set(futures), set())
    return [future.result() for future in futures]


def with_as_completed(executor, futures):
    found = list(concurrent.futures.as_completed(futures))
    assert set(found) == set(futures) and len(found) == 3
    return [future.result() for future in futures]


def with_map(executor, futures):
    return list(executor.map(abs, range(3)))


def with_shutdown(executor, futures):
    executor.shutdown()
    return [future.result(0) for future in futures]


@pytest.mark.parametrize(
    "how", [with_result, with_exception, with_wait, with_as_completed, with_map, with_shutdown]
)
def test_a_task_that_waits_lets_others_run_in_its_place(how):
    with gs.Client(threads_per_worker=1) as client:

        def outer(depth):
            executor = gs.get_client().get_executor()
            inner = outer if depth else abs
            futures = [executor.submit(inner, k if inner is abs else depth - 1) for k in range(3)]
            return how(executor, futures)

        assert client.submit(outer, 0).result(SOON) == [0, 1, 2]
        if how is not with_map:
            assert client.submit(outer, 1).result(SOON) == [[0, 1, 2]] * 3
        assert len(client._session._free) == 1


def test_a_task_that_waits_in_vain_goes_on(gate):
    with gs.Client(threads_per_worker=2) as client:

        def outer():
            future = client.get_executor().submit(gate.wait, SOON)
            _, not_done = concurrent.futures.wait([future], 0.02)
            with pytest.raises(TimeoutError):
                future.result(0.02)
            with pytest.raises(TimeoutError):
                future.exception(0.02)
            gate.set()
            return not_done == {future} and future.result(SOON)

        assert client.submit(outer).result(SOON) is True
        assert len(client._session._free) == 2


def test_iterators_are_handed_over_as_they_are(client):
    executor = client.get_executor()
    assert executor.submit(sum, (k for k in range(4))).result(SOON) == 6
    assert executor.submit(dict, pairs=iter([1, 2])).result(SOON)["pairs"].__next__() == 1
    assert list(executor.map(sum, [iter([1, 2]), map(abs, [])], timeout=SOON)) == [3, 0]


def test_what_goes_while_a_call_is_submitted_may_submit_another(client):
    executor, found = client.get_executor(), []

    class Last:
        def __del__(self):
            found.append(executor.submit(abs, -2))

    class Arguments(list):
        """Looked at while the executor has its lock."""

        def __iter__(self):
            held.clear()
            return super().__iter__()

    held = [Last()]
    assert executor.submit(sum, Arguments([1])).result(SOON) == 1
    assert found[0].result(SOON) == 2
