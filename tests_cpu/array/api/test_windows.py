"""Windows against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes

WINDOWS = {"bartlett": (), "blackman": (), "hamming": (), "hanning": (), "kaiser": (8.6,)}


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("length", [0, 1, 2, 5, 12])
def test_windows(name, length):
    args = (length, *WINDOWS[name])
    with nothing_computes():
        x = getattr(ga, name)(*args, chunks=4)
    assert_eq(x, getattr(np, name)(*args), rtol=1e-13, atol=1e-15)
