"""Fourier transforms against NumPy."""

import numpy as np
import pytest

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(4, 6, 5))
COMPLEX = REAL + 1j * RNG.normal(size=REAL.shape)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize("n", [None, 3, 8])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
def test_one_axis(name, n, norm):
    array = REAL if name in ("rfft", "ihfft") else COMPLEX
    x = ga.from_array(array, chunks=3)
    ours, theirs = getattr(ga.fft, name), getattr(np.fft, name)
    for axis in (-1, 1):
        assert_eq(ours(x, n, axis, norm), theirs(array, n, axis, norm), **CLOSE)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@pytest.mark.parametrize("axes", [None, (0, 2), (1,), (2, 0)])
def test_several_axes(name, axes):
    array = REAL if name == "rfftn" else COMPLEX
    x = ga.from_array(array, chunks=2)
    assert_eq(getattr(ga.fft, name)(x, axes=axes), getattr(np.fft, name)(array, axes=axes), **CLOSE)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2"])
def test_two_axes(name):
    array = REAL if name == "rfft2" else COMPLEX
    x = ga.from_array(array, chunks=2)
    s = (4, 7)
    assert_eq(getattr(ga.fft, name)(x, s), getattr(np.fft, name)(array, s, (-2, -1)), **CLOSE)


@pytest.mark.parametrize("dtype", ["float32", "complex64", "int32", "float64"])
def test_dtypes(dtype):
    array = np.arange(8).astype(dtype)
    assert_eq(ga.fft.fft(ga.from_array(array, chunks=3)), np.fft.fft(array), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies_and_shifts(n):
    assert_eq(ga.fft.fftfreq(n, d=0.5, chunks=2), np.fft.fftfreq(n, d=0.5), **CLOSE)
    assert_eq(ga.fft.rfftfreq(n, d=0.5, chunks=2), np.fft.rfftfreq(n, d=0.5), **CLOSE)
    x = ga.from_array(REAL, chunks=2)
    assert_eq(ga.fft.fftshift(x), np.fft.fftshift(REAL))
    assert_eq(ga.fft.ifftshift(x, axes=(1,)), np.fft.ifftshift(REAL, axes=(1,)))


def test_wrapped_transform():
    wrapped = ga.fft.fft_wrap(np.fft.rfft)
    assert_eq(wrapped(ga.from_array(REAL, chunks=2), axis=1), np.fft.rfft(REAL, axis=1), **CLOSE)
    with pytest.raises(ValueError, match="kind"):
        ga.fft.fft_wrap(np.sort)


def test_lazy_and_bad_input():
    x = ga.from_array(REAL, chunks=2)
    with nothing_computes():
        assert ga.fft.rfftn(x).shape == (4, 6, 3)
    with pytest.raises(ValueError, match="data points"):
        ga.fft.fft(x, 0)
    with pytest.raises(ValueError, match="norm"):
        ga.fft.fft(x, norm="loud")
    with pytest.raises(np.exceptions.AxisError):
        ga.fft.fft(x, axis=7)
    with pytest.raises(ValueError, match="different lengths"):
        ga.fft.fftn(x, s=(2,), axes=(0, 1))
