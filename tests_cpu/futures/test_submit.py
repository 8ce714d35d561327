"""`Client`: submit, map, gather, scatter; which calls are the same task."""

import asyncio
import functools
import os
import sys
import threading
from dataclasses import dataclass
from operator import add
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.base.errors import MemoryBudgetError

from .tasks import SOON, square


@dataclass
class Pair:
    first: object
    second: object


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
    assert client.gather(client.scatter(range(3))) == [0, 1, 2]
    named = client.scatter({"a": 1, "b": 2})
    assert named["a"].key == "a" and client.gather(named) == {"a": 1, "b": 2}
    assert client.scatter(1).key == listed[0].key != client.scatter(1, hash=False).key
    assert client.submit(sum, listed[:1]).result(SOON) == 1


def test_a_name_of_scattered_data_is_of_these_data_alone(client):
    first = client.scatter({"w": np.arange(3)})
    assert client.scatter({"w": np.arange(3)})["w"].key == "w"
    with pytest.raises(ValueError, match="'w' is the name of a future of something else"):
        client.scatter({"v": 1, "w": np.arange(4)})
    assert client.gather(first)["w"].tolist() == [0, 1, 2]
    del first
    assert client.scatter({"w": 5})["w"].result() == 5
    go = threading.Event()
    call = client.submit(go.wait, SOON, key="call")
    with pytest.raises(ValueError, match="'call' is the name"):
        client.scatter({"call": 1})
    go.set()
    assert call.result(SOON) is True


@pytest.mark.parametrize("is_default", [True, False])
def test_a_call_that_needs_more_than_the_limit_is_refused(is_default):
    limit = {"memory_limit": "100 MB", "threads_per_worker": 1, "set_as_default": is_default}
    with gs.Client(**limit) as small, gs.annotate(memory="400 MB"):
        for start in [
            lambda: small.submit(abs, -1),
            lambda: small.map(abs, [-1]),
            lambda: small.get_executor().submit(abs, -1),
            lambda: small.compute(gs.delayed(abs)(-1)),
            lambda: small.get({"x": (abs, -1)}, "x"),
        ]:
            with pytest.raises(MemoryBudgetError, match="needs 381.5 MiB at once"):
                start()


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


# lazy values among the arguments

LAZY = {
    "delayed": lambda: gs.delayed(int)("7"),
    "array": lambda: ga.arange(8, chunks=3).max(),
    "checkpoint": lambda: gs.delayed(max)(ga.arange(8, chunks=3)),
}


@pytest.mark.parametrize("name", LAZY)
def test_lazy_arguments_are_computed_wherever_they_are(client, name):
    lazy = LAZY[name]()
    for given_, expected in [
        (lazy, 7),
        ([lazy, [lazy, 3]], [7, [7, 3]]),
        ({"a": lazy, 2: (lazy,)}, {"a": 7, 2: (7,)}),
        (Pair(lazy, [client.submit(int, "2")]), Pair(7, [2])),
    ]:
        assert client.submit(lambda value: value, given_).result(SOON) == expected
        assert client.submit(lambda *, value: value, value=given_).result(SOON) == expected
        with client.get_executor() as executor:
            assert executor.submit(lambda value: value, given_).result(SOON) == expected
    assert client.submit(pow, lazy, lazy).result(SOON) == 7**7
    assert client.gather(client.map(pow, [lazy, 2], [2, lazy])) == [49, 128]
    assert client.gather(client.map(lambda x, y: x - y, [9], y=lazy)) == [2]


def test_a_function_gets_the_whole_of_an_array(client):
    x = ga.arange(12, chunks=5).reshape(3, 4)
    found = client.submit(lambda value: value, x).result(SOON)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, np.arange(12).reshape(3, 4))


def test_what_lazy_arguments_have_in_common_is_computed_once(client):
    calls = Calls()

    def load():
        calls.append(1)
        return 5

    loaded = gs.delayed(load)()
    assert client.submit(divmod, loaded + 2, loaded - 3).result(SOON) == (3, 1)
    futures = client.map(pow, [loaded + k for k in range(4)], [loaded] * 4)
    assert client.gather(futures) == [5**5, 6**5, 7**5, 8**5]
    assert len(calls) == 2  # nobody held it between


def test_lazy_arguments_that_fail_or_do_not_fit_say_so(client):
    assert isinstance(
        client.submit(abs, gs.delayed(divmod)(1, 0)).exception(SOON), ZeroDivisionError
    )
    with gs.Client(threads_per_worker=1, memory_limit="1 MiB") as small:
        with pytest.raises(MemoryError, match="memory limit"):
            small.submit(np.sum, ga.ones(1_000_000))
        assert small.submit(float, ga.ones(1_000_000).sum()).result(SOON) == 1e6


def test_equal_calls_with_equal_lazy_arguments_are_one_task(client):
    x = ga.arange(8, chunks=3)
    first, second = client.submit(np.sum, x + 1), client.submit(np.sum, x + 1)
    assert first.key == second.key and first.result(SOON) == 36
    assert client.submit(np.sum, x + 2).key != first.key


def test_coroutine_functions_are_awaited():
    async def doubled(n, *, times=2):
        await asyncio.sleep(0)
        return times * n

    class Doubler:
        async def double(self, n):
            return await doubled(n)

    async def total(n):  # awaits in the only thread what others must run in it
        client = gs.get_client()
        return sum(await asyncio.gather(*[client.submit(doubled, k) for k in range(n)]))

    async def broken():
        raise KeyError("no")

    with gs.Client(threads_per_worker=1) as client:
        two = client.submit(doubled, 1)
        assert client.submit(doubled, two).result(SOON) == 4
        assert client.submit(doubled, 1).key == two.key
        assert two.key.startswith("doubled-")
        assert client.submit(functools.partial(doubled, times=3), 2).result(SOON) == 6
        assert client.submit(Doubler().double, 5).result(SOON) == 10
        assert client.gather(client.map(doubled, [1, 2], times=5)) == [5, 10]
        assert client.submit(total, 4).result(SOON) == 12
        assert client.submit(abs, -1).result(SOON) == 1
        with pytest.raises(KeyError):
            client.submit(broken).result(SOON)


def test_what_is_kept_already_is_computed_and_is_an_argument(client, tmp_path):
    x = ga.arange(10, chunks=4)
    (held,), (on_disk,) = gs.persist(x * 2), gs.persist(x * 3, path=tmp_path)
    assert client.compute(held.sum()).result() == 90
    assert client.submit(lambda a, b: a.sum() + b.sum(), held, on_disk).result() == 225
    assert client.compute(client.persist(held) + on_disk).result().tolist() == [*range(0, 50, 5)]
