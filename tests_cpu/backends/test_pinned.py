"""Copies through pinned buffers, on a stand-in that has CuPy's names and does each copy late."""

import threading
import types
from functools import partial

import numpy as np
import pytest

from gpuscale.backends import pinned
from gpuscale.backends.cupy_device import CupyDevice
from gpuscale.backends.pinned import Stager, stager_of


class Stream:
    """Does its work when somebody waits for an event that was recorded after it."""

    def __init__(self):
        self.work, self.most = [], 0

    def record(self):
        return types.SimpleNamespace(synchronize=partial(self.do, len(self.work)))

    def do(self, until):
        self.most = max(self.most, sum(each is not None for each in self.work))
        for k in range(until):
            if self.work[k] is not None:
                self.work[k]()
                self.work[k] = None


class Array:
    """Memory of a device; a copy is asked for and comes later."""

    def __init__(self, host):
        self.host = host

    nbytes = property(lambda self: self.host.nbytes)
    shape = property(lambda self: self.host.shape)
    dtype = property(lambda self: self.host.dtype)
    size = property(lambda self: self.host.size)
    itemsize = property(lambda self: self.host.itemsize)

    def reshape(self, *shape):
        view = self.host.reshape(*shape)
        assert view.base is not None, "a reshape that copies would lose what is set"
        return Array(view)

    def __getitem__(self, key):
        return Array(self.host[key])

    def get(self, stream=None, order="C", out=None, blocking=True):
        if out is None:
            return self.host.copy()
        assert blocking is False
        assert out.shape == self.shape and out.dtype == self.dtype
        stream.work.append(lambda: np.copyto(out, self.host))
        return out

    def set(self, arr, stream=None):
        assert arr.shape == self.shape and arr.dtype == self.dtype
        stream.work.append(lambda: np.copyto(self.host, arr))


class Cupy:
    """The module, with a count of the pinned buffers."""

    def __init__(self):
        self.stream, self.buffers = Stream(), []
        self.cuda = types.SimpleNamespace(
            Device=lambda: types.SimpleNamespace(id=0),
            alloc_pinned_memory=self._allocate,
            get_current_stream=lambda: self.stream,
        )

    def _allocate(self, size):
        self.buffers.append(bytearray(size))
        return self.buffers[-1]

    def ascontiguousarray(self, array):
        return Array(np.ascontiguousarray(array.host))

    def empty(self, shape, dtype):
        return Array(np.empty(shape, dtype))

    def asarray(self, host):
        return Array(host.copy())


@pytest.fixture
def cupy(monkeypatch):
    monkeypatch.setattr(pinned, "PIECE", 1000)
    monkeypatch.setattr(pinned, "SMALL", 100)
    return Cupy()


HOSTS = {
    "small": np.arange(5),
    "one piece": np.arange(100.0),
    "pieces": np.arange(5000, dtype="i4").reshape(50, 100),
    "odd": np.arange(1111, dtype="c16"),
    "transposed": np.arange(600.0).reshape(20, 30).T,
    "strided": np.arange(2000, dtype="f4")[::3],
    "empty": np.empty((0, 3)),
    "no axes": np.array(3.5),
    "bool": np.arange(3000) % 7 == 0,
}


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS.keys())
def test_there_and_back(cupy, host):
    stager = Stager(cupy)
    there = stager.upload(host)
    np.testing.assert_array_equal(there.host, host)
    back = stager.fetch(Array(host))
    assert back.dtype == host.dtype and back.flags.c_contiguous
    np.testing.assert_array_equal(back, host)


def test_two_buffers_are_used_by_turns_and_kept(cupy):
    stager = Stager(cupy)
    for _ in range(3):
        stager.fetch(Array(np.arange(5000.0)))
        stager.upload(np.arange(5000.0))
    assert len(cupy.buffers) == 2
    assert cupy.stream.most == 2  # one is filled while the other is emptied


def test_each_thread_has_its_own(cupy):
    stager = Stager(cupy)
    found = []

    def work(k):
        found.append((stager.fetch(Array(np.full(300, k))) == k).all())

    for k in range(3):
        thread = threading.Thread(target=work, args=(k,))
        thread.start()
        thread.join()
    assert found == [True] * 3
    assert len(cupy.buffers) == 2 * 3


def test_buffers_are_shared_by_all_who_use_one_cupy(cupy):
    assert stager_of(cupy) is stager_of(cupy)
    np.testing.assert_array_equal(CupyDevice(cupy).upload(np.arange(4)).host, np.arange(4))
