"""What a computation finds on a device that has room for a fifth of its data."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.memory.limits import device_memory_limit
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import POOL
from gpuscale.testing.fake_device.small import BESIDE, a_fifth_of_room


@pytest.fixture
def room():
    """The limits that tasks find, from the first one on."""
    with fake_device.active(), a_fifth_of_room():
        yield Room()


class Room:
    def __init__(self):
        self.plans = self.pool = None

    def look(self, chunk):
        self.plans, self.pool = device_memory_limit(), POOL.limit - POOL.used
        return chunk + 0


def drawn(n, chunk):
    return ga.random.default_rng(0).random(n, chunks=chunk, like="fake")


def test_there_is_room_for_a_fifth(room):
    drawn(200_000, 1_000).map_blocks(room.look, dtype=float).sum().compute()
    assert room.plans == 200_000 * 8 // 5
    assert room.pool <= room.plans + BESIDE + 200 * 16  # a sum of each chunk never leaves


def test_there_is_room_for_the_largest_task(room):
    x = drawn(200_000, 100_000).map_blocks(room.look, dtype=float)
    x.sum().compute()
    assert 2 * 800_000 <= room.plans < 5 * 800_000


def test_what_persist_keeps_comes_on_top(room):
    kept = drawn(50_000, 1_000).persist()
    drawn(200_000, 1_000).map_blocks(room.look, dtype=float).sum().compute()
    assert room.plans == 200_000 * 8 // 5 + kept.nbytes


def test_another_limit_stays(room):
    with POOL.limited_to(700_000):
        drawn(200_000, 1_000).map_blocks(room.look, dtype=float).sum().compute()
    assert room.plans <= 700_000 and room.pool <= 700_000


def test_data_larger_than_the_room_goes_to_the_host_and_back(room):
    fake_device.TRANSFERS.clear()
    x = drawn(200_000, 1_000)
    np.testing.assert_array_equal(np.sort(x)[::1_000].compute(), np.sort(x.compute())[::1_000])
    assert fake_device.TRANSFERS.nbytes("get") > x.nbytes
