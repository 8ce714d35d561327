"""Frames of a device on the host and on disk, and back again."""

import numpy as np
import pandas as pd
import pytest

import gpuscale.dataframe as gd
from gpuscale.backends.transfer import to_device, to_host
from gpuscale.dataframe.algorithms.partitioning import HashCut
from gpuscale.memory.measure import held_bytes
from gpuscale.memory.parked import may_park, park
from gpuscale.memory.spill_folder import SpillFolder
from gpuscale.memory.spilled import SpilledObject
from gpuscale.testing import fake_device

PDF = pd.DataFrame({"x": np.arange(1000), "y": np.arange(1000) / 2, "n": ["a", "b"] * 500})


@pytest.fixture(autouse=True)
def fake():
    with fake_device.active() as xp:
        yield xp


@pytest.mark.parametrize("host", [PDF, PDF.x, PDF.index[::2]])
def test_rows_leave_the_device_and_come_back(host, tmp_path):
    data = to_device(host, "fake")
    held = fake_device.POOL.used
    assert held_bytes(data, 0) > 0 or isinstance(host, pd.RangeIndex)
    parked = park(data)
    del data
    assert fake_device.POOL.used < held or not parked.nbytes
    for stored in (False, True):
        assert bool(parked.stored) is stored
        assert to_host(parked.load()).equals(host)
        parked.sink(SpillFolder(tmp_path))
    assert isinstance(parked._stored, SpilledObject)


def test_a_cut_partition_comes_back_part_by_part(tmp_path):
    cut = HashCut(("x",), 3)(to_device(PDF, "fake"))
    expected = [to_host(cut[k]) for k in range(3)]
    parked = park(cut)
    for _ in ("on the host", "on disk"):
        parts = parked.regions()
        assert all(to_host(parts[k]).equals(expected[k]) for k in range(3))
        assert to_host(parked.load().rows).equals(to_host(cut.rows))
        parked.sink(SpillFolder(tmp_path))


def test_arrays_and_frames_together(fake):
    both = (to_device(PDF, "fake"), fake.arange(5))
    assert may_park(both) and not may_park([both]) and not may_park((both,))
    frame, array = park(both).load()
    assert to_host(frame).equals(PDF)
    assert to_host(array).tolist() == [0, 1, 2, 3, 4]


def test_partitions_that_the_device_has_no_room_for():
    df = gd.from_pandas(PDF, npartitions=10, backend="fake")
    size = fake_device.POOL.used
    with fake_device.POOL.limited_to(3 * PDF.memory_usage(deep=True).sum()):
        kept = df.assign(z=df.x + 1).persist(engine="sync")
        expected = PDF.assign(z=PDF.x + 1)
        assert kept.compute(engine="sync").equals(expected)
        found = kept.sort_values("y", ascending=False).compute(engine="sync")
    assert found.equals(expected.sort_values("y", ascending=False))
    del kept
    assert fake_device.POOL.used <= size + PDF.memory_usage(deep=True).sum()
