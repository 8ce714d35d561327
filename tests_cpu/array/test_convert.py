"""What counts as an operand, and in which pieces stored data are read."""

from __future__ import annotations

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.array.convert import as_arrays
from gpuscale.base import config
from gpuscale.base.errors import BackendError, MemoryBudgetError, NotSupportedError
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
        assert chunk_bytes("numpy") == 1 << 20
        for x in (ga.ones((5000, 5000)), ga.from_array(np.zeros((2000, 2000)))):
            assert np.prod(x.chunksize) * 8 <= 1 << 20
    with config.set({"array.chunk-size": "1 MiB"}):
        assert chunk_bytes("numpy") == 1 << 20


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


def test_numbers_and_lists_go_where_the_others_are():
    x = ga.ones(3, like="cupy")
    y = ga.arange(6, like="cupy", chunks=4)
    assert {each.backend for each in as_arrays([x, [1, 2, 3], 4, ga.asarray(5)], "f")} == {"cupy"}
    five = ga.asarray(5, like="cupy")
    assert [each.backend for each in as_arrays([five, 4], "f")] == ["cupy"] * 2
    with pytest.raises(BackendError, match="f got arrays of the backends cupy and numpy"):
        as_arrays([ga.ones(3, like="numpy"), x], "f")
    with pytest.raises(BackendError, match="f got arrays of the backends cupy and numpy"):
        as_arrays([x, [ga.ones(3, like="numpy")]], "f")  # a list of arrays is one
    for joined in (
        y + 1, ga.where(y > 2, y, [1] * 6), y == [1] * 6, y + np.float32(2),
        ga.concatenate([x, [1.0, 2.0]]), ga.stack([[1, 2, 3], x]), ga.append(x, 3),
        ga.r_[0, x, 1:3], ga.insert(x, 1, [7.0]), ga.block([x, 1.0]),
        ga.piecewise(x, [[True] * 3], [4]),
    ):  # fmt: skip
        assert joined.backend == "cupy"


def test_arrays_of_the_host_are_no_operands_of_a_device():
    x = ga.ones(3, like="cupy")
    for mix in (
        lambda: x + np.ones(3),
        lambda: np.ones(3) * x,
        lambda: ga.where(x > 0, np.ones(3), x),
        lambda: ga.concatenate([ga.ones(3, like="numpy"), x]),
        lambda: ga.stack([x, np.ones(3)]),
        lambda: ga.piecewise(x, [np.ones(3, bool)], [4]),
    ):
        # On CuPy the option would send NumPy's arrays where the others are.
        refused = pytest.raises(BackendError, match=r"backends .* and .*ga\.asarray\(x, like=")
        with config.set({"array.backend": "numpy"}), refused:
            mix()


def test_data_that_the_option_sends_to_a_device_stands_beside_what_stays():
    with config.set({"array.backend": "cupy"}):
        spans = ga.from_array(np.array([1, 2, 3], "m8[s]"))
        assert (spans * np.arange(3)).backend == spans.backend == "numpy"
        assert (ga.ones(3) * np.arange(3)).backend == "cupy"


def test_functions_of_elements_are_refused_on_devices():
    x = ga.ones(3, like="cupy")
    with pytest.raises(NotSupportedError, match="dtype object"):
        ga.frompyfunc(str, 1, 1)(x)
    with pytest.raises(BackendError, match="in Python for each element"):
        ga.vectorize(lambda v: v + 1)(x)
