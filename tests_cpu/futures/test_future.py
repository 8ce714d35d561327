"""`Future`: waiting, callbacks, asyncio, looks."""

import asyncio
import gc
import logging
import pickle
import sys
import threading
from concurrent.futures import CancelledError

import pytest

import gpuscale as gs
from gpuscale.base.tokens import tokenize

SOON = 20


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2) as client:
        yield client


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def wait_for(gate, value=None):
    assert gate.wait(SOON)
    return value


def test_results_are_waited_for_as_long_as_one_likes(client, gate):
    future = client.submit(wait_for, gate, 7)
    for call in (future.result, future.exception, future.traceback):
        with pytest.raises(TimeoutError, match="within 0.001 seconds"):
            call(timeout=0.001)
    assert (future.done(), future.cancelled(), future.status) == (False, False, "pending")
    assert future.type is None
    gate.set()
    assert future.result(timeout=SOON) == 7
    assert future.exception() is None and future.traceback() is None
    assert (future.done(), future.status, future.type) == (True, "finished", int)
    assert future.client is client


def test_callbacks_are_called_once_with_the_future(client, gate, caplog):
    called = []
    future = client.submit(wait_for, gate, 7)
    future.add_done_callback(called.append)
    future.add_done_callback(lambda _: 1 / 0)
    told = threading.Event()
    future.add_done_callback(lambda _: told.set())
    assert called == []
    with caplog.at_level(logging.ERROR, logger="gpuscale"):
        gate.set()
        assert told.wait(SOON)
    assert called == [future]
    assert "raised" in caplog.text and "ZeroDivisionError" in caplog.text
    future.add_done_callback(called.append)
    assert called == [future, future]
    bad = client.submit(divmod, 1, 0)
    bad.exception(SOON)
    bad.add_done_callback(lambda f: called.append(f.status))
    assert called[-1] == "error"


def test_a_callback_that_exits_does_not_end_the_client(client, gate, caplog):
    future = client.submit(wait_for, gate, 7)
    future.add_done_callback(lambda _: sys.exit(3))
    with caplog.at_level(logging.ERROR, logger="gpuscale"):
        gate.set()
        assert future.result(SOON) == 7
        assert client.submit(abs, -1).result(SOON) == 1
    assert "SystemExit: 3" in caplog.text and client.status == "running"


def test_callbacks_may_submit(client):
    results = []
    done = threading.Event()

    def go_on(future):
        if future.result() < 5:
            client.submit(lambda x: x + 1, future.result()).add_done_callback(go_on)
        else:
            results.append(future.result())
            done.set()

    client.submit(int, 0).add_done_callback(go_on)
    gc.collect()
    assert done.wait(SOON) and results == [5]


def test_futures_are_awaited(client, gate):
    async def main():
        late = client.submit(wait_for, gate, 7)
        asyncio.get_running_loop().call_later(0.01, gate.set)
        assert await late == 7
        assert await asyncio.gather(*client.map(abs, [-1, -2])) == [1, 2]
        with pytest.raises(ZeroDivisionError):
            await client.submit(divmod, 1, 0)
        stuck = client.submit(wait_for, threading.Event())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stuck, 0.01)
        stuck.cancel()
        with pytest.raises(CancelledError):
            await stuck
        found = [future.result() async for future in gs.as_completed(client.map(abs, [-1, 2]))]
        assert sorted(found) == [1, 2]

    global SOON
    kept, SOON = SOON, 0.1
    try:
        asyncio.run(main())
    finally:
        SOON = kept


def test_what_it_looks_like(client, gate):
    future = client.submit(wait_for, gate, 7, key="a<b")
    assert repr(future) == "<Future: pending, key: a<b>"
    gate.set()
    assert future.result(SOON) == 7
    assert repr(future) == "<Future: finished, type: int, key: a<b>"
    assert "a&lt;b" in future._repr_html_()


def test_a_future_is_named_by_its_key_and_stays_here(client):
    future = client.submit(abs, -1)
    assert tokenize(future) == tokenize(client.submit(abs, -1))
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(future)
    assert gs.futures_of({"x": [future, 3]}, future) == [future]
