"""Arrays of another device than that of this process, where there are two that reach each other."""

import numpy as np
import pytest

import gpuscale.array as ga

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


def test_an_array_of_another_device_is_read_where_it_is(far):
    host = np.arange(1_000_000.0).reshape(1000, 1000)
    x = ga.asarray(far, chunks=(300, 300))
    np.testing.assert_array_equal((x + 1).compute(), host + 1)
    np.testing.assert_allclose(x.sum(axis=0).compute(), host.sum(axis=0))


def test_a_copy_between_devices_is_the_same(cupy, far):
    with cupy.cuda.Device(0):
        near = cupy.empty_like(far)
        near.data.copy_from_device_async(far.data, far.nbytes, cupy.cuda.Stream.null)
        cupy.cuda.Stream.null.synchronize()
        assert near.device.id == 0
    np.testing.assert_array_equal(near.get(), far.get())
