"""Results that futures hold beyond the limit of their client: on disk, and back unseen."""

import os
import threading

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import SpillError
from gpuscale.engines.spilling import Spilling
from gpuscale.memory import spill_file, spill_folder

from .held import LIMIT, N, alive, files, filled, settle, wait_until
from .tasks import SOON, Gate

pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2, memory_limit=LIMIT) as client:
        yield client


def test_five_times_the_limit(client):
    futures = client.map(filled, range(15))
    total = client.submit(lambda parts: [part[0] for part in parts], futures[:2])
    gs.wait([*futures, total])
    settle(client)
    assert len(files()) >= 11
    assert [future.type for future in futures] == [np.ndarray] * 15
    assert sum(client.nbytes().values()) >= 15 * 8 * N
    for k, future in enumerate(futures):
        value = future.result()
        assert value.shape == (N,) and (value == k).all() and value.flags.writeable
        del value
    settle(client)
    assert total.result() == [0, 1]
    means = client.map(np.mean, futures)
    assert client.gather(means) == list(range(15))
    del futures, future, means, total
    wait_until(lambda: files() == [])


def test_who_holds_a_result_holds_the_very_object_whatever_goes(client):
    first = client.submit(filled, 0)
    value = first.result()
    value[0] = 7
    others = client.map(filled, range(1, 12))
    gs.wait(others)
    assert first.result() is value
    del value
    more = client.map(filled, range(12, 20))
    gs.wait(more)
    settle(client)
    held = [future.result() for future in (first, first, *others[:2])]
    assert held[0] is held[1] and held[0][0] == 7
    assert all(a is b.result() for a, b in zip(held[2:], others, strict=False))


def test_an_idle_client_makes_room_once_results_are_let_go(client):
    futures = client.map(filled, range(12))
    for _ in range(3):
        values = client.gather(futures)
        wait_until(lambda: not client._session._seats)
        assert all(a is b.result() for a, b in zip(values, futures, strict=True))
        assert alive(client) > LIMIT
        del values
        wait_until(lambda: alive(client) <= LIMIT)
        wait_until(lambda: not client._session._watches_holders)
    assert [future.result()[0] for future in futures] == list(range(12))


def test_an_idle_client_does_not_wait_for_who_keeps_a_result(client):
    futures = client.map(filled, range(6))
    kept, *others = client.gather(futures)
    del others
    wait_until(lambda: alive(client) <= LIMIT)
    assert futures[0].result() is kept


def test_a_client_that_waits_for_holders_closes_at_once(client):
    futures = client.map(filled, range(6))
    values = client.gather(futures)
    client.submit(abs, -1).result()  # whatever was on its way to disk has come back
    wait_until(lambda: client._session._watches_holders)
    client.close()
    wait_until(lambda: not client._session._watches_holders)
    assert all(future.result() is value for future, value in zip(futures, values, strict=True))


def look_at(client, futures):
    """Have results in memory again, and hold none of them."""
    for value in client.gather(futures):
        assert value.shape == (N,)


def test_tasks_run_on_what_was_looked_at(client):
    futures = client.map(filled, range(8))
    gs.wait(futures)
    settle(client)
    look_at(client, futures)
    largest = client.map(np.max, futures)
    gs.wait(largest, SOON)
    assert client.gather(largest) == list(range(8))


def test_tasks_run_on_what_was_looked_at_by_a_task(client):
    with gs.Client(threads_per_worker=1, memory_limit=LIMIT) as lonely:
        futures = lonely.map(filled, range(8))
        gs.wait(futures)
        settle(lonely)

        def within():
            look_at(lonely, futures)
            return lonely.gather(lonely.map(np.max, futures))

        task = lonely.submit(within)
        gs.wait(task, SOON)
        assert task.result() == list(range(8))


def test_tasks_run_beside_one_that_does_not_end(client):
    futures = client.map(filled, range(8))
    gs.wait(futures)
    settle(client)
    gate = Gate()
    waits = client.submit(gate)
    assert gate.begun.wait(SOON)
    wait_until(lambda: len(client._session._seats) == 1)
    look_at(client, futures)
    gs.wait(client.map(np.max, futures), SOON)
    gate.open.set()
    gs.wait(waits, SOON)


def test_no_limit():
    with gs.Client(threads_per_worker=2, memory_limit=0) as client:
        assert "memory limit none" in repr(client)
        futures = client.map(filled, range(6))
        assert [x[0] for x in client.gather(futures)] == list(range(6))
        assert files() == []
        assert ga.ones(10, chunks=5).sum().compute() == 10


@pytest.mark.parametrize("make", [lambda k: np.full(1_000, k), lambda k: f"{k:04}" * 500])
def test_looking_for_what_goes_takes_no_longer_the_more_there_is(client, make, monkeypatch):
    looks = []
    really = Spilling._turn_to_go

    def look(self, task, space):
        looks.append(task)
        return really(self, task, space)

    monkeypatch.setattr(Spilling, "_turn_to_go", look)
    results = client.map(make, range(2_000))
    assert len(client.gather(client.map(len, results))) == 2_000
    wait_until(lambda: not client._session._seats)
    assert 0 < len(looks) < 20 * 4_000


def test_what_the_program_holds_stays_and_goes_once_it_is_let_go(client):
    held = client.gather(client.map(filled, range(6)))
    futures = client.scatter(held)
    assert client.gather(client.map(np.mean, futures)) == list(range(6))
    wait_until(lambda: not client._session._seats)
    assert files() == [] and futures[0].result() is held[0]
    del held
    settle(client)
    assert files()
    assert [future.result()[0] for future in futures] == list(range(6))


def test_the_option_spill_keeps_all_in_memory(caplog):
    with gs.config.set(spill=False), gs.Client(memory_limit=LIMIT) as client:
        futures = client.map(filled, range(6))
        gs.wait(futures)
        wait_until(lambda: not client._session._seats)
        assert files() == [] and alive(client) == 6 * 8 * N
    assert "the option spill is off" in caplog.text


def full(*_):
    raise OSError(28, "No space left on device")


def test_a_full_disk_loses_nothing_and_is_tried_again(client, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(spill_folder, "write_file", full)
        futures = client.map(filled, range(8))
        gs.wait(futures)
        wait_until(lambda: not client._session._seats)
        assert "No space left on device" in caplog.text
        for k, future in enumerate(futures):
            assert future.result()[0] == k
        future = None
    assert files() == []
    client._session.job.disk_again = 0.0
    settle(client)
    assert files()


def test_a_disk_that_cannot_be_read_is_an_error_of_whoever_reads(client, monkeypatch):
    futures = client.map(filled, range(8))
    gs.wait(futures)
    settle(client)
    with monkeypatch.context() as patch:
        patch.setattr(spill_file.os, "open", full)
        with pytest.raises(SpillError, match="cannot be read back.*No space"):
            [future.result() for future in futures]
        errors = [each.exception() for each in client.map(np.mean, futures, pure=False)]
        assert {type(error) for error in errors} == {SpillError, type(None)}
    assert [future.result()[0] for future in futures] == list(range(8))


def test_results_outlive_the_client_on_disk(client):
    futures = client.map(filled, range(8))
    gs.wait(futures)
    settle(client)
    client.close()
    assert files()
    assert [future.result()[0] for future in futures] == list(range(8))
    assert files() == []


def test_cancelling_and_releasing_remove_files(client):
    futures = client.map(filled, range(8))
    gs.wait(futures)
    settle(client)
    client.cancel(futures[:4])
    for future in futures[4:]:
        future.release()
    wait_until(lambda: files() == [])


def test_equal_calls_share_what_is_on_disk(client):
    futures = client.map(filled, range(8))
    gs.wait(futures)
    settle(client)
    again = client.map(filled, range(8))
    assert all(a.result() is b.result() for a, b in zip(futures, again, strict=True))


def test_results_on_their_way_are_asked_for_by_many(client):
    """Readers, writers and tasks at the same time see one object and right numbers."""
    futures = client.map(filled, range(12))
    wrong = []

    def read(seed):
        rng = np.random.default_rng(seed)
        for _ in range(60):
            k = int(rng.integers(12))
            a, b = futures[k].result(), futures[k].result()
            if a is not b or a[0] != k or a[-1] != k:
                wrong.append(k)
            del a, b
            if client.submit(np.mean, futures[k], pure=False).result() != k:
                wrong.append(k)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    settle(client)


def test_a_result_that_is_looked_at_while_it_is_written_stays(client, monkeypatch):
    begun, looked = threading.Event(), threading.Event()
    really = spill_folder.write_file

    def slow(*args):
        begun.set()
        assert looked.wait(20)
        return really(*args)

    monkeypatch.setattr(spill_folder, "write_file", slow)
    futures = client.map(filled, range(5))
    assert begun.wait(20)
    seen = [future for future in futures if future.done()]
    values = [future.result() for future in seen]
    for value in values:
        value[0] = -1
    looked.set()
    gs.wait(futures)
    assert all(a is b.result() for a, b in zip(values, seen, strict=True))
    del values, value
    settle(client)
    assert len(seen) > 1 and [future.result()[0] for future in seen] == [-1] * len(seen)


def test_a_fork_reads_what_its_parent_wrote(client):
    futures = client.map(filled, range(8))
    gs.wait(futures)
    settle(client)
    child = os.fork()
    if not child:
        right = [future.result()[0] for future in futures] == list(range(8))
        os._exit(0 if right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [future.result()[0] for future in futures] == list(range(8))
