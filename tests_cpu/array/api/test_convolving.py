"""Convolutions and correlations against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked

DTYPES = ("bool", "int8", "int64", "float32", "complex128")


def sequence(data):
    length = data.draw(st.integers(1, 12))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    values = rng.integers(0, 5, length)
    return (values + 1j * rng.integers(0, 5, length) if dtype.kind == "c" else values).astype(dtype)


@pytest.mark.parametrize("name", ["convolve", "correlate"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_every_length_and_cut(name, mode, data):
    a, v = sequence(data), sequence(data)
    x, taps = data.draw(chunked(a)), data.draw(chunked(v) | st.just(v))
    with nothing_computes():
        lazy = getattr(ga, name)(x, taps, mode)
    assert_eq(lazy, getattr(np, name)(a, v, mode))


def test_bad_input():
    x = ga.arange(4, chunks=2)
    for a, v in ((x, x[:0]), (x[:0], x)):
        with pytest.raises(ValueError, match="empty"):
            ga.convolve(a, v)
    with pytest.raises(ValueError, match="too deep"):
        ga.correlate(x.reshape(2, 2), x)
    with pytest.raises(ValueError, match="mode must be"):
        ga.convolve(x, x, "some")
    with pytest.raises(TypeError):
        ga.convolve(x.astype("M8[D]"), x)
