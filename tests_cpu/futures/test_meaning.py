"""Which calls are the same task: functions and arguments count as they are when submitted."""

import functools
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import gpuscale as gs
from gpuscale.base.errors import GraphError
from gpuscale.futures.meaning import meaning, present

from .tasks import SOON, square


def cached(k):
    @functools.lru_cache
    def predict(x):
        return k * x

    return predict


def of_property(k):
    class Model:
        @functools.cached_property
        def k(self):
            return k

    return lambda x: Model().k * x


def of_partial_method(k):
    class Model:
        def times(self, k, x):
            return k * x

        by_k = functools.partialmethod(times, k)

    return Model().by_k


def of_cached_method(k):
    class Model:
        @functools.cache  # noqa: B019
        def times(self, x):
            return k * x

    return Model().times


def dispatched(k):
    @functools.singledispatch
    def times(x):
        raise TypeError(x)

    times.register(int, lambda x: k * x)
    return times


def wraps_dispatched(k):
    inner = dispatched(2)

    @functools.wraps(inner)
    def times(x):
        return inner(x) * k // 2

    return times


def dispatched_method(k):
    class Model:
        @functools.singledispatchmethod
        def times(self, x):
            return k * x

    return Model().times


def called_on_a_class(k):
    class Model:
        factor = k

        @classmethod
        def times(cls, x):
            return cls.factor * x

    return Model.times


class Memo:
    """A decorator that looks like what it decorates."""

    def __init__(self, function):
        functools.update_wrapper(self, function)

    def __call__(self, x):
        return self.__wrapped__(x)


MAKERS = [
    cached,
    of_property,
    of_partial_method,
    of_cached_method,
    dispatched,
    dispatched_method,
    called_on_a_class,
    lambda k: Memo(lambda x: k * x),
    lambda k: np.vectorize(lambda x: k * x, otypes=[int]),
    lambda k: np.frompyfunc(lambda x: k * x, 1, 1),
    lambda k: functools.partial(cached(k)),
    lambda k: lambda x: cached(k)(x),
    wraps_dispatched,
]


@pytest.mark.parametrize("maker", MAKERS)
def test_what_holds_a_function_is_known_by_it(client, maker):
    futures = [client.submit(maker(k), 10) for k in (1, 2, 3)]
    assert client.gather(futures) == [10, 20, 30]
    futures = [client.submit(lambda f, x: f(x), maker(k), 10) for k in (1, 2, 3)]
    assert client.gather(futures) == [10, 20, 30]


@pytest.mark.parametrize("maker", [*MAKERS[:8], *MAKERS[10:]])
def test_equal_functions_in_what_holds_them_are_one_task(maker):
    assert meaning(maker(1)) == meaning(maker(1)) != meaning(maker(2))


def test_functions_of_numba(client):
    from numba import njit

    def maker(k):
        return njit(lambda x: k * x)

    futures = [client.submit(maker(k), 10) for k in (1, 2, 3)]
    assert client.gather(futures) == [10, 20, 30]
    one = maker(1)
    assert meaning(one) == meaning(one)


@functools.cache
def module_cached(x):
    return x + 1


module_memo = Memo(square)


def test_cached_functions_of_modules_that_are_defined_again(client, monkeypatch):
    here = sys.modules[__name__]

    def again(x):
        return x + 2

    for name in ("module_cached", "module_memo"):
        first = client.submit(getattr(here, name), 1)
        again.__qualname__ = name
        kind = functools.cache if name == "module_cached" else Memo
        monkeypatch.setattr(here, name, kind(again))
        assert client.submit(getattr(here, name), 1).result(SOON) == 3
        assert first.result(SOON) in (1, 2)


def test_cached_functions_that_call_themselves():
    def made(step):
        @functools.cache
        def count(n):
            return n and count(n - 1) + step

        return count

    assert meaning(made(1)) == meaning(made(1)) != meaning(made(2))


@pytest.mark.parametrize("size", [1000, 200_000, 3_000_000])
def test_a_buffer_that_is_filled_again(client, size):
    buffer = np.empty(size)
    futures = []
    for k in range(3):
        buffer[:] = k
        futures += [
            client.submit(np.max, buffer),
            client.submit(lambda things: things[0].max(), [buffer]),
            client.submit(lambda thing: thing.buffer.max(), SimpleNamespace(buffer=buffer)),
            client.submit(np.max, client.scatter(buffer)),
            client.map(np.max, [buffer], key="max")[0],
        ]
        gs.wait(futures)
    assert client.gather(futures) == [k for k in range(3) for _ in range(5)]


def test_a_writable_memory_map_that_is_filled_again(client, tmp_path):
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", shape=(1000,))
    futures = []
    for k in range(3):
        mapped[:] = k
        futures.append(client.submit(np.max, mapped))
        gs.wait(futures)
    assert client.gather(futures) == [0, 1, 2]


def test_equal_arrays_are_one_task_up_to_a_size():
    for size in (10, 300_000):
        x = np.arange(size, dtype="f4")
        assert present(x) == present(x.copy()) != present(x + 1)
        assert present(x) != present(np.repeat(x, 2)[::2])
        assert present(x) != present(x.view("i4"))
    assert present(np.zeros(2**24 + 1, "u1")) != present(np.zeros(2**24 + 1, "u1"))


class Noted(np.ndarray):
    """An array with an attribute."""


class NotedMasked(np.ma.MaskedArray):
    """A masked array with an attribute."""


@pytest.mark.parametrize("kind, size", [(Noted, 3), (NotedMasked, 3), (Noted, 200_000)])
def test_attributes_of_arrays_count(client, kind, size):
    noted = np.ones(size).view(kind)
    futures = []
    for k in range(3):
        noted.note = [k]
        futures.append(client.submit(lambda x: x.note[0], noted))
        gs.wait(futures)
    assert client.gather(futures) == [0, 1, 2]
    assert present(noted) == present(noted)


def test_arguments_that_hold_themselves(client):
    circle = []
    circle.append(circle)
    for pure in (True, False):
        with pytest.raises(GraphError, match="holds itself"):
            client.submit(len, circle, pure=pure)
        with pytest.raises(GraphError, match="holds itself"):
            client.map(len, [circle], pure=pure)
    with pytest.raises(GraphError, match="holds itself"):
        client.gather(circle)


def test_objects_that_hold_themselves_are_arguments(client):
    one = SimpleNamespace(k=1)
    one.itself = one
    assert client.submit(lambda x: x.itself.k, one).result(SOON) == 1
    one.k = 2
    assert client.submit(lambda x: x.itself.k, one).result(SOON) == 2


class Counted:
    times = 0

    def __gpuscale_tokenize__(self):
        self.times += 1
        return "counted"


def test_what_all_calls_of_a_map_are_given_is_read_once(client):
    counted = Counted()
    futures = client.map(lambda x, given: x, range(5), given=counted)
    assert client.gather(futures) == [0, 1, 2, 3, 4]
    assert counted.times == 1
    assert client.submit(len, "ab").key == client.map(len, ["ab"])[0].key
    assert client.submit(int, "11", base=2).key == client.map(int, ["11"], base=2)[0].key


def test_the_same_elements_with_gaps_between_them(client):
    def first_bytes(x):
        return x.view("u1")[:1]

    x = np.arange(10)
    with pytest.raises(ValueError, match="contiguous"):
        client.submit(first_bytes, x[::2]).result()
    failed = client.submit(first_bytes, x[::2])
    assert client.submit(first_bytes, x[::2].copy()).result().tolist() == [0]
    assert client.submit(first_bytes, x[::2]).key == failed.key
    steps = client.scatter([x[::2], x[::2].copy()])
    assert [each.result().strides for each in steps] == [(16,), (8,)]


def test_the_same_elements_in_another_order_in_memory(client):
    x = np.arange(6).reshape(2, 3)
    y = np.asfortranarray(x)
    calls = [client.submit(np.ravel, each, order="K") for each in (x, y)]
    assert [call.result().tolist() for call in calls] == [[0, 1, 2, 3, 4, 5], [0, 3, 1, 4, 2, 5]]
    assert [each.result().flags.f_contiguous for each in client.scatter([x, y])] == [False, True]
    ravel = gs.delayed(np.ravel, pure=True)
    first, second = gs.compute(ravel(x, order="K"), ravel(y, order="K"))
    assert (first.tolist(), second.tolist()) == ([0, 1, 2, 3, 4, 5], [0, 3, 1, 4, 2, 5])
