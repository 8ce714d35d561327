import pickle
import threading

import numpy as np
import pytest

from gpuscale.base.tokens import ARRAY_CONTENT_LIMIT
from gpuscale.io.array_like import ArrayLikeReader, ItemWriter, reader_of
from gpuscale.io.pieces import PieceReader

LARGE = ARRAY_CONTENT_LIMIT // 8 + 1


class Slow:
    """An array that notices when two threads read or write it at once."""

    def __init__(self, data):
        self.data, self.shape, self.dtype = data, data.shape, data.dtype
        self.chunks = (2,)
        self._busy = threading.Lock()
        self.collided = False

    def _enter(self):
        if not self._busy.acquire(blocking=False):
            self.collided = True
            return
        threading.Event().wait(0.005)
        self._busy.release()

    def __getitem__(self, index):
        self._enter()
        return self.data[index].tolist()

    def __setitem__(self, index, value):
        self._enter()
        self.data[index] = value


def run_together(function, n=8):
    threads = [threading.Thread(target=function, args=(k,)) for k in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(("lock", "collides"), [(None, True), (True, False), (False, True)])
def test_lock(lock, collides):
    array = Slow(np.arange(8))
    reader, writer = ArrayLikeReader(array, lock), ItemWriter(array, lock=lock)
    run_together(lambda k: reader.read((slice(k, k + 1),)))
    run_together(lambda k: writer.write((slice(k, k + 1),), np.array([k])))
    assert array.collided is collides


def test_a_lock_of_the_user_is_held():
    lock, array = threading.Lock(), Slow(np.arange(8))
    reader = ArrayLikeReader(array, lock)
    run_together(lambda k: reader.read((slice(k, k + 1),)))
    assert not array.collided


def test_pieces_of_other_objects_become_arrays():
    reader = ArrayLikeReader(Slow(np.arange(8)))
    np.testing.assert_array_equal(reader.read((slice(2, 4),)), [2, 3])
    assert (reader.cost, reader.backend, reader.chunks) == ("decode", "numpy", ((2, 2, 2, 2),))


def test_irregular_chunks_are_not_taken_for_stored_ones():
    array = Slow(np.arange(8))
    array.chunks = ((3, 5),)
    assert ArrayLikeReader(array).chunks is None
    assert ItemWriter(array).safe_grid() is None


def test_small_arrays_are_copied():
    """Arrays with equal contents share one reader, which must not see one of them change."""
    x = np.zeros(3)
    reader = ArrayLikeReader(x)
    x[:] = 5
    assert reader.read((slice(None),)).tolist() == [0, 0, 0]
    assert reader.token == ArrayLikeReader(np.zeros(3)).token


def test_large_arrays_are_not_copied():
    x = np.zeros(LARGE)
    reader = ArrayLikeReader(x)
    piece = reader.read((slice(0, 2),))
    assert np.shares_memory(piece, x)
    assert reader.token == ArrayLikeReader(x).token != ArrayLikeReader(np.zeros(LARGE)).token


@pytest.mark.parametrize("n", [3, LARGE])
def test_pieces_cannot_change_the_array(n):
    x = np.zeros(n)
    piece = ArrayLikeReader(x).read((slice(0, 2),))
    with pytest.raises(ValueError, match="read-only"):
        piece[0] = 1
    assert x.flags.writeable


@pytest.mark.parametrize("n", [3, LARGE])
def test_pickles_keep_their_token(n):
    reader = ArrayLikeReader(np.zeros(n), lock=True)
    again = pickle.loads(pickle.dumps(reader))
    assert again.token == reader.token
    np.testing.assert_array_equal(again.read((slice(None),)), np.zeros(n))


def test_item_writer_is_sent_with_its_target():
    writer = pickle.loads(pickle.dumps(ItemWriter(np.zeros(3), lock=True)))
    writer.write((slice(0, 2),), np.ones(2))
    assert writer.array.tolist() == [1, 1, 0]


def test_item_writer_flushes(tmp_path):
    target = np.memmap(tmp_path / "x", "i4", "w+", shape=(4,))
    writer = ItemWriter(target)
    writer.open((4,), target.dtype, ((4,),))
    writer.write((slice(0, 4),), np.arange(4))
    writer.commit()
    assert np.fromfile(tmp_path / "x", "i4").tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("thing", [3, "text", [1, 2], {"a": 1}, None])
def test_no_array(thing):
    with pytest.raises(TypeError, match="cannot be read in pieces: it has no .*asarray"):
        reader_of(thing)
    with pytest.raises(TypeError, match="cannot store into"):
        ItemWriter(thing)


def test_reader_of_finds_the_reader():
    assert isinstance(reader_of(np.arange(3)), ArrayLikeReader)
    assert isinstance(reader_of(Slow(np.arange(3)), lock=True), PieceReader)
