"""Plain functions mean the same on arrays and in compiled code."""

import numpy as np
from numba import njit

from gpuscale.kernels.portable import (
    as_float32,
    as_float64,
    as_int64,
    as_uint64,
    bits_of,
    float64_of,
    select,
)
from gpuscale.kernels.portable_cpu import join_float32, make_compilable, prefer_wide_vectors


def every_spelling(x):
    whole = as_int64(x)
    word = as_uint64(whole)
    single = as_float64(as_float32(x))
    same = float64_of(bits_of(x))
    return select(x < 2.0, as_float64(word) + single, same)


def through_another(x):
    return every_spelling(x) + 1.0


def test_arrays_and_compiled_scalars_agree():
    make_compilable(through_another)

    @njit
    def loop(values, out):
        prefer_wide_vectors()
        for k in range(values.size):
            out[k] = through_another(values[k])

    values = np.linspace(0.0, 4.0, 37)
    out = np.empty_like(values)
    loop(values, out)
    assert np.array_equal(out, through_another(values))


def test_fast_math_of_the_caller_does_not_reach_the_kernels():
    def fused(x):
        return x * x - 1.0000000000000002

    make_compilable(fused)

    @njit(fastmath=True)
    def loop(values, out):
        for k in range(values.size):
            out[k] = fused(values[k])

    values = 1.0 + np.arange(64) * 2.0**-52
    out = np.empty_like(values)
    loop(values, out)
    assert np.array_equal(out, fused(values))


def test_join_float32_lays_the_first_value_first():
    pair = np.array([1.5, -2.0], np.float32)
    assert join_float32(pair[0], pair[1]) == pair.view(np.uint64)[0]
