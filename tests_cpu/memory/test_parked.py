"""Results of a device that are away: they come back as they were, whole or in regions."""

import numpy as np
import pytest

from gpuscale.backends.cupy_ops import out_of_memory_type
from gpuscale.backends.seams import array_namespace
from gpuscale.memory.parked import park
from gpuscale.memory.spill_folder import SpillFolder
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import POOL, TRANSFERS, fake


@pytest.fixture(autouse=True)
def on_device():
    with fake_device.active():
        yield


@pytest.fixture
def folder(tmp_path):
    return SpillFolder(tmp_path)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("sunk", [False, True])
def test_an_array_comes_back_with_the_layout_it_had(order, sunk, folder):
    host = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    in_memory = np.ascontiguousarray(host.transpose(order))
    data = fake.asarray(in_memory).transpose(tuple(map(order.index, range(3))))
    parked = park(data)
    if sunk:
        parked.sink(folder)
    assert (parked.stored > 0) == sunk
    back = parked.load()
    assert type(back) is type(data) and back.strides == data.strides and back.dtype == data.dtype
    assert (back.get() == host).all()
    assert parked.nbytes == data.nbytes and parked.kind is type(data)


@pytest.mark.parametrize("sunk", [False, True])
def test_regions_come_to_the_device_alone(sunk, folder):
    host = np.arange(600).reshape(20, 30)
    parked = park(fake.asarray(host))
    if sunk:
        parked.sink(folder)
    regions = parked.regions()
    assert array_namespace(regions) is fake
    assert (regions.shape, regions.ndim, regions.size, len(regions)) == ((20, 30), 2, 600, 20)
    TRANSFERS.clear()
    assert (regions[2:4, ::3].get() == host[2:4, ::3]).all()
    assert (regions.take([3, 1, 3], axis=1).get() == host[:, [3, 1, 3]]).all()
    assert (regions.take(fake.asarray([5, 0]), axis=0).get() == host[[5, 0]]).all()
    assert int(regions[7, 8]) == host[7, 8]
    assert TRANSFERS.nbytes("asarray") == 8 * (2 * 10 + 20 * 3 + 2 + 2 * 30 + 1)


def test_tuples_go_and_come_as_tuples(folder):
    parked = park((fake.arange(5), fake.ones(7)))
    parked.sink(folder)
    first, second = parked.load()
    assert first.get().tolist() == [0, 1, 2, 3, 4] and (second.get() == 1).all()
    assert parked.nbytes == 8 * 12 and [len(each) for each in parked.regions()] == [5, 7]


def test_what_frees_no_memory_stays():
    x = fake.arange(10)
    view = x[2:]
    assert park(view) is None and park(x) is None and park((fake.ones(3), view)) is None
    del view
    assert park(x) is not None
    assert park(fake.broadcast_to(fake.ones(1), (1000,))) is None
    assert park(np.arange(3)) is None and park("text") is None and park(()) is None
    assert park((fake.ones(3), 7)) is None


def test_a_view_that_alone_holds_its_memory_goes():
    parked = park(fake.arange(10)[::2])
    assert parked.load().get().tolist() == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("sunk", [False, True])
@pytest.mark.parametrize(
    ("make", "room"),
    [
        (lambda x: x[::-1], 0),
        (lambda x: x.transpose(1, 0)[::-1, ::-1], 0),
        (lambda x: x[::2], 0),
        (lambda x: x[::2, ::3], 512),
        (lambda x: x.transpose(1, 0)[::-2], 512),
    ],
)
def test_views_go_from_a_device_that_is_full(make, room, sunk, folder):
    host = np.arange(240_000.0).reshape(400, 600)
    data = make(fake.asarray(host))
    with POOL.limited_to(room):
        parked = park(data)
    if sunk:
        parked.sink(folder)
    assert (parked.load().get() == make(host)).all()
    assert (parked.regions()[3:5, ::2].get() == make(host)[3:5, ::2]).all()


def test_a_view_that_cannot_be_copied_at_all_says_so():
    data = fake.arange(10)[::2]
    with POOL.limited_to(0), pytest.raises(out_of_memory_type()):
        park(data)
