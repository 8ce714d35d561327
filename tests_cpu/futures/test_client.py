"""`Client`: collections; which one is meant; opening and closing."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import CancelledError
from operator import add

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import ConfigError, EngineError
from gpuscale.engines.base import get_engine
from gpuscale.futures.current import open_clients
from gpuscale.memory.limits import device_memory_limit

from .tasks import SOON, Gate, square


def test_compute_starts_collections(client):
    x = ga.arange(12, chunks=5)
    total, values, seven = client.compute([x.sum(), x * 2, 7])
    assert seven == 7
    assert type(total.result(SOON)) is type(x.sum().compute())
    assert (total.result(), list(values.result(SOON))) == (66, list(range(0, 24, 2)))
    assert client.compute({"a": gs.delayed(add)(1, x.max())}, sync=True) == {"a": 12}
    assert client.submit(add, total, 1).result(SOON) == 67


@pytest.mark.parametrize("n", [1_000, 200_000])
def test_arrays_of_the_program_are_read_as_they_are_now(client, n):
    buffer = np.zeros(n)
    lazy = ga.from_array(buffer)
    joined = gs.delayed(float)(lazy.max())
    held = client.compute([lazy.sum(), joined, (lazy + 1).sum()])
    assert client.gather(held) == [0, 0, n]
    buffer[-1] = 3
    again = ga.from_array(buffer)
    assert client.compute([again.sum(), again.max() + 1], sync=True) == [3, 4]
    assert client.compute([gs.delayed(float)(again.max())], sync=True) == [3]
    assert client.gather(held) == [0, 0, n]


def test_functions_of_arrays_get_what_they_are_given_as_it_is_now(client):
    buffer, held = np.zeros(200_000), []

    def plus_first(block, other):
        return block + other[0]

    for k in range(3):
        buffer[0] = k
        made = (
            ga.ones(3).map_blocks(plus_first, buffer),
            ga.ones(3).map_blocks(plus_first, other=buffer),
        )
        held += client.compute(list(made))
        assert [float(each.result()[0]) for each in held[-2:]] == [k + 1, k + 1]


def test_equal_arrays_are_one_task_unless_they_may_have_changed(client):
    x = ga.arange(12, chunks=5)
    assert client.compute(x.sum()).key == client.compute(ga.arange(12, chunks=5).sum()).key
    y = ga.from_array(np.zeros(200_000))
    one, other = client.compute([y.sum(), y.sum()])
    assert one.key == other.key != client.compute(y.sum()).key
    total = gs.delayed(add)(y.sum(), 1)
    assert client.compute(total).key == total.key


def test_futures_are_lazy_values(client):
    gate = Gate()
    future = client.submit(gate, 20)
    lazy = gs.delayed(add)(future, 1)
    array = ga.from_delayed(client.submit(np.full, 3, future), (3,), int)
    assert not future.done()
    gate.open.set()
    assert lazy.compute() == 21
    assert gs.compute([future, lazy]) == ([20, 21],)
    assert list((array + 1).compute()) == [21] * 3
    assert client.compute([lazy, array.sum()], sync=True) == [21, 60]
    assert gs.delayed([future, [future]]).compute() == [20, [20]]


def test_what_is_larger_than_the_memory_is_computed_all_the_same():
    with gs.Client(threads_per_worker=2, memory_limit="4 MiB") as client:
        x = ga.arange(1_000_000, chunks=50_000).reshape(1000, 1000) + 0.5
        future = client.compute((x.rechunk((1000, 50)).sum(axis=0) * 2).sum())
        assert future.result(SOON) == 1_000_000 * 999_999 + 1_000_000


def test_get(client):
    graph = {"x": 1, "y": (add, "x", 2), "z": (sum, ["x", "y"])}
    assert client.get(graph, "z") == 4
    assert client.get(graph, ["z", ["x"]]) == [4, [1]]
    assert client.get(graph, ["z"], sync=False)[0].result(SOON) == 4


def test_persist(client):
    x = client.persist(ga.ones(6, chunks=3) + 1)
    assert x.sum().compute() == 12


def test_which_client_is_meant():
    with pytest.raises(ValueError, match="no open client"):
        gs.get_client()
    with gs.Client(threads_per_worker=1) as outer:
        assert gs.get_client() is gs.Client.current() is outer
        hidden = gs.Client(threads_per_worker=1, set_as_default=False)
        assert gs.get_client() is outer
        with hidden.as_current():
            assert gs.get_client() is gs.Client.current(allow_global=False) is hidden
        assert hidden.submit(gs.get_client).result(SOON) is hidden
        hidden.close()
        with gs.Client(threads_per_worker=1) as inner:
            assert gs.get_client() is inner
            assert outer.submit(lambda: gs.get_client() is outer).result(SOON)
        assert gs.get_client() is outer
    with pytest.raises(ValueError, match="no open client"):
        gs.Client.current()


def test_compute_takes_the_threads_and_the_memory_of_an_open_client():
    before = config.get("num-workers"), config.get("memory-limit")
    with gs.Client(n_workers=2, threads_per_worker=2, memory_limit="1 MiB") as client:
        assert (config.get("num-workers"), config.get("memory-limit")) == (4, 2 << 20)
        assert client.nthreads() == client.ncores() == {"inproc": 4}
        with pytest.raises(MemoryError):
            ga.ones(1_000_000).compute()
        with pytest.raises(MemoryError):
            client.compute(ga.ones(1_000_000))
    assert (config.get("num-workers"), config.get("memory-limit")) == before


def test_closing(lonely):
    gate = Gate()
    done = lonely.submit(square, 3)
    assert done.result(SOON) == 9
    running, waiting = lonely.submit(gate), lonely.submit(square, 2)
    assert gate.begun.wait(SOON)
    threading.Timer(0.02, gate.open.set).start()
    lonely.close(SOON)
    assert (running.status, waiting.status, done.result()) == ("finished", "cancelled", 9)
    assert lonely.status == "closed" and "closed" in repr(lonely)
    for call in (
        lambda: lonely.submit(square, 2),
        lambda: lonely.map(square, [2, 3]),
        lambda: lonely.scatter(1),
        lambda: lonely.compute(ga.ones(3)),
    ):
        with pytest.raises(EngineError, match="closed"):
            call()
    lonely.cancel([done, running])
    lonely.close()


def test_a_task_may_close_its_client():
    client = gs.Client(threads_per_worker=1)
    future = client.submit(lambda: client.close() or "closed")
    assert future.result(SOON) == client.status == "closed"


def test_what_does_not_end_in_time_is_cancelled_with_a_word(lonely):
    gate = Gate()
    future = lonely.submit(gate, key="slow")
    assert gate.begun.wait(SOON)
    lonely.close("20ms")
    with pytest.raises(
        CancelledError, match=r"\('slow'\) was cancelled: its client was closed while"
    ):
        future.result(SOON)
    gate.open.set()


def test_tasks_that_run_when_the_client_is_closed_have_what_they_need():
    """Whatever the moment at which it is closed, a result is right or cancelled."""
    for k in range(60):
        client = gs.Client(threads_per_worker=2)
        blocks = client.map(np.full, [1000] * 4, range(4))
        sums = client.map(lambda block, _: float(block.sum()), blocks * 20, range(80))
        gs.wait(sums[k], timeout=SOON)
        client.close(SOON)
        assert sums[k].done() and all(future.done() for future in sums)
        for j, future in enumerate(sums):
            if future.status == "finished":
                assert future.result() == 1000.0 * (j % 4)
            else:
                with pytest.raises(CancelledError, match="before it began"):
                    future.result()


def test_no_thread_is_left_behind():
    def workers():
        return [t for t in threading.enumerate() if t.name.startswith("gpuscale")]

    def polite():
        return gs.get_client().submit(square, 2).result()

    before = len(workers())
    for _ in range(5):
        with gs.Client(threads_per_worker=3) as client:
            client.gather([client.map(square, range(50)), client.submit(polite)])
    until = time.monotonic() + SOON
    while len(workers()) > before:
        assert time.monotonic() < until
        time.sleep(0.001)


def until_it_is_so(ask):
    until = time.monotonic() + SOON
    while not ask():
        gc.collect()
        assert time.monotonic() < until


def test_a_client_in_the_background_goes_with_its_last_name():
    client = gs.Client(threads_per_worker=1, set_as_default=False)
    assert client.submit(square, 2).result(SOON) == 4
    gone, session = weakref.ref(client), client._session
    del client
    until_it_is_so(lambda: gone() is None and session.closed)


def test_a_client_without_a_name_stays_until_it_is_closed():
    before = config.get("memory-limit")
    gs.Client(threads_per_worker=3, memory_limit="1 MiB", name="mine")
    gc.collect()
    assert gs.get_client().name == "mine" and config.get("num-workers") == 3
    with gs.Client(threads_per_worker=1) as inner:
        assert gs.get_client() is inner
    gc.collect()
    assert gs.get_client().name == "mine"
    assert gs.get_client().submit(square, 2).result(SOON) == 4
    gs.get_client().close()
    with pytest.raises(ValueError, match="no open client"):
        gs.get_client()
    assert config.get("memory-limit") == before


def test_clients_that_are_dropped_do_not_pile_up():
    before, names, made = config.get("num-workers"), len(open_clients), weakref.WeakSet()
    for k in range(1, 30):
        client = gs.Client(threads_per_worker=k)
        made.add(client._session)
        assert client.submit(square, k).result(SOON) == k * k
        del client
    until_it_is_so(lambda: sum(not session.closed for session in made) == 2)
    assert config.get("num-workers") == 29
    for _ in range(2):
        gs.get_client().close()
    until_it_is_so(lambda: not any(not session.closed for session in made))
    assert (config.get("num-workers"), len(open_clients)) == (before, names)


def test_a_client_and_compute_share_their_memory():
    runs = get_engine("threads")._runs
    with gs.Client(threads_per_worker=2, memory_limit="10 MiB") as client:
        kept = client.submit(np.ones, 1_000_000)
        gs.wait(kept, SOON)
        (session,) = {client._session} & runs
        assert session.job.state.alive == [8_000_000, 0]
        assert ga.ones(1_000_000, chunks=10_000).sum().compute() == 1_000_000
    assert client._session not in runs


def test_ctrl_c_while_waiting_leaves_the_client_usable(lonely):
    gate = Gate()
    future = lonely.submit(gate, 5)
    assert gate.begun.wait(SOON)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        future.result(SOON)
    gate.open.set()
    assert future.result(SOON) == 5
    assert lonely.submit(square, 2).result(SOON) == 4


def test_the_child_of_a_fork_has_a_closed_client():
    program = """
        import os, warnings
        import gpuscale as gs
        warnings.simplefilter("ignore")
        client = gs.Client(threads_per_worker=2)
        import threading
        event = threading.Event()
        pending = client.submit(event.wait)
        done = client.submit(abs, -1)
        assert done.result() == 1
        if os.fork() == 0:
            assert pending.status == "cancelled" and done.result() == 1
            assert client.status == "closed"
            with gs.Client(threads_per_worker=2) as own:
                assert own.gather(own.map(abs, [-1, -2])) == [1, 2]
            os._exit(7)
        _, status = os.wait()
        assert os.waitstatus_to_exitcode(status) == 7
        event.set()
        assert pending.result(20) is True
        client.close()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, timeout=60)


def test_what_it_looks_like(client):
    assert repr(client).startswith("<Client: 2 threads, memory limit")
    assert "<table>" in client._repr_html_()
    info = client.scheduler_info()
    assert info["workers"]["inproc"]["nthreads"] == 2
    gate = Gate()
    future = client.submit(gate, key="slow")
    assert client.processing() == {"inproc": ("slow",)}
    gate.open.set()
    assert future.result(SOON) is None
    ones = client.map(np.ones, [10, 20], key=["ones-a", "ones-b"])
    gs.wait(ones, SOON)
    assert client.nbytes(summary=False) == {"ones-a": 80, "ones-b": 160, "slow": 0}
    assert client.nbytes() == {"ones": 240, "slow": 0}
    assert client.nbytes(["ones-a"], summary=False) == {"ones-a": 80}
    assert set(client.has_what()["inproc"]) == {"ones-a", "ones-b", "slow"}
    assert client.who_has(ones[0]) == {"ones-a": ("inproc",)}
    assert client.run(square, 3) == {"inproc": 9}
    client.wait_for_workers(1)
    assert client.restart() is client


@pytest.mark.parametrize("option", ["memory_limit", "device_memory_limit"])
def test_a_limit_that_cannot_be_read_is_named(option):
    name = option.replace("_", "-")
    with pytest.raises(ConfigError, match=f"option {name}: cannot read 'much' as a size"):
        gs.Client(**{option: "much"})
    with pytest.raises(ConfigError, match=f"option {name} cannot be ... .list.; it takes str"):
        gs.Client(**{option: [1]})


def test_a_limit_of_the_device_is_read_at_once():
    with gs.Client(device_memory_limit="2 GiB"):
        assert device_memory_limit() == 2 << 30
    with gs.Client(device_memory_limit=0):
        assert device_memory_limit() > 1 << 60
