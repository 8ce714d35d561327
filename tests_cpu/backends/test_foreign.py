"""Arrays of other GPU libraries, on stand-ins that say where their memory lies as those do."""

import types

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.backends import creation, foreign
from gpuscale.backends.devices import IN_USE, MemoryFigures
from gpuscale.backends.foreign import adopted, from_dlpack
from gpuscale.base.errors import BackendError
from gpuscale.base.tokens import tokenize
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device.array import make
from gpuscale.testing.fake_device.memory import Memory

FLOAT = object()  # what PyTorch has for a dtype: nothing that NumPy knows


class OfCuda:
    """As a tensor of PyTorch on a GPU, or an array of Numba's."""

    def __init__(self, host, index=0):
        self.host, self.index, self.dtype, self.shape = host, index, FLOAT, host.shape

    def __getitem__(self, key):
        raise AssertionError("nothing is copied by way of Python")

    @property
    def __cuda_array_interface__(self):
        return {"shape": self.host.shape, "typestr": "<f8", "data": (1, False), "version": 3}


class OfDlpack:
    """What exports through DLPack alone, on a kind of device."""

    def __init__(self, host, kind, index=0):
        self.host, self.kind, self.index = host, kind, index
        self.dtype, self.shape = FLOAT, host.shape

    def __getitem__(self, key):
        raise AssertionError("nothing is copied by way of Python")

    def __dlpack_device__(self):
        return self.kind, self.index

    def __dlpack__(self, **kwargs):
        return self.host.__dlpack__(**kwargs)


@pytest.fixture
def taken(monkeypatch):
    """The names of what was asked of CuPy, whose arrays are those of the fake device here."""
    calls = []

    def take(name):
        def function(value):
            calls.append(name)
            array = make(value.host, Memory(value.host))  # the very memory
            array_device = types.SimpleNamespace(id=value.index)
            monkeypatch.setattr(type(array), "device", array_device)
            return array

        return function

    cupy = types.SimpleNamespace(asarray=take("asarray"), from_dlpack=take("from_dlpack"))
    with fake_device.active():
        monkeypatch.setattr(type(make(np.ones(1), Memory(np.ones(1)))), "device", None)
        monkeypatch.setattr(foreign, "namespace", lambda name: cupy)
        fake_device.TRANSFERS.clear()
        yield calls


@pytest.mark.parametrize(
    ("made", "call"),
    [
        (lambda host: OfCuda(host), "asarray"),
        (lambda host: OfDlpack(host, 2), "from_dlpack"),
        (lambda host: OfDlpack(host, 13), "from_dlpack"),
    ],
    ids=["interface", "dlpack", "managed"],
)
def test_they_are_taken_without_a_copy(taken, made, call):
    host = np.arange(6.0)
    x = ga.asarray(made(host), chunks=3)
    assert x.backend == "fake" and x.dtype == float and x.numblocks == (2,)
    assert taken == [call]
    y = x + 1
    assert fake_device.TRANSFERS.calls() == 0
    host[0] = 7  # a change in place, seen by whoever took no copy
    np.testing.assert_array_equal(y.compute(), host + 1)
    assert fake_device.TRANSFERS.calls("asarray") == 0


def test_a_copy_is_made_where_it_is_asked_for(taken):
    host = np.arange(6.0)
    x = ga.asarray(OfCuda(host), copy=True)
    host[0] = 7
    assert x.compute()[0] == 0


def test_from_dlpack(taken):
    x = ga.from_dlpack(OfDlpack(np.arange(4.0), 2), chunks=2)
    assert x.backend == "fake" and x.numblocks == (2,)
    np.testing.assert_array_equal(x.compute(), np.arange(4.0))


def test_they_are_operands(taken):
    x = ga.asarray(OfCuda(np.arange(3.0)))
    np.testing.assert_array_equal((x * OfCuda(np.full(3, 2.0))).compute(), [0, 2, 4])


def test_those_of_the_host_whose_dtype_numpy_does_not_know(taken):
    x = ga.asarray(OfDlpack(np.arange(3.0), 1))
    assert x.backend == "numpy" and taken == []
    np.testing.assert_array_equal(x.compute(), [0, 1, 2])


def test_what_is_known_is_left_alone():
    for value in (np.ones(2), np.float32(1), [1, 2], (3,), "text", 1.5):
        assert adopted(value) is value
    with fake_device.active() as xp:
        array = xp.ones(2)
        assert adopted(array) is array


def test_other_devices_are_refused(taken, monkeypatch):
    with pytest.raises(BackendError, match="kind 10, which is neither .* move it to the host"):
        from_dlpack(OfDlpack(np.ones(2), 10))
    monkeypatch.setitem(IN_USE, "cupy", types.SimpleNamespace(index=0))
    for take in (ga.asarray, ga.from_array, ga.sin):
        with pytest.raises(BackendError, match="lies on device 3, .* computes on device 0"):
            take(OfCuda(np.ones(2), index=3))


def test_arrays_of_the_backend_on_another_device_are_refused(taken, monkeypatch):
    device = types.SimpleNamespace(index=0, figures=lambda: MemoryFigures(0))
    monkeypatch.setitem(IN_USE, "cupy", device)
    array = make(np.ones(2), Memory(np.ones(2)))
    for index in (0, 1):
        monkeypatch.setattr(type(array), "device", types.SimpleNamespace(id=index))
        for take in (ga.asarray, ga.from_array, ga.sin, lambda x: ga.ones(2, like="fake") + x):
            if index == 0:
                assert take(array).backend == "fake"
                continue
            with pytest.raises(BackendError, match=r"on device 1, .* device 0; .*cupy\.asarray"):
                take(array)


def test_without_cupy_it_says_how_to_get_it():
    if creation._loaded.get("cupy"):
        pytest.skip("CuPy works here")
    with pytest.raises(BackendError, match="OfCuda lies on a GPU.*gpuscale doctor"):
        ga.asarray(OfCuda(np.ones(2)))
    with pytest.raises(BackendError, match="OfDlpack lies on a GPU.*gpuscale doctor"):
        ga.from_dlpack(OfDlpack(np.ones(2), 2))


def test_what_does_not_export_is_named():
    with pytest.raises(AttributeError, match="__dlpack_device__"):
        from_dlpack(3)


class Exporting(fake_device.ndarray):
    """An array of the fake device that says where it lies, as CuPy's do."""

    __slots__ = ()

    @property
    def __cuda_array_interface__(self):
        return {"data": (self._host.ctypes.data, False), "shape": self.shape, "version": 3}


def test_lazy_arrays_say_where_their_result_lies(monkeypatch):
    monkeypatch.setattr(
        fake_device.ndarray,
        "__cuda_array_interface__",
        Exporting.__cuda_array_interface__,
        raising=False,
    )
    with fake_device.active():
        x = ga.arange(6, chunks=3, like="fake") + 1
        fake_device.TRANSFERS.clear()
        first = x.__cuda_array_interface__
        assert first["shape"] == (6,)
        assert x.__cuda_array_interface__ == first  # the handle keeps what was computed
        assert x.numblocks == (1,)
        assert fake_device.TRANSFERS.calls() == 0
        np.testing.assert_array_equal(x.compute(), np.arange(1, 7))


def test_lazy_arrays_of_the_host_have_no_such_interface():
    assert not hasattr(ga.ones(3), "__cuda_array_interface__")


def test_arrays_of_a_device_are_known_by_identity_and_not_by_content():
    with fake_device.active() as xp:
        one, other = xp.arange(4.0), xp.arange(4.0)
        fake_device.TRANSFERS.clear()
        x, same, y = (ga.asarray(each) for each in (one, one, other))
        assert x.expr is same.expr and x.expr is not y.expr
        assert fake_device.TRANSFERS.calls() == 0
        assert x.expr.reader.may_change
        assert tokenize(one) == tokenize(one) != tokenize(other)
