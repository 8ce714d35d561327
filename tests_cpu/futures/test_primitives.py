"""Locks, events, semaphores, queues and variables that tasks find by name."""

import pickle
import threading
import time
import weakref

import pytest

import gpuscale as gs
from gpuscale.futures import primitives

SOON = 20


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=1) as client:  # whoever waits must give the place away
        yield client


@pytest.fixture(autouse=True)
def own_names():
    yield
    primitives._named.clear()


KINDS = [gs.Lock, gs.Event, gs.Queue, gs.Variable, lambda *name: gs.Semaphore(3, *name)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_one_thing(kind):
    one = kind("name")
    assert one._inner is kind("name")._inner is pickle.loads(pickle.dumps(one))._inner
    assert one._inner is not kind("other")._inner
    nameless = kind()
    assert pickle.loads(pickle.dumps(nameless))._inner is nameless._inner
    assert nameless._inner is not kind()._inner
    assert "name" in repr(one)


def test_the_tables_hold_no_nameless_things():
    before = len(primitives._nameless)
    things = [kind() for kind in KINDS]
    assert len(primitives._nameless) == before + len(things)
    del things
    assert len(primitives._nameless) == before and not primitives._named


def test_one_at_a_time(client):
    inside, most = [], []

    def work(k):
        with gs.Lock("x"):
            inside.append(k)
            most.append(len(inside))
            gs.get_client().submit(abs, k, pure=False).result()  # another task runs meanwhile
            inside.remove(k)

    client.gather(client.map(work, range(8)))
    assert most == [1] * 8
    lock = gs.Lock("x")
    assert not lock.locked() and lock.acquire(blocking=False)
    assert lock.locked() and not lock.acquire(blocking=False)
    assert not gs.Lock("x").acquire(timeout="10ms")
    lock.release()
    with pytest.raises(RuntimeError):
        lock.release()
    with pytest.raises(ValueError, match="non-blocking"):
        lock.acquire(blocking=False, timeout=1)


def test_so_many_at_a_time(client):
    leases = gs.Semaphore(2, name="s")
    assert leases.acquire() and gs.Semaphore(2, name="s").acquire()
    assert leases.get_value() == 2
    waiting = client.submit(lambda: gs.Semaphore(name="s").acquire())
    assert client.submit(abs, -1).result(SOON) == 1
    assert not leases.acquire(timeout=0.01)
    assert leases.release() and waiting.result(SOON) is True
    with leases if leases.release() else None:
        assert leases.get_value() == 2
    leases.release()
    with pytest.raises(ValueError):
        leases.release()
    leases.close()
    assert gs.Semaphore(9, name="s")._inner is not leases._inner
    with pytest.raises(ValueError, match="at least 1, not 0"):
        gs.Semaphore(0)


def test_a_sign(client):
    event = gs.Event("e")
    waiting = client.submit(lambda: gs.Event("e").wait())
    assert client.submit(abs, -1).result(SOON) == 1
    assert not event.wait("10ms") and not event.is_set()
    event.set()
    assert waiting.result(SOON) is True and event.wait() and event.is_set()
    event.clear()
    assert not event.wait(0)


def test_first_in_first_out(client):
    words = gs.Queue("q", maxsize=2)
    first = client.submit(lambda: gs.Queue("q").get())
    assert client.submit(abs, -1).result(SOON) == 1
    words.put("a")
    assert first.result(SOON) == "a"
    words.put(client.submit(abs, -2))
    words.put("b", timeout=1)
    with pytest.raises(TimeoutError, match="queue 'q' had no room within '10ms'"):
        words.put("c", timeout="10ms")
    assert words.qsize() == 2
    assert words.get().result(SOON) == 2
    words.put("c")
    assert words.get(batch=True) == ["b", "c"] and words.get(batch=True) == []
    with pytest.raises(TimeoutError, match="queue 'q' had nothing within 0.01"):
        words.get(timeout=0.01)
    words.put(None)
    words.put(0)
    assert words.get(batch=2) == [None, 0]
    words.close()
    assert gs.Queue("q")._inner is not words._inner


def test_a_value_that_is_waited_for(client):
    waiting = client.submit(lambda: gs.Variable("v").get())
    assert client.submit(abs, -1).result(SOON) == 1
    variable = gs.Variable("v")
    variable.set(None)
    assert waiting.result(SOON) is None
    variable.set(client.submit(abs, -3))
    assert gs.Variable("v").get(timeout=1).result(SOON) == 3
    variable.delete()
    with pytest.raises(TimeoutError, match="variable 'v' had no value within '5ms'"):
        gs.Variable("v").get("5ms")


def test_waiting_outside_of_tasks_ends_in_time():
    begin = time.monotonic()
    assert not gs.Event().wait(0.02)
    assert time.monotonic() - begin < SOON
    threading.Timer(0.01, gs.Event("late").set).start()
    assert gs.Event("late").wait(SOON)


def test_a_variable_that_was_deleted_is_set_again_for_all_of_its_name():
    mine, other = gs.Variable("again"), gs.Variable("again")
    mine.set(5)
    mine.delete()
    with pytest.raises(TimeoutError):
        gs.Variable("again").get(timeout=0)
    mine.set(1)
    assert gs.Variable("again").get(timeout=0) == other.get(timeout=0) == 1
    other.delete()
    gs.Variable("again").set(2)
    assert mine.get(timeout=0) == 2
    del mine, other
    assert gs.Variable("again").get(timeout=0) == 2
    gs.Variable("again").delete()


def test_a_deleted_variable_goes_with_the_last_who_has_it():
    variable = gs.Variable("brief")
    variable.set(5)
    core = weakref.ref(variable._core)
    variable.delete()
    del variable
    assert core() is None
    nameless = gs.Variable()
    nameless.set(5)
    core = weakref.ref(nameless._core)
    del nameless
    assert core() is None


def test_a_semaphore_has_as_many_leases_as_the_first_of_its_name_said():
    first = gs.Semaphore(2, name="two")
    assert gs.Semaphore(name="two").max_leases == gs.Semaphore(2, name="two").max_leases == 2
    assert pickle.loads(pickle.dumps(first)).max_leases == 2
    with pytest.raises(ValueError, match="'two' has 2 leases, .* not 5; close"):
        gs.Semaphore(max_leases=5, name="two")
    first.close()
    assert gs.Semaphore(max_leases=5, name="two").max_leases == 5
    gs.Semaphore(name="two").close()
    assert gs.Semaphore().max_leases == 1
