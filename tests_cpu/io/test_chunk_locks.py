import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.io.array_like import ItemWriter
from gpuscale.io.chunk_locks import _shared_chunks, hold_chunks, storage_name


class SlowStore:
    """Chunks of four elements, each written whole after it was read; time passes between."""

    chunks = (4,)
    dtype = np.dtype(float)

    def __init__(self, n: int) -> None:
        self.shape, self.values = (n,), np.zeros(n)

    def __setitem__(self, index, value):
        (where,) = index
        touched = range(self.shape[0])[where]
        old = slice(touched[0] // 4 * 4, touched[-1] // 4 * 4 + 4)
        kept = self.values.copy()
        time.sleep(0.001)
        kept[where] = value
        self.values[old] = kept[old]


def test_threads_that_share_a_stored_chunk_lose_nothing():
    target = SlowStore(12)

    def write(k):
        writer = ItemWriter(target, (slice(k, 12, 6),))
        writer.open((2,), np.dtype(float), ((2,),))
        writer.write((slice(0, 2),), np.full(2, k + 1.0))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert target.values.tolist() == [1, 2, 3, 4, 5, 6] * 2


def test_regions_that_share_a_stored_chunk_in_one_run():
    target = SlowStore(12)
    x = ga.arange(1.0, 7.0, chunks=2)
    ga.store([x, -x], [target] * 2, regions=[(slice(0, 6),), (slice(6, 12),)], engine="threads")
    assert target.values.tolist() == [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6]


@pytest.mark.parametrize("kind", ["folder", "memory"])
@pytest.mark.parametrize("shards", [None, (8, 8)])
def test_regions_of_one_zarr_array_written_by_threads(kind, shards, tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    store = zarr.storage.MemoryStore() if kind == "memory" else tmp_path / "x"
    zarr.create_array(store, shape=(16, 16), chunks=(4, 4), shards=shards, dtype="f8")
    x = np.random.default_rng(0).random((16, 16))

    def write(k):
        row, column = 3 * (k // 6), 3 * (k % 6)
        region = (slice(row, row + 3), slice(column, column + 3))
        ga.to_zarr(x[region], zarr.open_array(store), region=region)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(36)))
    np.testing.assert_array_equal(zarr.open_array(store)[:], x)


def test_handles_of_one_array_share_a_name(tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is an extra")
    (tmp_path / "link").symlink_to(tmp_path)
    zarr.open_group(tmp_path).create_array("g/x", shape=(3,), dtype="f8")
    handles = [
        zarr.open_array(tmp_path, path="g/x"),
        zarr.open_array(tmp_path / "g" / "x"),
        zarr.open_array(tmp_path / "link" / "g", path="x"),
    ]
    assert {storage_name(each) for each in handles} == {str(tmp_path / "g" / "x")}
    stored = {}
    zarr.create_array(stored, shape=(3,), dtype="f8")
    names = {storage_name(zarr.open_array(zarr.storage.MemoryStore(stored))) for _ in range(2)}
    assert len(names) == 1
    arrays = np.zeros(3), np.zeros(3)
    assert len(set(map(storage_name, arrays))) == 2


@given(st.data())
def test_two_pieces_that_share_a_chunk_share_a_lock(data):
    shape, stored = (20, 20), data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    bound, step = st.integers(0, 20), st.integers(1, 3)

    def piece():
        return [
            range(*sorted((data.draw(bound), data.draw(bound))), data.draw(step)) for _ in shape
        ]

    def chunks(selected):
        rows, columns = selected
        return {(r // stored[0], c // stored[1]) for r in rows for c in columns}

    def overlap(first, second):
        return all(set(a) & set(b) for a, b in zip(first, second, strict=True))

    first, second = piece(), piece()
    if chunks(first) & chunks(second) and not overlap(first, second):
        locks = [_shared_chunks("x", each, shape, stored) for each in (first, second)]
        assert locks[0] & locks[1]


def test_whole_chunks_need_no_lock():
    for selected in ([range(4, 12)], [range(8, 14)], [range(3, 3)]):
        assert _shared_chunks("x", selected, (14,), (4,)) == set()
    assert len(_shared_chunks("x", [range(13)], (1000,), (1,))) == 0
    assert len(_shared_chunks("x", [range(0, 1000, 2)], (1000,), (2,))) == 64


def test_others_wait_until_a_chunk_is_free():
    inside, order = threading.Event(), []

    def late():
        inside.wait()
        with hold_chunks("x", [range(2, 3)], (9,), (4,)):
            order.append("late")

    thread = threading.Thread(target=late)
    thread.start()
    with hold_chunks("x", [range(1)], (9,), (4,)):
        inside.set()
        time.sleep(0.02)
        order.append("early")
    thread.join()
    assert order == ["early", "late"]
