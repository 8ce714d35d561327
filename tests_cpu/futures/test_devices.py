"""What a client computes of arrays on a device."""

import numpy as np
import pytest

import gpuscale
import gpuscale.array as ga
from gpuscale.testing import fake_device
from gpuscale.testing.fake_device import POOL

DATA = np.random.default_rng(0).random((600, 400))


@pytest.mark.parametrize("sync", [False, True])
def test_compute_gives_arrays_of_numpy(sync):
    with fake_device.active(), POOL.limited_to(DATA.nbytes // 5):
        x = ga.from_array(DATA, chunks=(89, 36), like="fake")
        with gpuscale.Client() as client:
            found = client.compute([x + 1, x[x > 0.9]], sync=sync)
            one, some = found if sync else [each.result() for each in found]
    assert type(one) is type(some) is np.ndarray
    np.testing.assert_array_equal(one, DATA + 1)
    np.testing.assert_array_equal(some, DATA[DATA > 0.9])
