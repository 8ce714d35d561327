"""Chunks go to the device and come back unchanged."""

import numpy as np
import pytest

from gpuscale.backends.seams import backend_name, nbytes, to_host
from gpuscale.backends.transfer import to_device


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "c16", "?"])
def test_round_trip_of_a_strided_view(cupy, dtype):
    host = np.arange(24).reshape(4, 6).astype(dtype)[::2, ::-1]
    device = to_device(host, "cupy")
    assert isinstance(device, cupy.ndarray)
    assert backend_name(device) == "cupy"
    assert nbytes(device) == host.nbytes
    assert to_device(device, "cupy") is device
    np.testing.assert_array_equal(to_host(device), host, strict=True)
