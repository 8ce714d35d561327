"""What cannot work on a device is named, with what to do, before anything runs."""

import sys
import types

import numpy as np
import pytest

import gpuscale as gs
import gpuscale.array as ga
from gpuscale.backends import creation
from gpuscale.base.errors import BackendError, NotSupportedError
from gpuscale.testing import fake_device

OBJECTS = np.array([1, "a"], dtype=object)


@pytest.fixture(autouse=True)
def fake(request):
    if request.config.getoption("--backend") == "fake":  # active for the whole run
        yield
        return
    with fake_device.active():
        yield


@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_without_cupy_nothing_runs(monkeypatch, engine):
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.delitem(creation._loaded, "cupy", raising=False)
    ran = [engine]

    def note(chunk):
        ran.append(1)
        return chunk

    host = ga.ones(6, chunks=3, like="numpy").map_blocks(note, dtype=float)
    inside = (host.to_backend("cupy") + 1).to_backend("numpy").sum()
    with pytest.raises(BackendError, match=r"pip install gpuscale\[cuda13\].*like=numpy"):
        inside.compute(engine=engine)
    with pytest.raises(BackendError, match="like=numpy"):
        inside.persist(engine=engine)
    with gs.Client(threads_per_worker=1) as client, pytest.raises(BackendError, match="like=numpy"):
        client.compute(inside)
    assert ran == [engine]


def test_without_a_driver(monkeypatch):
    cupy = types.ModuleType("cupy")
    cupy.cuda = types.SimpleNamespace(is_available=lambda: False)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.delitem(creation._loaded, "cupy", raising=False)
    with pytest.raises(BackendError, match="no CUDA device here.*nvidia-smi.*like=numpy"):
        ga.ones(3, like="cupy").compute()


@pytest.mark.parametrize("name", ["cupy:1", "cuda:7", "fake:0"])
def test_a_device_by_its_number(name):
    index = name.partition(":")[2]
    with pytest.raises(BackendError, match=f"CUDA_VISIBLE_DEVICES={index} before the program"):
        ga.ones(3, like=name)
    with pytest.raises(BackendError, match=f"no backend '{name}'"):
        ga.ones(3).to_backend(name)


MAKERS = {
    "asarray": lambda: ga.asarray(OBJECTS, like="fake"),
    "zeros": lambda: ga.zeros(3, dtype=object, like="fake"),
    "astype": lambda: ga.ones(3, like="fake").astype(object),
    "text": lambda: ga.ones(3, like="fake").astype("U5"),
    "dates": lambda: ga.asarray(np.array(["2020-01-01"], "M8[D]"), like="fake"),
    "order": lambda: ga.ones(3, like="fake").astype(">f8"),
    "to_backend": lambda: ga.asarray(OBJECTS).to_backend("fake"),
    "map_blocks": lambda: ga.ones(3, like="fake").map_blocks(str, dtype=object),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_dtypes_that_no_device_has(make):
    with pytest.raises(NotSupportedError, match="on fake: a device has none but.*x.astype"):
        make()


def test_dtypes_that_a_kernel_may_lack_are_done_by_the_library():
    half = (ga.ones(5, dtype="f2", like="fake") * 2).sum()
    assert half.dtype == np.float16 and half.compute() == 10
    spiral = (ga.arange(4, like="fake") * 1j).prod()
    assert spiral.compute() == 0


MIXED = {
    "add": lambda x, h: x + h,
    "ndarray": lambda x, h: ga.where(x > 0, h, x),
    "concatenate": lambda x, h: ga.concatenate([x, h]),
    "matmul": lambda x, h: x.reshape(2, 3) @ h.reshape(3, 2),
    "tensordot": lambda x, h: ga.tensordot(x, h, axes=1),
    "mask": lambda x, h: x[h > 0],
    "map_blocks": lambda x, h: ga.map_blocks(np.add, x, h, dtype=float),
}


@pytest.mark.parametrize("mix", MIXED.values(), ids=MIXED.keys())
def test_arrays_of_host_and_device_do_not_mix(mix):
    x, h = ga.ones(6, chunks=3, like="fake"), ga.ones(6, chunks=3, like="numpy")
    with pytest.raises(BackendError, match=r"backends fake and numpy.*x.to_backend\('fake'\)"):
        mix(x, h)


def test_elements_to_look_for():
    x = ga.asarray(np.arange(6), chunks=3, like="fake")
    assert ga.isin(x, [1, 5, 9]).compute().tolist() == [False, True, False, False, False, True]
    refused = pytest.raises(BackendError, match="isin got arrays of the backends fake and numpy")
    with gs.config.set({"array.backend": "numpy"}), refused:
        ga.isin(x, np.array([1, 5]))
