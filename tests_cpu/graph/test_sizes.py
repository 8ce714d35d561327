"""Bytes of what tasks evaluate inside of them."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.memory.projection import task_bytes
from gpuscale.run import graph_of
from gpuscale.testing import assert_eq
from gpuscale.testing.memory import assert_room_is_enough


class Decoded:
    """An array that is read in copies."""

    def __init__(self, data):
        self.data, self.shape, self.dtype = data, data.shape, data.dtype

    def __getitem__(self, index):
        return self.data[index].copy()


@pytest.fixture
def data():
    return np.random.default_rng(0).random((300, 200))


def test_a_source_that_is_broadcast_is_read_at_its_own_size(data):
    z = ga.from_array(Decoded(data), chunks=100)
    with config.set({"memory-limit": "1 MB"}):  # the differences would take 28 MB
        y = ((z[:200, None, :90] - z[None, :200, :90]) ** 2).sum(axis=-1)
        graph = graph_of(y)
        assert max(task_bytes(graph, task) for task in graph.values()) < 900_000
        a = data[:200, :90]
        assert_eq(y, ((a[:, None] - a[None]) ** 2).sum(axis=-1), rtol=1e-12)


def test_a_diagonal_reads_a_square(data):
    z = ga.from_array(Decoded(data[:200]), chunks=50)
    with config.set({"memory-limit": 100_000}):  # the matrix takes 320,000
        y = ga.diagonal(z) + 1
        assert_room_is_enough(y)
        assert {task.workspace for task in graph_of(y).values()} == {50 * 50 * 8}


def test_blocks_of_work_inside_count_at_their_own_size(data):
    x = ga.from_array(data, chunks=100).map_blocks(np.sort, dtype=float)
    row = ga.from_array(Decoded(data[:1]), chunks=100).map_blocks(np.sort, dtype=float)
    y = x.map_blocks(np.add, row, dtype=float)
    assert_room_is_enough(y)


def test_what_a_mask_keeps_of_a_file_is_at_most_the_block(data):
    kept = ga.from_array(Decoded(data[0]), chunks=100)
    with config.set({"memory-limit": "1 MB"}):
        (largest,) = {task.nbytes for task in graph_of(kept[kept > 0.5]).values() if task.nbytes}
    assert largest == 100 * 8
