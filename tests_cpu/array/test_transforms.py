"""Transforms of the lines of a block: the same as NumPy's, in the memory that is projected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.array import transforms
from gpuscale.testing import assert_eq
from gpuscale.testing.memory import assert_room_is_enough

NAMES = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_few_lines_at_a_time_are_all_lines(data):
    name = data.draw(st.sampled_from(NAMES))
    real = name in ("rfft", "ihfft")
    dtype = data.draw(st.sampled_from(["f4", "f8", "i2", *([] if real else ["c8", "c16"])]))
    shape = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=3))
    axis = data.draw(st.integers(0, len(shape) - 1))
    shape[axis] = data.draw(st.integers(2, 6))
    n = data.draw(st.none() | st.integers(1, 7))
    norm = data.draw(st.sampled_from([None, "ortho", "forward"]))
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    together = data.draw(st.sampled_from([1, 100, 1000]))
    x = ga.from_array(array, chunks=-1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transforms, "_TOGETHER", together)
        found = getattr(ga.fft, name)(x, n, axis, norm).compute()
    assert_eq(found, getattr(np.fft, name)(array, n, axis, norm), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
@pytest.mark.parametrize("shape", [(400, 1024), (1024, 400), (1 << 17,), (2, 1 << 16)])
def test_a_task_takes_no_more_than_is_projected(name, dtype, shape):
    if name in ("rfft", "ihfft") and dtype.startswith("c"):
        return
    array = np.ones(shape, dtype)
    for axis in range(len(shape)):
        assert_room_is_enough(getattr(ga.fft, name)(ga.from_array(array, chunks=-1), axis=axis))
