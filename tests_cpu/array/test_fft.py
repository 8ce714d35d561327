"""Fourier transforms against NumPy."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
REAL = np.random.default_rng(0).normal(size=(4, 6, 5))
COMPLEX = REAL + 1j * np.random.default_rng(1).normal(size=REAL.shape)
NORMS = st.sampled_from([None, "backward", "ortho", "forward"])


def lazily(data, array):
    return ga.from_array(array, chunks=data.draw(chunks(array.shape)))


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@given(data=st.data())
@settings(max_examples=15)
def test_one_axis(name, data):
    array = REAL if name in ("rfft", "ihfft") else COMPLEX
    n, axis = data.draw(st.sampled_from([None, 1, 3, 8])), data.draw(st.integers(-3, 2))
    norm = data.draw(NORMS)
    ours, theirs = getattr(ga.fft, name), getattr(np.fft, name)
    assert_eq(ours(lazily(data, array), n, axis, norm), theirs(array, n, axis, norm), **CLOSE)


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn"])
@given(data=st.data())
@settings(max_examples=20)
def test_several_axes(name, data):
    array = REAL if name == "rfftn" else COMPLEX
    axes = data.draw(st.sampled_from([None, (0, 2), (1,), (2, 0), (-1, 1, 0)]))
    s = None
    if axes is not None:
        s = data.draw(st.none() | st.tuples(*[st.sampled_from([-1, 2, 7])] * len(axes)))
    norm = data.draw(NORMS)
    found = getattr(ga.fft, name)(lazily(data, array), s, axes, norm)
    assert_eq(found, getattr(np.fft, name)(array, s, axes, norm), **CLOSE)


@pytest.mark.parametrize("name", ["fft2", "ifft2", "rfft2", "irfft2"])
@given(data=st.data())
@settings(max_examples=10)
def test_two_axes(name, data):
    array = REAL if name == "rfft2" else COMPLEX
    s = data.draw(st.sampled_from([None, (4, 7)]))
    found = getattr(ga.fft, name)(lazily(data, array), s)
    assert_eq(found, getattr(np.fft, name)(array, s), **CLOSE)


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "complex64", "int8", "float64", "longdouble"]
)
def test_dtypes(dtype):
    array = np.arange(8).astype(dtype)
    x = ga.from_array(array, chunks=3)
    for name in ("fft", "ifftn", "irfft", "hfft"):
        expected = getattr(np.fft, name)(array)
        assert_eq(getattr(ga.fft, name)(x), expected, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("n", [1, 4, 5])
def test_frequencies(n):
    for name in ("fftfreq", "rfftfreq"):
        ours, theirs = getattr(ga.fft, name), getattr(np.fft, name)
        assert_eq(ours(n, 0.5, 2), theirs(n, 0.5), **CLOSE)
        assert_eq(ours(n, d=0.1, dtype="float32"), theirs(n, 0.1).astype("float32"), rtol=1e-6)


@given(data=st.data())
@settings(max_examples=20)
def test_shifts(data):
    axes = data.draw(st.sampled_from([None, 1, -1, (0, 2), ()]))
    x = lazily(data, REAL)
    assert_eq(ga.fft.fftshift(x, axes), np.fft.fftshift(REAL, axes))
    assert_eq(ga.fft.ifftshift(x, axes), np.fft.ifftshift(REAL, axes))


def test_out_and_no_axes():
    x = ga.from_array(REAL, chunks=2)
    held = ga.zeros(REAL.shape, complex)
    assert ga.fft.fft(x, out=held) is held
    assert_eq(held, np.fft.fft(REAL), **CLOSE)
    assert_eq(ga.fft.fftn(x, axes=()), np.fft.fftn(REAL, axes=()))
    with pytest.raises(IndexError):
        ga.fft.rfftn(x, axes=())


def test_blocks_keep_their_size():
    x = ga.ones((2048, 2048), chunks=512)  # 2 MiB a block
    y = ga.fft.fft(x, axis=0)
    assert y.numblocks[0] == 1 and y.numblocks[1] >= 16
    rows = ga.ones((64, 2048), chunks=(4, 2048))
    assert ga.fft.fft(rows).chunks == rows.chunks
    z = ga.fft.fft2(x)  # lines of the last axis after lines of the first
    assert z.numblocks[0] >= 16 and z.numblocks[1] == 1


def test_wrapped_transforms():
    x = ga.from_array(REAL, chunks=2)
    assert_eq(ga.fft.fft_wrap(np.fft.rfft)(x, axis=1), np.fft.rfft(REAL, axis=1), **CLOSE)
    assert_eq(ga.fft.fft_wrap(np.fft.fft)(x, 3), np.fft.fft(REAL, 3), **CLOSE)
    assert_eq(ga.fft.fft_wrap(np.fft.fftn)(x), np.fft.fftn(REAL), **CLOSE)
    two = ga.fft.fft_wrap(np.fft.irfft2)(x, s=(2, 4), axes=(0, 1))
    assert_eq(two, np.fft.irfft2(REAL, s=(2, 4), axes=(0, 1)), **CLOSE)
    named = ga.fft.fft_wrap(lambda a, axis: np.fft.ifft(a, axis=axis), "ifft", dtype=complex)
    assert named.__name__ == "ifft"
    assert_eq(named(x, axis=0), np.fft.ifft(REAL, axis=0), **CLOSE)
    with pytest.raises(ValueError, match=r"`kind` sort; pass kind=, one of .*irfft2"):
        ga.fft.fft_wrap(np.sort)
    halved = ga.fft.fft_wrap(partial(np.fft.rfft), dtype=complex, kind="fft")(x)
    with pytest.raises(ValueError, match="rfft returned .* fft_wrap expects .*pass kind="):
        halved.compute()


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
    with pytest.raises(TypeError):
        ga.fft.rfft(x + 1j)
    with pytest.raises(ValueError, match="integer"):
        ga.fft.fftfreq(1.5)


def test_no_negative_number_of_frequencies():
    for function in (ga.fft.fftfreq, ga.fft.rfftfreq):
        with pytest.raises(ValueError, match="negative"):
            function(-1)
