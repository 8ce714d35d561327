"""Every device does what `gpuscale doctor --self-test` asks of it."""

import pytest

from gpuscale.backends.cupy_trial import device_count, try_device


@pytest.mark.gpu
def test_every_device(cupy):
    count = device_count()
    assert count == cupy.cuda.runtime.getDeviceCount() >= 1
    for index in range(count):
        found = try_device(index)
        assert found.failed == ""
        assert found.to_device > 0 and found.to_host > 0
