"""Results of a worker on a device that has room for a few: all come back, wherever they went."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuscale.backends.cupy_ops import out_of_memory_type
from gpuscale.base import config
from gpuscale.base.errors import SpillError
from gpuscale.cluster import result_store
from gpuscale.cluster.result_store import ResultStore, make_store
from gpuscale.memory import parked as parking
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import POOL, TRANSFERS, fake

OutOfMemoryError = out_of_memory_type()


@pytest.fixture(autouse=True)
def device(tmp_path):
    """A device with room for two arrays of 800 bytes, a host with room for one more."""
    options = {
        "device-memory-limit": 1600,
        "device-spill-to-host": 800,
        "temporary-directory": str(tmp_path),
    }
    with fake_device.active(), config.set(options):
        yield


def array(n):
    return fake.asarray(np.full(100, float(n)))


def places(store):
    """Where each result is."""
    shelves = {"device": store._device, "host": store._host, "disk": store._disk}
    return {key: name for name, shelf in shelves.items() for key in shelf}


def test_the_oldest_go_first_to_the_host_and_then_to_disk():
    store = ResultStore({})
    for n in range(4):
        store[n] = array(n)
    assert places(store) == {2: "device", 3: "device", 1: "host", 0: "disk"}
    assert store.spilled_total.memory == 800 and store.spilled_total.disk > 0


def test_what_is_asked_for_is_on_the_device_again():
    store = ResultStore({})
    for n in range(4):
        store[n] = array(n)
    for n in (0, 1, 2, 3):
        assert type(store[n]) is type(array(0))
        assert (store[n].get() == n).all()
        assert places(store)[n] == "device"
    assert len(store) == 4


def test_use_counts_and_not_age():
    store = ResultStore({})
    store["a"], store["b"] = array(1), array(2)
    store["a"]
    store["c"] = array(3)
    assert places(store) == {"a": "device", "c": "device", "b": "host"}


def test_one_result_larger_than_the_limit_stays():
    store = ResultStore({})
    store["large"] = fake.asarray(np.zeros(1000))
    assert places(store) == {"large": "device"}
    store["next"] = array(1)
    assert places(store)["next"] == "device" and places(store)["large"] != "device"


def test_what_others_hold_stays():
    store = ResultStore({})
    whole = fake.asarray(np.zeros((10, 100)))
    store["part"] = whole[3]  # its memory goes only with the whole
    for n in range(3):
        store[n] = array(n)
    assert store["part"].base is not None
    assert (store["part"].get() == 0).all()


def test_tuples_and_results_of_the_host():
    others = {}
    store = ResultStore(others)
    store["pair"] = (array(1), array(2))
    store["host"] = np.arange(5)
    store["more"] = array(3)
    assert list(others) == ["host"]
    first, second = store["pair"]
    assert (first.get() == 1).all() and (second.get() == 2).all()
    assert set(store) == {"pair", "host", "more"} and "host" in store and "none" not in store


def test_removing_brings_nothing_back():
    store = ResultStore({})
    for n in range(4):
        store[n] = array(n)
    TRANSFERS.clear()
    del store[0]
    del store[1]
    assert not TRANSFERS.nbytes("asarray")
    assert places(store) == {2: "device", 3: "device"}
    with pytest.raises(KeyError):
        store[0]
    assert (store.pop(2).get() == 2).all()
    store[3] = array(9)  # instead of what was there
    assert (store[3].get() == 9).all() and len(store) == 1


def test_the_worker_may_ask_for_memory_of_the_host():
    store = ResultStore({})
    for n in range(3):
        store[n] = array(n)
    assert places(store)[0] == "host" and store.fast
    assert store.evict() == 800
    assert places(store)[0] == "disk" and not store.fast
    assert store.evict() == -1


def test_a_full_disk_keeps_results_where_they_are(monkeypatch, caplog):
    def full(*arguments):
        raise SpillError("the disk is full")

    monkeypatch.setattr(parking, "spill", full)
    store = ResultStore({})
    for n in range(4):
        store[n] = array(n)
    assert places(store)[0] == places(store)[1] == "host"
    assert "the disk is full" in caplog.text
    assert all((store[n].get() == n).all() for n in range(4))


def test_what_has_no_room_for_the_copy_stays_on_the_device(monkeypatch):
    store = ResultStore({})
    store[0], store[1] = array(0), array(1)

    def no_room(result):
        raise OutOfMemoryError(800, 0)

    monkeypatch.setattr(result_store, "park", no_room)
    store[2] = array(2)
    assert set(places(store).values()) == {"device"}
    assert all((store[n].get() == n).all() for n in range(3))


def test_others_leave_for_what_comes_back():
    store = ResultStore({})
    for n in range(4):
        store[n] = array(n)
    with POOL.limited_to(0):
        assert (store[0].get() == 0).all()
    assert places(store)[0] == "device" and len(store) == 4
    assert all((store[n].get() == n).all() for n in range(4))


def test_no_room_for_what_comes_back_is_said():
    store = ResultStore({})
    for n in range(3):
        store[n] = array(n)
    del store[1], store[2]
    with POOL.limited_to(0), pytest.raises(OutOfMemoryError):
        store[0]
    assert (store[0].get() == 0).all()


def test_moves_are_logged_if_wanted(caplog):
    caplog.set_level("INFO", "gpuscale.cluster")
    for logs in (False, True):
        store = ResultStore({}, logs=logs)
        for n in range(3):
            store[n] = array(n)
        assert ("0 left the device: 800 B" in caplog.text) == logs


@given(
    st.lists(st.tuples(st.sampled_from(["set", "get", "del", "evict"]), st.integers(0, 5))),
)
def test_it_is_a_dictionary(steps):
    store, model = ResultStore({}), {}
    for count, (step, key) in enumerate(steps):
        if step == "set":
            store[key], model[key] = array(count), count
        elif step == "get" and key in model:
            assert (store[key].get() == model[key]).all()
        elif step == "del" and key in model:
            del store[key], model[key]
        elif step == "evict":
            store.evict()
        assert set(store) == set(model)
        assert store._device.nbytes == 800 * len(store._device) <= 1600
        assert store._host.nbytes == 800 * len(store._host) <= 800
        assert store._disk.nbytes == 800 * len(store._disk)


def test_the_rest_is_kept_as_workers_keep_it(tmp_path):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    store = make_store(str(tmp_path), 10_000, logs=False)
    for n in range(10):
        store[n] = np.full(200, n)
    store["device"] = array(1)
    assert store.spilled_total.disk > 0
    assert all((store[n] == n).all() for n in range(10))
    assert make_store(str(tmp_path), None, logs=False).spilled_total == (0, 0)


def test_a_worker_keeps_its_results_there():
    distributed = pytest.importorskip("distributed", reason="needs the extra cluster")
    from gpuscale.cluster import LocalCluster

    data = (make_store, {"memory_limit": 1 << 30, "logs": False})
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "data": data}
    with (
        LocalCluster(dashboard_address=None, **options) as cluster,
        distributed.Client(cluster) as client,
    ):
        futures = client.map(array, range(8))
        distributed.wait(futures)
        (worker,) = cluster.workers.values()
        assert sorted(places(worker.data).values()) == ["device"] * 2 + ["disk"] * 5 + ["host"]
        sums = client.map(lambda data: float(data.get().sum()), futures)
        assert client.gather(sums) == [100.0 * n for n in range(8)]
        assert len(worker.data) == 16
        del futures, sums
        while worker.data:
            client.run(lambda: None)
