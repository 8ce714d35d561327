"""Arrays from nothing, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale
import gpuscale.array as ga
from gpuscale.base.errors import BackendError, ChunkError
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunks

SHAPES = st.sampled_from([(), (0,), (5,), (3, 4), (2, 1, 3)])
NUMBERS = st.one_of(st.integers(-20, 20), st.sampled_from([-1.5, 0.25, 3.0, 7.75]))


@settings(max_examples=30)
@given(SHAPES, st.sampled_from([None, "int8", "float32", "complex64", "bool"]), st.data())
def test_constant_arrays(shape, dtype, data):
    cut = data.draw(chunks(shape))
    for name in ("ones", "zeros", "empty"):
        x = getattr(ga, name)(shape, dtype, chunks=cut)
        assert x.chunks == cut
        expected = np.zeros(shape, dtype) if name == "empty" else getattr(np, name)(shape, dtype)
        assert_eq(x, expected)
    assert_eq(ga.full(shape, 7, chunks=cut), np.full(shape, 7))
    if shape:  # a scalar forgets how long strings of its dtype may be
        assert_eq(ga.ones(shape, "S3", chunks=cut), np.ones(shape, "S3"))
    assert_eq(ga.full(shape, 1.5, dtype, chunks=cut), np.full(shape, 1.5, dtype))


@settings(max_examples=20)
@given(SHAPES, st.data())
def test_arrays_like_others(shape, data):
    x = ga.ones(shape, "float32", chunks=data.draw(chunks(shape)))
    array = np.ones(shape, "float32")
    for name in ("ones_like", "zeros_like"):
        y = getattr(ga, name)(x)
        assert y.chunks == x.chunks
        assert_eq(y, getattr(np, name)(array))
        assert_eq(
            getattr(ga, name)(x, int, shape=(2, 2)), getattr(np, name)(array, int, shape=(2, 2))
        )
    assert_eq(ga.full_like(x, 3, dtype=int), np.full_like(array, 3, dtype=int))
    assert ga.empty_like(x).dtype == array.dtype


@settings(max_examples=60)
@given(NUMBERS, NUMBERS, NUMBERS.filter(bool), st.integers(1, 7))
def test_arange(start, stop, step, size):
    expected = np.arange(start, stop, step)
    assert_eq(ga.arange(start, stop, step, chunks=size), expected)
    assert_eq(ga.arange(stop, chunks=size), np.arange(stop))
    assert_eq(
        ga.arange(start, stop, step, dtype="float32"), np.arange(start, stop, step, "float32")
    )


@settings(max_examples=40)
@given(NUMBERS, NUMBERS, st.integers(0, 9), st.booleans(), st.integers(1, 4))
def test_linspace(start, stop, num, endpoint, size):
    expected, gap = np.linspace(start, stop, num, endpoint, retstep=True)
    x, step = ga.linspace(start, stop, num, endpoint=endpoint, retstep=True, chunks=size)
    assert_eq(x, expected, rtol=1e-15, atol=1e-14)
    np.testing.assert_array_equal(step, gap)
    if num and endpoint:
        assert x[-1].compute() == expected[-1]
    whole = ga.linspace(start, stop, num, dtype=int, endpoint=endpoint)
    assert_eq(whole, np.linspace(start, stop, num, endpoint, dtype=int))


@settings(max_examples=30)
@given(st.integers(0, 6), st.one_of(st.none(), st.integers(0, 6)), st.integers(-7, 7))
def test_eye(n, m, k):
    assert_eq(ga.eye(n, m, k, chunks=2), np.eye(n, m, k))
    assert_eq(ga.identity(n), np.identity(n))


def test_backends_are_chosen_without_being_loaded():
    with nothing_computes():
        for options in ({"like": "cupy"}, {"backend": "cupy"}, {"device": "cupy"}):
            assert ga.zeros(3, **options).backend == "cupy"
            assert ga.arange(3, **options).backend == "cupy"
            assert ga.ones_like(ga.ones(3, **options)).backend == "cupy"
        assert ga.ones_like(ga.ones(3, like="cupy"), device="cpu").backend == "numpy"
        assert ga.zeros(3, like=np).device == "cpu"
    with pytest.raises(BackendError, match="there is no backend"):
        ga.zeros(3, like="cupi")


def test_creation_is_lazy():
    with nothing_computes():
        x = ga.full((10**6, 10**6), 3, chunks="1 GiB") + ga.eye(10**6, chunks="1 GiB")
        assert x.nbytes == 8 * 10**12


def test_bad_input():
    with pytest.raises(ValueError, match="negative"):
        ga.ones((2, -1))
    for shape in (2**70, (10**12, 10**12)):
        with pytest.raises(ValueError, match="too big"):
            ga.ones(shape)
    with pytest.raises(ChunkError, match="too many blocks"):
        ga.ones(10**18)
    with pytest.raises(ValueError, match="100,000,000 are too many blocks.*array.max-blocks"):
        ga.ones(10**8, chunks=1)
    with pytest.raises(ChunkError, match="too many blocks"):
        ga.ones((10**5, 10**5), chunks=10)
    with gpuscale.config.set({"array.max-blocks": 20_000}):
        assert ga.ones(20_000, chunks=1).npartitions == 20_000
        with pytest.raises(ChunkError, match="20,001 are too many blocks"):
            ga.ones(20_001, chunks=1)
    with pytest.raises(TypeError):
        ga.ones(2.5)
    with pytest.raises(ValueError, match="scalar"):
        ga.full(3, [1, 2, 3])
    with pytest.raises(ZeroDivisionError, match="step"):
        ga.arange(1, 5, 0)
    for number in (2.5, "3"):
        with pytest.raises(TypeError, match="integer"):
            ga.linspace(0, 1, number)
    with pytest.raises(ValueError, match="non-negative"):
        ga.linspace(0, 1, -1)
    with pytest.raises(ChunkError):
        ga.ones(4, chunks=((2, 3),))
    with pytest.raises(TypeError):
        ga.ones(4, dtype="nonsense")


NOT_NUMBERS = ["U2", "S2", "M8[D]", "m8[s]", "O", [("x", "i4"), ("y", "f8")]]


@pytest.mark.parametrize("dtype", NOT_NUMBERS, ids=str)
def test_zeros_and_ones_of_what_is_no_number(dtype):
    array = np.ones((2, 3), dtype)
    x = ga.from_array(array, chunks=2)
    assert_eq(ga.zeros(3, dtype), np.zeros(3, dtype))
    assert_eq(ga.ones(3, dtype), np.ones(3, dtype))
    assert_eq(ga.zeros_like(x), np.zeros_like(array))
    assert_eq(ga.zeros_like(x, dtype="U5"), np.zeros_like(array, dtype="U5"))
    assert_eq(ga.empty_like(x), np.zeros_like(array))
    assert_eq(ga.ones_like(x), np.ones_like(array))
    assert_eq(ga.eye(3, 2, 1, dtype=dtype, chunks=2), np.eye(3, 2, 1, dtype=dtype))


@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("num", [0, 1, 2, 5])
@pytest.mark.parametrize("dtype", [None, "i4", "f4"])
def test_numbers_between_arrays(endpoint, num, dtype):
    start, stop = np.array([0, 1.5, -2]), np.array([[1], [7]])
    for axis in (0, 1, -1):
        options = {"num": num, "endpoint": endpoint, "dtype": dtype, "axis": axis}
        expected = np.linspace(start, stop, **options)
        lazy = ga.linspace(ga.from_array(start, chunks=2), stop, **options)
        assert_eq(lazy, expected, rtol=1e-6)
    if num > 1:  # else NumPy's step is one NaN
        _, step = np.linspace(start, 3, num, endpoint=endpoint, retstep=True)
        assert_eq(ga.linspace(start, 3, num, endpoint=endpoint, retstep=True)[1], step)


def test_shapes_may_be_arrays():
    for shape in (np.array([2, 3]), ga.asarray([2, 3]), np.int64(4)):
        assert_eq(ga.zeros(shape), np.zeros(np.asarray(shape)))


@pytest.mark.parametrize(
    "make",
    [
        lambda **where: ga.full((3,), 1.0, **where),
        lambda **where: ga.ones(3, **where),
        lambda **where: ga.arange(3, **where),
        lambda **where: ga.linspace(0, 1, 3, **where),
        lambda **where: ga.eye(3, **where),
        lambda **where: ga.asarray([1, 2], **where),
    ],
)
def test_a_backend_and_a_device_that_disagree(make):
    assert make(backend="numpy", device="cpu").backend == "numpy"
    with pytest.raises(BackendError, match="'cupy' but device= for 'cpu'; pass one"):
        make(backend="cupy", device="cpu")
