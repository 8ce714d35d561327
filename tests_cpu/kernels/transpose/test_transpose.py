"""Transposed copies of one matrix and of many."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..cuda_harness import needs_numba_cuda

DTYPES = ["?", "i1", "f2", "f4", "i8", "c8", "c16", "M8[s]"]


def test_random_matrices(target):
    @settings(max_examples=target.few)
    @given(
        st.sampled_from([(0, 3), (1, 1), (5, 40), (33, 32), (70, 1), (2, 3, 5), (2, 1, 31, 33)]),
        st.sampled_from(DTYPES),
    )
    def run(shape, dtype):
        values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        found = target.run("transpose.transpose", values)
        assert found.flags.c_contiguous
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values.swapaxes(-1, -2))

    run()


def test_bad_input_is_named(target):
    with pytest.raises(ValueError, match="1 dimensions has no two axes"):
        target.run("transpose.transpose", np.ones(3))
    with pytest.raises(TypeError, match="numbers of 1, 2, 4, 8 or 16 bytes, not"):
        target.run("transpose.transpose", np.array([["text"]]))


@needs_numba_cuda
@pytest.mark.parametrize("dtype", ["i1", "f4", "c16"])
def test_kernels_compile(compiler, dtype):
    _, _, compiled = compiler.ask("transpose.transpose", np.ones((99, 70), dtype))
    assert len(compiled) == 1
