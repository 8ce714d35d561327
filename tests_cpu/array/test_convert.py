"""What counts as an operand, and in which pieces stored data are read."""

from __future__ import annotations

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import MemoryBudgetError
from gpuscale.memory.limits import chunk_bytes


class Stored:
    """Something with stored chunks, which is read by copying."""

    def __init__(self, shape, chunks):
        self.shape, self.chunks, self.dtype = shape, chunks, np.dtype("f8")

    def __getitem__(self, region):
        return np.zeros(self.shape)[region]


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ((1024, 1024), (1024, 1024)),  # 8 MiB: each for itself
        ((512, 512), (1024, 1024)),  # 2 MiB: as many as 16 MiB hold, in the same aspect
        ((4096, 4096), (4096, 4096)),  # 128 MiB
    ],
)
def test_automatic_chunks_of_stored_data_are_whole_stored_chunks(stored, expected):
    x = ga.from_array(Stored((8192, 8192), stored))
    assert x.chunksize == expected


def test_automatic_chunks_respect_the_memory_limit():
    with config.set({"memory-limit": "16 MiB"}):
        assert chunk_bytes() == 1 << 20
        for x in (ga.ones((5000, 5000)), ga.from_array(np.zeros((2000, 2000)))):
            assert np.prod(x.chunksize) * 8 <= 1 << 20
    with config.set({"array.chunk-size": "1 MiB"}):
        assert chunk_bytes() == 1 << 20


def test_a_task_that_cannot_fit_is_refused_before_anything_runs():
    calls = []

    def note(chunk):
        calls.append(chunk.shape)
        return chunk

    x = ga.ones((1000, 1000), chunks=-1).map_blocks(note, dtype=float)
    with (
        config.set({"memory-limit": "1 MiB"}),
        pytest.raises(MemoryBudgetError, match="use smaller chunks"),
    ):
        x.sum().compute()
    assert not calls


def test_automatic_blocks_of_data_in_memory_stay_below_what_the_allocator_returns():
    x = ga.from_array(np.broadcast_to(0.0, (10_000, 10_000)))
    assert x.itemsize * np.prod(x.chunksize) <= 24 << 20
    assert x.numblocks == (6, 6)
