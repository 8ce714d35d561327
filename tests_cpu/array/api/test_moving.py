"""Chunks of other libraries."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.base.errors import BackendError
from gpuscale.testing import nothing_computes


def test_other_backends_are_planned_without_their_library():
    array = np.arange(6.0).reshape(2, 3)
    with nothing_computes():
        x = ga.from_array(array, chunks=2).to_backend("cupy")
        assert x.backend == "cupy"
        assert x.to_backend(np).backend == "numpy"
        assert x.to_backend("cupy") is x
    with pytest.raises(BackendError, match="no backend"):
        x.to_backend("tensors")
    for move in (lambda: x.to_backend(None), lambda: x.to_device(None)):
        with pytest.raises(BackendError, match="got None; ask for 'numpy'"):
            move()


def test_devices_of_the_standard():
    x = ga.ones(3, like="cupy")
    host = ga.ones(3, device="cpu")
    with nothing_computes():
        assert x.to_device(host.device).backend == "numpy"
        assert host.to_device(x.device).backend == "cupy"
        assert x.to_device(x.device) is x
