"""Samples are as large as they have to be, and share no period with the data."""

import pytest

from gpuscale.chunks import sampling
from gpuscale.chunks.sampling import sample_step


@pytest.mark.parametrize("size", [1, 10, 200_000, 10**8, 10**11])
@pytest.mark.parametrize("wanted", [1, 5, 1000])
def test_step(size, wanted):
    step = sample_step(size, wanted)
    assert step == 1 or all(step % k for k in range(2, int(step**0.5) + 1))
    assert min(size, sampling.LEAST) // 2 <= -(-size // step) <= 2 * sampling.MOST


def test_more_elements_take_a_larger_sample():
    assert sample_step(10**8, 100) < sample_step(10**8)
