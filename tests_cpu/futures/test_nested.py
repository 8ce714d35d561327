"""Tasks that submit tasks and wait for them."""

import threading
import time

import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.engines.pool import _Worker

from .tasks import SOON, Gate, fibonacci, square


@pytest.mark.parametrize("threads", [1, 2])
def test_tasks_wait_for_tasks_and_nobody_waits_for_ever(threads):
    with gs.Client(threads_per_worker=threads) as client:
        assert client.submit(fibonacci, 10).result(SOON) == 55

        def nested():
            inner = gs.get_client().map(square, range(20), pure=False)
            return sum(f.result() for f in gs.as_completed(inner))

        assert client.gather(client.map(lambda _: nested(), range(4))) == [2470] * 4

        def failing():
            return gs.get_client().submit(divmod, 1, 0).result()

        with pytest.raises(ZeroDivisionError):
            client.submit(failing).result(SOON)
        assert client.submit(lambda: ga.arange(10, chunks=2).sum().compute()).result(SOON) == 45


def test_no_more_tasks_run_than_there_are_threads():
    lock, counts = threading.Lock(), {"now": 0, "most": 0}

    def leaf(_):
        with lock:
            counts["now"] += 1
            counts["most"] = max(counts["most"], counts["now"])
        total = sum(range(1000))
        with lock:
            counts["now"] -= 1
        return total

    def parent(_):
        client = gs.get_client()
        found = client.gather(client.map(leaf, range(5), pure=False))
        leaf(0)
        return len(found)

    with gs.Client(threads_per_worker=2) as client:
        assert client.gather(client.map(parent, range(10))) == [5] * 10
    assert counts["most"] <= 2


def test_a_task_that_waits_needs_no_room(monkeypatch):
    def outer():
        x = ga.ones(50_000, chunks=50_000) + 1
        return gs.get_client().compute(x.sum()).result()

    with gs.Client(threads_per_worker=1, memory_limit="1 MiB") as client:
        with gs.annotate(memory="900 kiB"):
            future = client.submit(outer)
        assert future.result(SOON) == 100_000


def test_places_can_be_given_away_for_good(lonely):
    gate = Gate()

    def polite():
        gs.secede()
        return gate(1)

    def strict():
        with gs.worker_client() as client:
            found = client.submit(square, 2).result()
        gs.secede()
        gs.rejoin()
        return found

    slow = lonely.submit(polite)
    assert gate.begun.wait(SOON)
    assert lonely.submit(square, 3).result(SOON) == 9
    assert lonely.submit(strict).result(SOON) == 4
    gate.open.set()
    assert slow.result(SOON) == 1
    lonely.submit(square, 5).result(SOON)
    assert (lonely._session.job.state.running, lonely._session.job.state.reserved) == (0, [0, 0])
    assert lonely.submit(square, 4).result(SOON) == 16
    for function in (gs.secede, gs.rejoin):
        with pytest.raises(ValueError, match="in a task"):
            function()


def depth(n):
    return 0 if n == 0 else 1 + gs.get_client().submit(depth, n - 1).result()


def height(n):
    return 0 if n == 0 else 1 + gs.get_client().submit(height, n - 1).result()


def test_threads_that_stood_in_for_others_end(client):
    before = threading.active_count()
    assert client.submit(depth, 100).result(SOON) == 100
    until = time.monotonic() + SOON
    while threading.active_count() > before + 3:  # its two workers, and who watches
        assert time.monotonic() < until
        time.sleep(0.01)


def _refuse(worker):
    raise RuntimeError("can't start new thread")


def test_a_system_without_more_threads_is_an_error_of_who_needs_one(client, monkeypatch):
    client.submit(abs, -1).result(SOON)
    with monkeypatch.context() as patch:
        patch.setattr(_Worker, "start", _refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            client.submit(depth, 5).result(SOON)
        assert client.gather(client.map(square, range(20))) == [n * n for n in range(20)]
    # Calls of `depth` may still be those that failed, as long as their exception is held.
    assert client.submit(height, 5).result(SOON) == 5
