"""What a device says where its memory runs out is understood, and met."""

import subprocess
import sys

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.backends.seams import is_out_of_memory
from gpuscale.base import config
from gpuscale.base.errors import DeviceMemoryError

# In a process of its own, where nobody has chosen a pool before.
SCRIPT = """
import logging
import numpy as np
import gpuscale.array as ga
from gpuscale.base import config
from gpuscale.base.errors import DeviceMemoryError

config.set({"rmm-maximum-pool-size": "256 MiB", "device-memory-limit": "10 GiB"})
config.set({"device-spill-to-host": "1 GiB", "engine": "ENGINE"})
x = ga.random.default_rng(0).random((4_000, 4_000), chunks=(4_000, 4_000), like="cupy")  # 128 MB
total = float((np.sqrt(x) + 1).sum().compute())
assert abs(total / 16e6 - 5 / 3) < 1e-3, total
try:
    x.map_blocks(lambda chunk: (chunk + 1) + (chunk + 2), dtype=float).compute()
except DeviceMemoryError as error:
    assert "memory of cupy" in str(error), error
else:
    raise AssertionError("three blocks of 128 MB fit into 256 MiB")
import cupy
assert cupy.cuda.get_allocator() is not None
"""


@pytest.mark.gpu
@pytest.mark.parametrize("engine", ["sync", "threads"])
def test_a_pool_with_a_limit(cupy, engine):
    script = SCRIPT.replace("ENGINE", engine)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.gpu
def test_the_error_of_an_allocation_is_known(cupy):
    total = cupy.cuda.runtime.memGetInfo()[1]
    with pytest.raises(Exception) as raised:  # of CuPy's pool, or of RMM's
        cupy.empty(2 * total, cupy.uint8)
    assert is_out_of_memory(raised.value)


@pytest.mark.gpu
def test_a_function_that_takes_too_much_is_named(cupy):
    total = cupy.cuda.runtime.memGetInfo()[1]

    def takes_too_much(chunk):
        return chunk + cupy.empty(2 * total, cupy.uint8)[: len(chunk)]

    x = ga.ones(10, like="cupy").map_blocks(takes_too_much, dtype=float)
    with pytest.raises(DeviceMemoryError, match="task takes_too_much.*test_rescue.py"):
        x.compute()


@pytest.mark.gpu
def test_many_tasks_at_once_give_what_one_after_the_other_gives(cupy):
    host = np.random.default_rng(3).random((3_000, 2_000))
    x = ga.asarray(host, chunks=250, like="cupy")
    y = ((x + x[::-1]) * 2 - x.mean(axis=0)).std(axis=1)
    with config.set({"engine": "sync"}):
        expected = y.compute()
    for workers in (2, 8):
        with config.set({"num-workers": workers, "engine": "threads"}):
            np.testing.assert_array_equal(y.compute(), expected)
    np.testing.assert_allclose(expected, ((host + host[::-1]) * 2 - host.mean(axis=0)).std(axis=1))
