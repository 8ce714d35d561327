"""`wait` and `as_completed`."""

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

import gpuscale as gs

from .tasks import SOON, Gate


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2) as client:
        yield client


@pytest.fixture
def gates():
    events = [threading.Event() for _ in range(3)]
    yield events
    for event in events:
        event.set()


def through(gate, value):
    assert gate.wait(SOON)
    return value


@pytest.fixture
def futures(client, gates):
    """Of which the first two run, and wait for their gates."""
    return [client.submit(through, gate, k, pure=False) for k, gate in enumerate(gates)]


def test_waiting_for_all(futures, gates):
    for gate in gates:
        gate.set()
    done, not_done = gs.wait({"x": futures}, SOON)
    assert (done, not_done) == (set(futures), set())
    assert gs.wait([]) == (set(), set())


def test_waiting_for_the_first(futures, gates):
    with pytest.raises(TimeoutError, match="3 futures"):
        gs.wait(futures, 0.001, "FIRST_COMPLETED")
    gates[1].set()
    assert gs.wait(futures, SOON, "FIRST_COMPLETED").done == {futures[1]}
    with pytest.raises(TimeoutError, match="2 futures"):
        gs.wait(futures, 0.001)
    with pytest.raises(ValueError, match="return_when"):
        gs.wait(futures, return_when="ANY")


def test_waiting_for_the_first_error(client, futures, gates):
    gates[0].set()
    gates[2].set()
    bad = client.submit(divmod, 1, 0)
    result = gs.wait([*futures, bad], SOON, return_when="FIRST_EXCEPTION")
    assert bad in result.done and futures[1] in result.not_done


def test_waiting_for_what_is_cancelled(client, futures):
    futures[2].cancel()
    with pytest.raises(CancelledError, match="through"):
        gs.wait(futures[2:], SOON)


def test_one_after_the_other_as_they_get_done(client, futures, gates):
    done = gs.as_completed(futures)
    assert (done.count(), done.is_empty(), done.has_ready()) == (3, False, False)
    for k in (1, 0, 2):
        gates[k].set()
        assert next(done) is futures[k]
    assert done.is_empty()
    with pytest.raises(StopIteration):
        next(done)
    with pytest.raises(TypeError, match="takes futures"):
        done.add(3)


def test_more_are_added_meanwhile(client):
    done = gs.as_completed(client.map(abs, [-1, -2]), with_results=True)
    found = []
    for future, result in done:
        found.append(result)
        if len(found) < 5:
            done.add(client.submit(lambda x: x + 10, future))
    assert len(found) == 6
    assert sum(found) == sum([1, 2, 11, 12, *sorted(found)[4:]])
    done.update(client.map(abs, [-3]))
    assert done.next()[1] == 3


def test_the_same_future_twice_comes_twice(client):
    future = client.submit(abs, -1)
    assert list(gs.as_completed([future, future])) == [future, future]


def test_batches(client, futures, gates):
    done = gs.as_completed(futures)
    assert done.next_batch(block=False) == []
    for gate in gates:
        gate.set()
    gs.wait(futures, SOON)
    assert set(done.next_batch()) == set(futures)
    batches = list(gs.as_completed(client.map(abs, range(20))).batches())
    assert sum(map(len, batches)) == 20


def test_errors(client):
    good, bad = client.submit(abs, -1), client.submit(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError):
        list(gs.as_completed([bad], with_results=True))
    pairs = dict(gs.as_completed([good, bad], with_results=True, raise_errors=False))
    kind, error, traceback = pairs[bad]
    assert (kind, error, traceback) == (ZeroDivisionError, bad.exception(), bad.traceback())
    assert pairs[good] == 1
    assert set(gs.as_completed([good, bad])) == {good, bad}
    gone = client.submit(abs, -2)
    gone.cancel()
    ((_, error),) = gs.as_completed([gone], with_results=True)
    assert isinstance(error, CancelledError)


@pytest.mark.parametrize("kind", [StopIteration, StopAsyncIteration])
def test_what_ends_iterations_does_not_end_this_one(client, kind):
    def end():
        raise kind

    futures = [client.submit(abs, -1), client.submit(end)]
    message = f"a task raised {kind.__name__}"
    with pytest.raises(RuntimeError, match=message) as caught:
        list(gs.as_completed(futures, with_results=True))
    assert isinstance(caught.value.__cause__, kind)
    with pytest.raises(RuntimeError, match=message):
        list(gs.as_completed(futures, with_results=True).batches())

    async def awaited():
        return [pair async for pair in gs.as_completed(futures, with_results=True)]

    with pytest.raises(RuntimeError, match=message):
        asyncio.run(awaited())


def test_time_is_limited(futures):
    with pytest.raises(TimeoutError):
        next(gs.as_completed(futures, timeout=0.001))


def test_forgetting_all(client, futures, gates):
    done = gs.as_completed([*futures, client.submit(abs, -1, key="ready")])
    done.clear()
    assert done.is_empty()
    gates[0].set()
    futures[0].result(SOON)
    assert list(done) == []


def test_a_wait_that_takes_too_long_says_how_long_it_was(lonely):
    gate = Gate()
    future = lonely.submit(gate)
    with pytest.raises(TimeoutError, match=r"1 futures are not done after 0\.1 seconds"):
        gs.wait([future], timeout="100ms")
    gate.open.set()


@pytest.mark.parametrize("limit", [float("inf"), 1e300, 1e10])
def test_no_limit_is_no_limit(client, limit):
    future = client.submit(abs, -1)
    assert future.result(limit) == 1 and future.exception(limit) is None
    assert gs.wait([future], limit).done == {future}
    assert list(gs.as_completed([future], timeout=limit)) == [future]
    assert gs.Lock().acquire(timeout=limit) and gs.Semaphore().acquire(limit)
    threading.Timer(0.01, gs.Event("sign").set).start()
    assert gs.Event("sign").wait(limit)
    words = gs.Queue(maxsize=1)
    threading.Timer(0.01, words.put, ["a"]).start()
    assert words.get(limit) == "a"
    with gs.Client(threads_per_worker=1, set_as_default=False) as other:
        other.submit(abs, -1)
        other.close(limit)
