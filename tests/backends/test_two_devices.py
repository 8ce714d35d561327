"""Arrays of another device than that of this process, where there are two that reach each other."""

import subprocess
import sys

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base.errors import BackendError

pytestmark = pytest.mark.gpu


@pytest.fixture
def far(cupy):
    """An array of the second device, which the first can read."""
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("needs two devices")
    if not cupy.cuda.runtime.deviceCanAccessPeer(0, 1):
        pytest.skip("needs two devices of which one reads the memory of the other")
    with cupy.cuda.Device(1):
        x = cupy.arange(1_000_000.0).reshape(1000, 1000)
        cupy.cuda.Device(1).synchronize()
        return x


def test_an_array_of_another_device_is_refused_and_taken_once_it_is_near(cupy, far):
    with pytest.raises(BackendError, match=r"on device 1, .* device 0; .*cupy\.asarray"):
        ga.asarray(far, chunks=(300, 300))
    x = ga.asarray(cupy.asarray(far), chunks=(300, 300))
    host = np.arange(1_000_000.0).reshape(1000, 1000)
    np.testing.assert_array_equal((x + 1).compute(), host + 1)
    np.testing.assert_allclose(x.sum(axis=0).compute(), host.sum(axis=0))


SECOND = """
import cupy
import numpy as np
import gpuscale.array as ga

cupy.cuda.Device(1).use()
host = np.random.default_rng(0).random((1000, 700))
x = ga.asarray(cupy.asarray(host), chunks=100)
np.testing.assert_allclose((x + x.mean(axis=0)).compute(), host + host.mean(axis=0))
kept = (x * 2).persist()
assert cupy.asarray(kept).device.id == 1
"""


def test_tasks_run_on_the_device_that_the_program_chose(cupy, far):
    done = subprocess.run([sys.executable, "-c", SECOND], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_copy_between_devices_is_the_same(cupy, far):
    with cupy.cuda.Device(0):
        near = cupy.empty_like(far)
        near.data.copy_from_device_async(far.data, far.nbytes, cupy.cuda.Stream.null)
        cupy.cuda.Stream.null.synchronize()
        assert near.device.id == 0
    np.testing.assert_array_equal(near.get(), far.get())
