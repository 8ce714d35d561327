"""Positions and elements at which masks are true."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..cuda_harness import needs_numba_cuda

DTYPES = ["?", "i2", "f4", "u8", "c16", "M8[D]"]


def test_random_masks(target):
    @settings(max_examples=target.few)
    @given(
        st.sampled_from([0, 1, 15, 16, 17, 300]),
        st.sampled_from([0.0, 0.1, 0.5, 1.0]),
        st.sampled_from(DTYPES),
        st.integers(0, 99),
    )
    def run(n, share, dtype, seed):
        rng = np.random.default_rng(seed)
        mask, values = rng.random(n) < share, rng.integers(0, 99, n).astype(dtype)
        found = target.run("masks.positions", mask)
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, np.flatnonzero(mask))
        found = target.run("masks.compress", values, mask)
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values[mask])

    run()


def test_large_words_stay_whole(target):
    values = np.array([2**63 + 1, 3, 2**64 - 1], np.uint64)
    found = target.run("masks.compress", values, np.array([True, False, True]))
    assert found.tolist() == [2**63 + 1, 2**64 - 1]


def test_bad_input_is_named(target):
    with pytest.raises(TypeError, match=r"a mask is bool, not int64: use astype\(bool\)"):
        target.run("masks.positions", np.arange(3))
    with pytest.raises(ValueError, match=r"a mask of \(2,\) does not fit elements of \(3,\)"):
        target.run("masks.compress", np.arange(3), np.ones(2, bool))


@needs_numba_cuda
def test_kernels_compile(compiler):
    mask = np.ones(9999, bool)
    for values in (None, np.ones(9999, np.uint8), np.ones(9999, complex)):
        arguments = (mask,) if values is None else (values, mask)
        name = "positions" if values is None else "compress"
        _, _, compiled = compiler.ask(f"masks.{name}", *arguments)
        assert set(compiled) == {"counts", "scan_rows", "place"}
