"""Many threads use one client at the same time, and threads are switched all the time."""

import sys
import threading
from concurrent.futures import CancelledError
from functools import partial
from operator import add
from random import Random

import pytest

import gpuscale as gs

SOON = 30


@pytest.fixture(autouse=True)
def switching():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def together(calls):
    """Make calls in a thread each, and raise what one of them raises."""
    errors = []

    def run(call):
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for each in threads:
        each.start()
    for each in threads:
        each.join(SOON)
        assert not each.is_alive()
    for error in errors:
        raise error


def square(n):
    return n * n


def use(client, seed, shared):
    """Submit, drop, cancel and ask at random; what comes must be right."""
    rng = Random(seed)
    held = []
    for step in range(150):
        choice = rng.random()
        if choice < 0.5 or not held:
            n = rng.randrange(40)
            held.append((client.submit(square, n, pure=rng.random() < 0.5), n * n))
        elif choice < 0.7:
            (one, first), (other, second) = rng.choices(held, k=2)
            held.append((client.submit(add, one, other), first + second))
        elif choice < 0.8:
            del held[rng.randrange(len(held))]
        elif choice < 0.9:
            future, expected = rng.choice(held)
            assert future.result(SOON) == expected
        elif choice < 0.95:
            client.submit(square, -step - 1000 * seed).cancel()
        else:
            future, expected = rng.choice(shared)
            assert client.submit(add, future, 1).result(SOON) == expected + 1
    for future, expected in held:
        assert future.result(SOON) == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_submit_drop_cancel_and_ask(threads):
    with gs.Client(threads_per_worker=threads) as client:
        shared = [(client.submit(square, n), n * n) for n in range(5)]
        together([partial(use, client, seed, shared) for seed in range(4)])
        shared.clear()
        client.submit(square, 1).result(SOON)
        assert client.processing() == {"inproc": ()}
        assert len(client.has_what()["inproc"]) <= 1
        state = client._session.job.state
        assert (state.running, state.reserved, state.unfinished) == (0, [0, 0], 0)


def recursive(n):
    if n < 2:
        return n
    client = gs.get_client()
    futures = client.map(recursive, [n - 1, n - 2], pure=False)
    return sum(future.result() for future in gs.as_completed(futures))


def test_tasks_in_tasks_from_many_threads():
    with gs.Client(threads_per_worker=2) as client:

        def ask():
            assert client.submit(recursive, 6, pure=False).result(SOON) == 8

        together([ask] * 4)
        state = client._session.job.state
        assert (state.running, state.reserved, state.unfinished) == (0, [0, 0], 0)
    assert sorted(client._session._free) == [0, 1]
    assert client._session._seats == set()


def test_closing_while_others_submit():
    for seed in range(10):
        client = gs.Client(threads_per_worker=2, set_as_default=False)

        def submit(seed=seed, client=client):
            rng = Random(seed)
            try:
                while True:
                    future = client.submit(square, rng.randrange(100))
                    if rng.random() < 0.3:
                        future.result(SOON)
            except CancelledError:
                pass
            except RuntimeError as error:
                assert "closed" in str(error)

        together([submit, submit, lambda client=client: client.close()])
        assert client._session._seats == set()
