"""A client, and what tasks meet at, stay usable wherever Ctrl-C comes."""

import os

import numpy as np

import gpuscale as gs
from gpuscale.memory.spill import spill
from gpuscale.memory.spill_folder import SpillFolder

from .ctrl_c import press_at_each_point
from .tasks import SOON


def test_while_futures_are_awaited_as_they_complete(client):
    futures = client.map(abs, range(3))
    gs.wait(futures, SOON)
    seen = []

    def iterate():
        seen[:] = [gs.as_completed(futures)]
        seen.extend(seen[0])

    def check():
        if seen:
            seen[0].add(client.submit(abs, 7))
            while not seen[0].is_empty():
                seen[0].next()

    assert press_at_each_point(iterate, check) > 5


def test_while_a_lock_is_held(client):
    def hold():
        with gs.Lock("x"):
            assert gs.Lock("x").locked()

    assert press_at_each_point(hold, lambda: free(gs.Lock("x"))) > 5


def free(lock):
    assert lock.acquire(timeout=0)
    lock.release()


def test_while_a_lease_is_held(client):
    def hold():
        with gs.Semaphore(1, "s"):
            assert gs.Semaphore(1, "s").get_value() == 1

    assert press_at_each_point(hold, lambda: free(gs.Semaphore(1, "s"))) > 5


def test_while_values_come_and_go(client):
    words = gs.Queue("q", maxsize=1)

    def pass_on():
        words.put("a", timeout=0)
        assert words.get(timeout=0) == "a"

    def check():
        words.get(batch=True)
        words.put("b", timeout=0)
        assert words.get(timeout=0) == "b"

    assert press_at_each_point(pass_on, check) > 5


def test_while_signs_are_given(client):
    sign, variable = gs.Event("e"), gs.Variable("v")

    def give():
        sign.clear()
        sign.set()
        variable.set(1)
        assert sign.wait(0) and variable.get(timeout=0) == 1

    def check():
        waiting = client.submit(gs.Event("e").wait, pure=False)
        sign.set()
        variable.set(2)
        assert waiting.result(SOON) and variable.get(timeout=0) == 2

    assert press_at_each_point(give, check) > 5


def works(client):
    assert client.gather(client.map(abs, range(-5, 0), pure=False)) == [5, 4, 3, 2, 1]


def test_while_tasks_are_submitted_one_by_one(client):
    def submit():
        first = client.submit(abs, -1, pure=False)
        client.submit(abs, first, pure=False)

    assert press_at_each_point(submit, lambda: works(client)) > 20


def test_while_equal_tasks_are_submitted(client):
    kept = client.submit(abs, -1, key="kept")
    kept.result(SOON)
    assert press_at_each_point(lambda: client.submit(abs, -1, key="kept"), kept.result) > 20


def test_while_the_file_of_a_result_goes(tmp_path):
    folder = SpillFolder(tmp_path)
    held = [spill(np.arange(20_000), folder) for _ in range(30)]
    raised = []

    def drop():
        try:
            held.pop()
        except KeyboardInterrupt:
            raised.append(True)
            raise

    def check():
        assert len(os.listdir(folder.path)) == len(held)

    assert press_at_each_point(drop, check) == len(raised)
    check()
    folder.remove()


def test_while_many_tasks_are_submitted_and_dropped(client):
    assert (
        press_at_each_point(lambda: client.map(abs, [1, 2], pure=False), lambda: works(client)) > 20
    )


def test_while_tasks_are_cancelled(client):
    def cancel():
        client.submit(abs, -1, pure=False).cancel()

    assert press_at_each_point(cancel, lambda: works(client)) > 20


def test_a_signal_handler_submits_wherever_it_comes(client):
    kept, made = client.submit(abs, -7, key="seven"), []

    def handle(*_):
        made.append(client.submit(abs, -7, key="seven"))
        made.append(client.submit(abs, made[0], pure=False))

    def operate():
        client.map(abs, [1, 2], pure=False)
        client.submit(abs, client.submit(abs, -1, pure=False), pure=False)

    def check():
        assert client.gather(made) == [7] * len(made) and kept.result(SOON) == 7
        made.clear()
        works(client)

    assert press_at_each_point(operate, check, handle) > 20
