"""Results on disk are what they were in memory, whole and in every region."""

import errno
import os
import pickle
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpuscale.base.errors import SpillError
from gpuscale.memory import spill_file, spilled
from gpuscale.memory.parts import Parts, SpilledParts
from gpuscale.memory.spill import spill
from gpuscale.memory.spill_folder import SpillFolder
from gpuscale.memory.spilled import SpilledArray, SpilledObject, SpilledTuple


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = SpillFolder(tmp_path_factory.mktemp("spill"))
    yield folder
    folder.remove()


DTYPES = ("f8", "i2", "?", "c8", "M8[s]", "S3", "U2", ">i4", [("a", "i1"), ("b", "f8")], "f8")
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)


@st.composite
def arrays_and_indices(draw):
    shape, dtype = draw(SHAPES), np.dtype(draw(st.sampled_from(DTYPES)))
    size = int(np.prod(shape))
    data = np.frombuffer(np.random.default_rng(0).bytes(size * dtype.itemsize), dtype)
    data = (data if dtype.kind not in "bU" else np.arange(size).astype(dtype)).reshape(shape)
    data = data.copy().transpose(draw(st.permutations(range(len(shape)))))
    index = draw(hnp.basic_indices(data.shape, allow_newaxis=False))
    return data, index


@settings(max_examples=150, deadline=None)
@given(arrays_and_indices(), st.sampled_from([0, 40, 1 << 13]), st.sampled_from([1, 100, 1 << 20]))
def test_regions_are_those_of_the_array(folder, case, gap, buffer):
    data, index = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spilled, "_GAP", gap)
        patch.setattr(spilled, "BUFFER", buffer)
        found = spill(data, folder)
        assert isinstance(found, SpilledArray)
        assert (found.shape, found.dtype, found.nbytes) == (data.shape, data.dtype, data.nbytes)
        assert (found.ndim, found.size) == (data.ndim, data.size)
        whole, part = found.load(), found[index]
    assert whole.dtype == data.dtype
    assert whole.shape == data.shape
    assert whole.tobytes() == data.tobytes()
    part, expected = np.asarray(part, data.dtype), np.asarray(data[index], data.dtype)
    assert part.shape == expected.shape
    assert part.tobytes() == expected.tobytes()


@settings(max_examples=100, deadline=None)
@given(
    hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=30),
    st.data(),
    st.sampled_from([0, 40, 1 << 13]),
    st.sampled_from([1, 100, 1 << 20]),
)
def test_takes_are_those_of_the_array(folder, shape, data, gap, buffer):
    x = np.arange(np.prod(shape)).reshape(shape)
    axis = data.draw(st.integers(0, x.ndim - 1))
    positions = data.draw(
        hnp.arrays(np.int64, st.integers(0, 9), elements=st.integers(0, shape[axis] - 1))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spilled, "_GAP", gap)
        patch.setattr(spilled, "BUFFER", buffer)
        found = spill(x, folder)
        np.testing.assert_array_equal(found.take(positions, axis), x.take(positions, axis))


def test_the_layout_stays(folder):
    for data in (np.ones((300, 40)), np.ones((300, 40)).T, np.ones((4, 50, 6)).transpose(1, 2, 0)):
        assert spill(data, folder).load().strides == data.strides


def test_gaps_are_not_written(folder):
    data = np.random.default_rng(0).random((600, 1000))[::2, 10:900]
    found = spill(data, folder)
    assert found.stored == data.nbytes
    np.testing.assert_array_equal(found.load(), data)


def test_what_shrinks_is_compressed(folder, monkeypatch):
    monkeypatch.setattr(spill_file, "_FRAME", 1000)
    data = (np.arange(70_000) // 1000).reshape(700, 100)
    for each in (data, data.T, data[:, ::2]):
        found = spill(each, folder)
        assert found.stored < each.nbytes / 5
        np.testing.assert_array_equal(found.load(), each)
        np.testing.assert_array_equal(found[3:77, 2:5], each[3:77, 2:5])


def test_tuples_of_arrays_are_read_in_regions(folder):
    pair = np.arange(10.0), np.arange(10)
    found = spill(pair, folder)
    assert isinstance(found, SpilledTuple)
    assert [each[2:4].tolist() for each in found.regions()] == [[2, 3], [2, 3]]
    assert [each.tolist() for each in found.load()] == [each.tolist() for each in pair]
    assert found.nbytes == found.stored == 160


@pytest.mark.parametrize("random", [True, False])
@pytest.mark.parametrize("n", [100, 3000])
def test_many_arrays_of_one_result_are_read_together(folder, monkeypatch, n, random):
    rng = np.random.default_rng(0)
    value = [rng.random(k % 20) if random else np.full(k % 20, 0.5) for k in range(n)]
    found, calls = spill(value, folder), []

    def counted(call):
        return lambda *args: calls.append(call) or call(*args)

    for module, name in ((os, "open"), (os, "pread"), (os, "preadv"), (zlib, "decompress")):
        monkeypatch.setattr(module, name, counted(getattr(module, name)))
    back = found.load()
    assert len(calls) < 15
    for one, other in zip(back, value, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.flags.writeable and one.flags.aligned


def test_files_that_are_read_in_small_pieces(folder, monkeypatch):
    value = [np.random.default_rng(k).random(k % 7) for k in range(50)]
    found, preadv = spill(value, folder), os.preadv
    monkeypatch.setattr(spill_file, "_MOST_TARGETS", 3)
    monkeypatch.setattr(os, "preadv", lambda file, to, at: preadv(file, [to[0][:11]], at))
    for one, other in zip(found.load(), value, strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_results_are_pickled(folder):
    value = {"a": [np.arange(1000), "text"], "b": np.array([1, None], object)}
    found = spill(value, folder, 8000)
    assert isinstance(found, SpilledObject)
    assert found.nbytes == 8000
    back = found.load()
    back["a"][0][0] = 7  # writable
    assert back["a"][0][1:].tolist() == list(range(1, 1000))
    assert back["b"].tolist() == [1, None]
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    assert spill(masked, folder).load().mask.tolist() == [True, False]


def test_what_cannot_be_pickled_stays_in_memory(folder):
    assert spill(lambda: 0, folder) is None
    assert spill((np.arange(3), lambda: 0), folder) is None


def test_only_integers_and_slices_are_indices(folder):
    found = spill(np.arange(6).reshape(2, 3), folder)
    for wrong in ([0, 1], np.array([True, False]), None, (0, 0, 0)):
        with pytest.raises(IndexError):
            found[wrong]
    with pytest.raises(IndexError, match="out of bounds"):
        found[2]


def test_a_full_disk_is_told_and_leaves_nothing(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = set(os.listdir(folder.path))
    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "pwrite", full)
    large = np.arange(9_000)
    for each in (np.arange(9), (np.arange(9), np.arange(9)), {"x": 1}, large, [large]):
        with pytest.raises(SpillError, match="No space left.*temporary-directory.*memory-limit"):
            spill(each, folder, 72)
    assert set(os.listdir(folder.path)) == before


def test_removed_results_take_no_room(folder):
    before = set(os.listdir(folder.path))
    large = np.arange(9_000)
    found = [spill(each, folder) for each in (large, (large, large), [large])]
    assert len(os.listdir(folder.path)) == len(before) + 4
    if os.fork() == 0:
        del found
        os._exit(0)
    os.wait()
    assert len(os.listdir(folder.path)) == len(before) + 4
    del found
    assert set(os.listdir(folder.path)) == before


def test_small_results_share_a_file_which_goes_with_the_last_of_them(folder):
    before = set(os.listdir(folder.path))
    rng = np.random.default_rng(1)
    values = [rng.random(1 + k % 90) if k % 3 else {"x": [k] * k} for k in range(200)]
    values += [(rng.random(7), np.zeros(7_000)), np.asfortranarray(rng.random((4, 9)))]
    found = [spill(each, folder) for each in values]
    assert len(os.listdir(folder.path)) == len(before) + 1
    for value, each in zip(values, found, strict=True):
        np.testing.assert_equal(each.load(), value)
    assert found[-1][1:3, 4:].tolist() == values[-1][1:3, 4:].tolist()
    assert found[-1].load().flags.f_contiguous
    del found[:-1], each
    assert len(os.listdir(folder.path)) == len(before) + 1
    del found
    assert set(os.listdir(folder.path)) == before
    kept = [spill(rng.random(8_000), folder) for _ in range(100)]  # 64 kB each
    assert len(os.listdir(folder.path)) == len(before) + 2
    with ThreadPoolExecutor(4) as pool:
        many = list(pool.map(lambda k: spill(np.full(9, k), folder), range(500)))
    assert [each.load().tolist() for each in many] == [[k] * 9 for k in range(500)]
    del kept, many
    assert set(os.listdir(folder.path)) == before


def test_errors_survive_pickling():
    assert str(pickle.loads(pickle.dumps(SpillError("no room")))) == "no room"


@pytest.mark.parametrize("index", [(), slice(1, 3), (slice(None), slice(None, None, -2)), (0, ...)])
def test_regions_of_what_may_not_be_changed_may_not_either(folder, index):
    data = np.arange(12.0).reshape(4, 3)
    data.flags.writeable = False
    part = spill(data, folder)[index]
    with pytest.raises(ValueError, match="read-only"):
        part[...] = 1
    assert spill(data.copy(), folder)[index].flags.writeable
    assert spill(data, folder).take([1], 0).flags.writeable  # a copy, as of the array itself


def test_objects_hold_arrays_that_may_be_changed_as_before(folder):
    fixed, free = np.arange(8.0), np.arange(8.0)
    fixed.flags.writeable = False
    views = fixed[::2], free[::2], np.arange(6.0).reshape(2, 3).T
    found = spill({"x": [fixed, free, *views]}, folder, 200).load()
    writeable = [each.flags.writeable for each in found["x"]]
    assert writeable == [False, True, False, True, True]


class Words(Parts):
    def __init__(self, words):
        self.words = list(words)

    nbytes = 1 << 20  # so that it gets a file of its own

    def __len__(self):
        return len(self.words)

    def __getitem__(self, number):
        return self.words[number]

    of = classmethod(lambda cls, parts: cls(parts))


def test_parts_are_read_one_by_one(folder):
    words = Words([np.arange(5), "text", {"x": np.ones((3, 4))[:, 1:3]}, None])
    found = spill(words, folder)
    assert isinstance(found, SpilledParts) and found.regions() is found and len(found) == 4
    np.testing.assert_array_equal(found[2]["x"], np.ones((3, 2)))
    assert found[0].tolist() == [0, 1, 2, 3, 4] and found[1] == "text" and found[3] is None
    assert found[0].flags.aligned and found[0].flags.writeable
    loaded = found.load()
    assert isinstance(loaded, Words) and loaded[1] == "text" and loaded[3] is None


def test_parts_that_cannot_be_pickled_stay(folder):
    assert spill(Words([1, lambda: 2, 3]), folder) is None
