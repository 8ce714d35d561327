"""`Client`: submit, map, gather, scatter, compute, cancel, retry, open and close."""

import functools
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass
from operator import add
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import EngineError, NotSupportedError
from gpuscale.engines.base import get_engine

SOON = 20  # seconds in which anything ends, on any machine


@pytest.fixture
def client():
    with gs.Client(threads_per_worker=2) as client:
        yield client


@pytest.fixture
def lonely():
    """A client of one thread."""
    with gs.Client(threads_per_worker=1) as client:
        yield client


class Gate:
    """A task that begins when it begins, and ends when it is told to."""

    def __init__(self):
        self.begun, self.open = threading.Event(), threading.Event()
        self.__name__ = "gate"

    def __call__(self, value=None, *_):
        self.begun.set()
        assert self.open.wait(SOON)
        return value


def square(n):
    return n * n


@dataclass
class Pair:
    first: object
    second: object


# submit, map, gather


def test_futures_are_arguments_wherever_they_are(client):
    one, two = client.map(int, "12")
    for given_, expected in [
        (one, 1),
        ([one, [two, 3]], [1, [2, 3]]),
        ({"a": one, 2: (two,)}, {"a": 1, 2: (2,)}),
        (Pair(one, [two]), Pair(1, [2])),
        (slice(one, two), slice(1, 2)),
        ((one, one), (1, 1)),
    ]:
        assert client.submit(lambda value: value, given_).result(SOON) == expected
        assert client.submit(lambda *, value: value, value=given_).result(SOON) == expected
        assert client.gather(given_) == expected
    assert client.submit(divmod, two, one).result(SOON) == (2, 0)
    assert client.submit(add, one, one).result(SOON) == 2


class Calls(list):
    """Notes that are no part of what a function does."""

    def __gpuscale_tokenize__(self):
        return "calls"


def test_equal_calls_of_a_pure_function_are_one_task(client):
    calls = Calls()

    def note(x, y=0):
        calls.append(x)
        return x

    futures = [client.submit(note, 1), client.submit(note, 1), *client.map(note, [1, 1])]
    assert client.gather(futures) == [1] * 4
    assert (len(calls), len({f.key for f in futures})) == (1, 1)
    assert client.submit(note, 1, y=1).result(SOON) == 1
    assert client.submit(note, 1, pure=False).result(SOON) == 1
    assert client.gather(client.map(note, [1, 1], pure=False)) == [1, 1]
    assert len(calls) == 5


FACTOR, TABLE = 2, [1]


def helper(x):
    return x + 1


def of_factor(x):
    return x * FACTOR


def of_helper(x):
    return [helper(k) for k in [x]]


def of_table(x, table=TABLE):
    return x + sum(table)


def test_a_function_is_known_by_what_it_does_now(client, monkeypatch):
    k = 1
    here = sys.modules[__name__]

    def of_cell(x):
        return x + k

    grown = functools.partial(max, [1])
    calls = [of_cell, of_factor, of_helper, of_table, lambda x: of_helper(x), Scaled().times]
    calls += [functools.partial(of_list, [1]), lambda x: os.environ and here.FACTOR + x]
    calls += [grown]
    before = [client.submit(call, *([1] if call is not grown else [[0]])) for call in calls]
    again = [client.submit(call, *([1] if call is not grown else [[0]])) for call in calls]
    assert [f.key for f in before] == [f.key for f in again]
    assert client.gather(before) == [2, 2, [2], 2, [2], 3, 2, 3, [1]]
    k = 100
    monkeypatch.setattr(here, "FACTOR", 5)
    monkeypatch.setattr(here, "helper", lambda x: x - 1)
    monkeypatch.setattr(Scaled, "factor", 7)
    monkeypatch.setattr(here, "TABLE", TABLE)
    TABLE.append(10)
    calls[6].args[0].append(10)
    grown.args[0].append(2)
    try:
        after = [client.submit(call, *([1] if call is not grown else [[0]])) for call in calls]
        assert client.gather(after) == [101, 5, [0], 12, [0], 7, 12, 6, [1, 2]]
    finally:
        TABLE.pop()


class Scaled:
    factor = 3

    def times(self, x):
        return x * self.factor


def of_list(numbers, x):
    return sum(numbers) + x


def test_what_cannot_be_told_or_takes_long_to_read_is_called_again(client):
    large, lock, k = np.zeros(2**18), threading.Lock(), 1

    def of_large(x):
        return large[x]

    def of_lock(x):
        with lock:
            return x + k

    before = client.submit(of_large, 0), client.submit(of_lock, 1)
    assert client.gather(before) == (0, 2)
    large[0], k = 5, 10
    assert client.gather((client.submit(of_large, 0), client.submit(of_lock, 1))) == (5, 11)


def test_functions_that_are_defined_again_or_share_a_key(client):
    found = []
    for source in ["x + 1", "x + 2"]:
        names = {"__name__": "__main__"}
        exec(f"def helper(x): return {source}\ndef f(x): return helper(x)", names)
        found.append(client.submit(names["f"], 1))
    found += client.map(abs, [-3], key="k") + client.map(square, [-3], key="k")
    assert client.gather(found) == [2, 3, 3, 9]


def test_keys(client):
    assert client.submit(square, 3, key="mine").key == "mine"
    assert client.submit(square, 3).key.startswith("square-")
    assert [f.key for f in client.map(square, [1, 2], key=["a", "b"])] == ["a", "b"]
    named = client.map(square, [1, 2], key="sq")
    assert all(f.key.startswith("sq-") for f in named) and len({f.key for f in named}) == 2
    with pytest.raises(ValueError, match="3 keys for 2 calls"):
        client.map(square, [1, 2], key=["a", "b", "c"])


def test_map(client):
    assert client.gather(client.map(add, [1, 2, 3], iter([10, 20]))) == [11, 22]
    assert client.gather(client.map(pow, [2, 3], mod=5, exp=2)) == [4, 4]
    assert client.gather(client.map(square, range(7), batch_size=3)) == [n * n for n in range(7)]
    assert client.map(square, []) == []
    twice = client.map(add, client.map(square, range(3)), [1, 1, 1])
    assert client.gather(twice) == [1, 2, 5]
    with pytest.raises(TypeError, match="at least one iterable"):
        client.map(square)


def test_gather_keeps_containers_and_leaves_out_what_failed(client):
    good, bad = client.submit(square, 3), client.submit(divmod, 1, 0)
    assert client.gather(good) == 9
    assert client.gather({"a": [good, (good, 7)]}) == {"a": [9, (9, 7)]}
    assert client.gather(iter([good, good])) == [9, 9]
    assert client.gather([good, bad, good], errors="skip") == [9, 9]
    assert client.gather({"a": good, "b": [bad]}, errors="skip") == {"a": 9, "b": []}
    with pytest.raises(ZeroDivisionError):
        client.gather([good, bad])
    with pytest.raises(ValueError, match="raise"):
        client.gather([good], errors="ignore")


def test_scatter(client):
    x = np.arange(3)
    future = client.scatter(x)
    assert future.status == "finished" and future.result() is x
    listed = client.scatter([1, "two"])
    assert client.gather(listed) == [1, "two"]
    assert client.gather(client.scatter((1, 2))) == (1, 2)
    assert client.gather(client.scatter(iter([1, 2]))) == [1, 2]
    named = client.scatter({"a": 1, "b": 2})
    assert named["a"].key == "a" and client.gather(named) == {"a": 1, "b": 2}
    assert client.scatter(1).key == listed[0].key != client.scatter(1, hash=False).key
    assert client.submit(sum, listed[:1]).result(SOON) == 1


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 3))
def test_random_graphs_give_what_python_gives(seed, n, threads):
    rng = Random(seed)
    expected, futures = [], []
    with gs.Client(threads_per_worker=threads) as client:
        for i in range(n):
            known = rng.sample(range(i), min(i, rng.randrange(4)))
            fails = rng.random() < 0.05

            def call(*values, i=i, fails=fails):
                if fails:
                    raise ZeroDivisionError(i)
                return i + sum(values)

            bad = fails or any(expected[k] is None for k in known)
            expected.append(None if bad else i + sum(expected[k] for k in known))
            futures.append(client.submit(call, *[futures[k] for k in known], pure=False))
            if rng.random() < 0.2:
                j = rng.randrange(i + 1)
                if expected[j] is not None:
                    assert futures[j].result(SOON) == expected[j]
        for j in rng.sample(range(n), n):
            error = futures[j].exception(SOON)
            assert (error is None) == (expected[j] is not None)
            assert error is not None or futures[j].result() == expected[j]


# priorities, retries, resources


def test_priorities_and_then_the_order_of_submission(lonely):
    gate, order = Gate(), []
    first = lonely.submit(gate)
    assert gate.begun.wait(SOON)
    futures = [lonely.submit(order.append, k, pure=False) for k in range(3)]
    with gs.annotate(priority=2):
        futures.append(lonely.submit(order.append, "annotated", pure=False))
    futures.append(lonely.submit(order.append, "first", priority=10, pure=False))
    futures.append(lonely.submit(order.append, "last", priority=-1, pure=False))
    gate.open.set()
    gs.wait([first, futures], SOON)
    assert order == ["first", "annotated", 0, 1, 2, "last"]


def test_retries(client):
    answers = [ValueError("once"), ValueError("twice"), 7]

    def flaky():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with gs.annotate(backoff=0.001):
        assert client.submit(flaky, retries=2).result(SOON) == 7
        answers[:] = [ValueError("once"), ValueError("twice"), 7]
        with pytest.raises(ValueError, match="twice"):
            client.submit(flaky, retries=1, pure=False).result(SOON)


def test_resources_are_scarce_and_those_that_do_not_exist_are_refused():
    with gs.Client(threads_per_worker=3, resources={"GPU": 1}) as client:
        gate, second = Gate(), Gate()
        one = client.submit(gate, 1, resources={"GPU": 1})
        two = client.submit(second, 2, resources={"GPU": 1})
        assert gate.begun.wait(SOON)
        assert client.submit(square, 3).result(SOON) == 9  # overtakes
        assert not second.begun.is_set()
        gate.open.set()
        second.open.set()
        assert client.gather([one, two]) == [1, 2]
        with pytest.raises(EngineError, match="asks for 2 of 'GPU'"):
            client.submit(square, 2, resources={"GPU": 2})
        with pytest.raises(EngineError, match="TPU"):
            client.map(square, [2, 3], resources={"TPU": 1})
        with pytest.raises(ValueError, match="retries"):
            client.submit(square, 2, retries=-1)
        assert client.submit(square, 2).result(SOON) == 4


def test_a_client_and_compute_share_what_is_scarce():
    with gs.Client(threads_per_worker=2, resources={"GPU": 1}) as client:
        gate = Gate()
        with gs.annotate(resources={"GPU": 1}):
            lazy = [gs.delayed(square)(k) for k in range(10)]
        with gs.annotate(resources={"GPU": 1}):
            running = client.submit(gate, 1)
        assert gate.begun.wait(SOON)
        computed = ThreadPoolExecutor(1).submit(gs.compute, lazy)
        with pytest.raises(TimeoutError):
            computed.result(0.02)
        gate.open.set()
        assert computed.result(SOON) == ([k * k for k in range(10)],)
        assert running.result(SOON) == 1
        assert client.submit(square, 3, resources={"GPU": 1}).result(SOON) == 9


def test_a_task_that_takes_too_long_is_left_to_itself(lonely):
    gate = Gate()
    with gs.annotate(timeout=0.01):
        late = lonely.submit(gate)
        parent = lonely.submit(lambda: gs.get_client().submit(square, 3).result())
    assert isinstance(late.exception(SOON), TimeoutError)
    assert lonely.submit(square, 2).result(SOON) == 4
    gate.open.set()
    assert parent.exception(SOON) is None or isinstance(parent.exception(), TimeoutError)
    with gs.annotate(timeout=SOON):
        assert lonely.submit(fibonacci, 6).result(SOON) == 8


# errors, cancelling, trying again


def test_an_error_arises_in_all_that_need_it_with_its_traceback(client):
    def culprit():
        raise KeyError("here")

    bad = client.submit(culprit)
    user = client.submit(square, client.submit(square, bad))
    for future in (bad, user, user):
        with pytest.raises(KeyError, match="here") as caught:
            future.result(SOON)
        assert caught.traceback[-1].name == "culprit"
        assert len(caught.traceback) < 8
    assert user.exception() is bad.exception()
    assert user.status == "error"
    assert bad.traceback().tb_frame.f_code.co_name == "culprit"
    assert client.submit(square, 2).result(SOON) == 4
    assert client.submit(square, bad, pure=False).exception(SOON) is bad.exception()
    assert "in operation culprit" in bad.exception().__notes__[0]
    assert "test_client.py" in bad.exception().__notes__[0]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_is_no_exception_is_an_error_too(client, error):
    def raises():
        raise error

    assert client.submit(raises).exception(SOON) is error
    assert client.submit(square, 2).result(SOON) == 4


def test_cancelled_is_what_has_not_begun_and_what_needs_it(lonely):
    gate, ran = Gate(), []
    running = lonely.submit(gate, 1)
    assert gate.begun.wait(SOON)
    waiting = lonely.submit(ran.append, 1)
    user = lonely.submit(square, waiting)
    lonely.cancel([waiting])
    waiting.cancel()
    gate.open.set()
    assert running.result(SOON) == 1
    assert [f.status for f in (running, waiting, user)] == ["finished", "cancelled", "cancelled"]
    assert waiting.cancelled() and waiting.done() and ran == []
    for future in (waiting, user):
        with pytest.raises(CancelledError):
            future.result(SOON)
        with pytest.raises(CancelledError):
            future.exception(SOON)
    with pytest.raises(CancelledError, match="was cancelled"):
        lonely.submit(square, waiting)
    with pytest.raises(CancelledError):
        lonely.gather([waiting])
    assert lonely.gather([waiting], errors="skip") == []
    assert lonely.submit(ran.append, 1).result(SOON) is None  # the same call once more
    assert ran == [1]


def test_a_running_task_that_is_cancelled_goes_on_unseen(lonely):
    gate = Gate()
    future = lonely.submit(gate, key="gate")
    assert gate.begun.wait(SOON)
    future.cancel()
    assert future.cancelled()
    again = lonely.submit(square, 3, key="gate")
    gate.open.set()
    assert again.result(SOON) == 9


def test_trying_again(client):
    answers = [ValueError("once"), 7]

    def flaky():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    future = client.submit(flaky)
    user = client.submit(square, future)
    assert isinstance(user.exception(SOON), ValueError)
    user.retry()  # what it needs is tried again as well
    assert (user.result(SOON), future.result(SOON)) == (49, 7)
    answers[:] = [ValueError("once"), 5]
    computed = client.compute(gs.delayed(square)(gs.delayed(flaky)()))
    assert isinstance(computed.exception(SOON), ValueError)
    client.retry([computed])
    assert computed.result(SOON) == 25


def test_bad_input(client):
    with pytest.raises(TypeError, match="what to call, not 3"):
        client.submit(3, 4)
    with pytest.raises(TypeError, match="what to call"):
        client.map(None, [4])
    with pytest.raises(TypeError, match="annotation"), gs.annotate(retires=2):
        pass
    with pytest.raises(NotSupportedError, match="clusters"):
        gs.Client("tcp://localhost:8786")
    with pytest.raises(NotSupportedError, match="processes"):
        gs.Client(processes=True)
    with pytest.raises(NotSupportedError, match="actors"):
        client.submit(dict, actor=True)
    with pytest.raises(ValueError, match="threads_per_worker"):
        gs.Client(threads_per_worker=0)
    with gs.Client(threads_per_worker=1) as other:
        future = other.submit(square, 2)
        for call in (
            lambda: client.submit(square, [future]),
            lambda: client.cancel(future),
            lambda: client.retry([future]),
        ):
            with pytest.raises(ValueError, match="another client"):
                call()
        assert client.gather(future) == 4


# how long things live


def test_a_result_goes_with_its_last_future(client):
    future = client.submit(np.ones, 10)
    result = weakref.ref(future.result(SOON))
    same = client.submit(np.ones, 10)
    del future
    assert result() is not None
    user = client.submit(np.sum, same)
    assert user.result(SOON) == 10
    del same
    assert result() is None


def test_what_a_finished_task_was_given_goes(client):
    x = np.ones(10)
    given, held = weakref.ref(x), np.ones(3)
    scattered = client.scatter(held)
    futures = [client.submit(np.sum, x), client.submit(lambda y, z: z, [x], scattered)]
    gs.wait(futures, SOON)
    del x
    assert given() is None
    assert futures[1].result() is held
    del scattered, futures
    assert sys.getrefcount(held) == 2


def test_scattering_waits_for_no_worker(lonely):
    gate = Gate()
    running = lonely.submit(gate)
    assert gate.begun.wait(SOON)
    future = lonely.scatter([1, 2])
    assert lonely.gather(future) == [1, 2]
    user = lonely.submit(sum, future)
    gate.open.set()
    assert user.result(SOON) == 3 and running.result(SOON) is None


def test_release(client):
    future = client.submit(np.ones, 10)
    result = weakref.ref(future.result(SOON))
    future.release()
    assert result() is None and future.status == "cancelled"
    with pytest.raises(CancelledError):
        future.result()


def test_what_nobody_keeps_does_not_run_unless_it_is_fired_and_forgotten(lonely):
    gate, ran = Gate(), []
    first = lonely.submit(gate)
    assert gate.begun.wait(SOON)
    lonely.submit(ran.append, "dropped")
    gs.fire_and_forget([lonely.submit(ran.append, "fired")])
    last = lonely.submit(ran.append, "kept")
    gate.open.set()
    gs.wait([first, last], SOON)
    assert ran == ["fired", "kept"]


def test_many_tasks_leave_nothing_behind(client):
    def live_objects():
        gc.collect()
        return len(gc.get_objects())

    def work(n):
        for k in range(n):
            assert client.submit(square, k).result(SOON) == k * k
        futures = client.map(square, range(n))
        chained = [client.submit(add, f, 1) for f in futures]
        assert client.gather(chained)[-1] == (n - 1) ** 2 + 1

    work(500)
    before, state = live_objects(), client._session.job.state
    n_numbers = len(state._tasks)
    work(500)
    assert live_objects() - before < 300
    assert len(state._tasks) < n_numbers + 100
    assert (state.alive, state.unfinished) == (0, 0)


def test_a_long_chain_neither_overflows_nor_keeps_what_is_past(client):
    future = client.submit(np.zeros, 1)
    for _ in range(1000):
        future = client.submit(add, future, 1, pure=False)
    assert future.result(SOON) == [1000]
    until = time.monotonic() + SOON
    while len(client.has_what()["inproc"]) > 1:
        assert time.monotonic() < until
    gate = Gate()
    future = client.submit(gate, 0)
    for _ in range(2000):
        future = client.submit(add, future, 1, pure=False)
    gate.open.set()
    assert future.result(SOON) == 2000
    bad = client.submit(divmod, 1, 0)
    for _ in range(2000):
        bad = client.submit(add, bad, 1, pure=False)
    assert isinstance(bad.exception(SOON), ZeroDivisionError)
    del bad


# tasks in tasks


def fibonacci(n):
    if n < 2:
        return n
    client = gs.get_client()
    return sum(client.gather([client.submit(fibonacci, n - 1), client.submit(fibonacci, n - 2)]))


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
    assert (lonely._session.job.state.running, lonely._session.job.state.reserved) == (0, 0)
    assert lonely.submit(square, 4).result(SOON) == 16
    for function in (gs.secede, gs.rejoin):
        with pytest.raises(ValueError, match="in a task"):
            function()


# collections


def test_compute_starts_collections(client):
    x = ga.arange(12, chunks=5)
    total, values, seven = client.compute([x.sum(), x * 2, 7])
    assert seven == 7
    assert type(total.result(SOON)) is type(x.sum().compute())
    assert (total.result(), list(values.result(SOON))) == (66, list(range(0, 24, 2)))
    assert client.compute({"a": gs.delayed(add)(1, x.max())}, sync=True) == {"a": 12}
    assert client.submit(add, total, 1).result(SOON) == 67


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


# open and close


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
    with pytest.raises(CancelledError, match="'slow' was cancelled: its client was closed while"):
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


def test_a_client_that_is_not_closed_goes_with_its_last_name():
    before = config.get("memory-limit")
    client = gs.Client(threads_per_worker=1, memory_limit="1 MiB")
    assert client.submit(square, 2).result(SOON) == 4
    gone, session = weakref.ref(client), client._session
    del client
    until = time.monotonic() + SOON
    while gone() is not None or not session.closed:
        gc.collect()
        assert time.monotonic() < until
    assert config.get("memory-limit") == before


def test_a_client_and_compute_share_their_memory():
    runs = get_engine("threads")._runs
    with gs.Client(threads_per_worker=2, memory_limit="10 MiB") as client:
        kept = client.submit(np.ones, 1_000_000)
        gs.wait(kept, SOON)
        (session,) = {client._session} & runs
        assert session.job.state.alive == 8_000_000
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
