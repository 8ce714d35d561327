"""``reduce``, ``accumulate`` and ``reduceat`` of ufuncs against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpuscale
import gpuscale.array as ga
from gpuscale.testing import assert_eq, nothing_computes
from gpuscale.testing.strategies import chunked, pairs

DTYPES = ("bool", "int8", "uint8", "int64", "float32", "float64", "complex64")
BINARY = sorted(
    name
    for name in dir(np)
    if isinstance(ufunc := getattr(np, name), np.ufunc)
    and ufunc.__name__ == name
    and (ufunc.nin, ufunc.nout, ufunc.signature) == (2, 1, None)
)
# What rounds differently where it begins elsewhere; all else is the same to the last bit.
ROUNDED = {"add", "multiply", "hypot", "logaddexp", "logaddexp2"}
NO_VALUE = np._NoValue
# NumPy's own loops over AVX-512 reduce these as if there were a first and a last element alone.
WRONG_IN_NUMPY = {"arctan2", "power"}


def attempt(function, *args, **kwargs):
    """What a function gives, or the type of the error that it raises."""
    with np.errstate(all="ignore"):
        try:
            return function(*args, **kwargs)
        except (TypeError, ValueError, IndexError) as error:
            return type(error)


def reduced(ufunc, array, axis, keepdims=False, initial=NO_VALUE, where=True):
    """What NumPy should give: its own result, or step by step where that is wrong."""
    options = {} if initial is NO_VALUE else {"initial": initial}
    options |= {} if where is True else {"where": where}
    found = ufunc.reduce(array, axis=axis, keepdims=keepdims, **options)
    if ufunc.__name__ not in WRONG_IN_NUMPY or found.dtype.kind != "f" or not array.ndim:
        return found
    place = axis if isinstance(axis, int) else 0  # NumPy takes no more than one of these
    masks = np.moveaxis(np.broadcast_to(where, array.shape), place, 0)
    steps = zip(np.moveaxis(array, place, 0).astype(found.dtype), masks, strict=True)
    shape = np.delete(array.shape, place)
    result = next(steps)[0] if initial is NO_VALUE else np.full(shape, initial, found.dtype)
    for line, mask in steps:
        result = np.where(mask, ufunc(result, line), result)
    return np.expand_dims(result, place) if keepdims else result


def reduced_at(ufunc, array, index, axis):
    """What NumPy should give, as `reduced`."""
    found = ufunc.reduceat(array, index, axis)
    if ufunc.__name__ in WRONG_IN_NUMPY and found.dtype.kind == "f":
        lines = np.moveaxis(array, axis, 0)
        ends = np.maximum(index + 1, np.append(index, len(lines))[1:])
        for place, (start, end) in enumerate(zip(index, ends, strict=True)):
            np.moveaxis(found, axis, 0)[place] = reduced(ufunc, lines[start:end], 0)
    return found


def same(ours, expected, name, dtype):
    """Compare what `attempt` found."""
    if isinstance(expected, type):  # of an error that may depend on the elements
        ours = ours if isinstance(ours, type) else attempt(ours.compute)
        assert isinstance(ours, type) and issubclass(ours, (expected, TypeError)), ours
        return
    assert not isinstance(ours, type), (ours, expected)
    single = np.dtype(dtype).char in "fF" or expected.dtype.char in "eF"
    loose = (1e-3 if expected.dtype.char == "e" else 2e-5 if single else 1e-11) * (name in ROUNDED)
    assert_eq(ours, expected, rtol=loose, atol=loose * 1000)


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_reduce(name, data):
    array, x = data.draw(pairs(dtypes=DTYPES, special=name not in ROUNDED))
    ufunc, one = getattr(np, name), st.integers(-max(array.ndim, 1), max(array.ndim - 1, 0))
    options = {
        "axis": data.draw(one | st.none() | st.just(tuple(range(array.ndim)))),
        "keepdims": data.draw(st.booleans()),
    }
    initial = data.draw(st.sampled_from([NO_VALUE, NO_VALUE, 1, 3]))
    if initial is not NO_VALUE:
        options["initial"] = initial
    where, mask = data.draw(st.sampled_from([(None, None), *pick_masks(data, array)]))
    ours = options if where is None else {**options, "where": mask}
    options = options if where is None else {**options, "where": where}
    expected = attempt(reduced, ufunc, array, **options)
    same(attempt(ufunc.reduce, x, **ours), expected, name, array.dtype)
    same(attempt(getattr(ga, name).reduce, x, **ours), expected, name, array.dtype)


def pick_masks(data, array):
    where = np.asarray(data.draw(st.lists(st.booleans(), min_size=7, max_size=7)))
    where = np.broadcast_to(where[: array.shape[-1]] if array.ndim else where[0], array.shape)
    return [(where, data.draw(chunked(where)))]


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_accumulate(name, data):
    array, x = data.draw(pairs(dtypes=DTYPES, special=name not in ROUNDED))
    axis = data.draw(st.integers(-max(array.ndim, 1), max(array.ndim - 1, 0)) | st.none())
    ufunc = getattr(np, name)
    expected = attempt(ufunc.accumulate, array, axis=axis)
    same(attempt(ufunc.accumulate, x, axis=axis), expected, name, array.dtype)
    same(attempt(getattr(ga, name).accumulate, x, axis), expected, name, array.dtype)


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_reduceat(name, data):
    array, x = data.draw(pairs(dtypes=DTYPES, min_dims=1, special=name not in ROUNDED, max_side=9))
    axis = data.draw(st.integers(-array.ndim, array.ndim - 1))
    index = data.draw(st.lists(st.integers(0, 9), max_size=5))
    length = array.shape[axis]
    index = [k % length for k in index] if length else index
    index = sorted(set(index)) if data.draw(st.booleans()) else index
    ufunc = getattr(np, name)
    expected = attempt(reduced_at, ufunc, array, np.asarray(index, int), axis)
    same(attempt(ufunc.reduceat, x, index, axis=axis), expected, name, array.dtype)
    lazy = ga.asarray(np.asarray(index, int))
    same(attempt(getattr(ga, name).reduceat, x, lazy, axis), expected, name, array.dtype)


@pytest.mark.parametrize("name", sorted(WRONG_IN_NUMPY))
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("chunks", [1, 2, 5])
def test_no_element_is_left_out(name, dtype, chunks):
    """NumPy leaves some out of lines that lie side by side, so of a chunk with one column."""
    array = np.linspace(1, 1.5, 10, dtype=dtype).reshape(5, 2)
    array[2, 1] = np.nan
    x, ufunc = ga.from_array(array, chunks=chunks), getattr(ga, name)
    for axis in (0, 1):
        assert_eq(ufunc.reduce(x, axis), getattr(np, name).accumulate(array, axis).take(-1, axis),
                  rtol=1e-5 if dtype == "f4" else 1e-13)  # fmt: skip
    assert np.isnan(ufunc.reduceat(x, [1], 0)[0, 1])


@pytest.mark.parametrize("chunks", [1, 2, 10])
def test_other_dtypes(chunks):
    for dtype, names in (
        ("M8[s]", ["maximum", "fmin", "logical_and"]),
        ("m8[s]", ["minimum", "fmax", "logical_or", "add", "subtract", "remainder"]),
        ("O", ["maximum", "logical_and", "logical_or", "bitwise_or", "multiply", "subtract"]),
        (">i4", ["gcd", "lcm", "bitwise_and", "subtract", "maximum"]),
        ("U2", ["logical_and"]),
    ):
        array = np.array([3, 1, 6, 5, 2]).astype(dtype)
        x = ga.from_array(array, chunks=chunks)
        for name in names:
            ufunc = getattr(np, name)
            expected = ufunc.reduce(array[:, None])[0]
            assert_eq(ufunc.reduce(x), np.asarray(expected, object if dtype == "O" else None))
            assert_eq(ufunc.accumulate(x), ufunc.accumulate(array))
            assert_eq(ufunc.reduceat(x, [1, 4]), ufunc.reduceat(array, [1, 4]))


def test_words_of_the_methods():
    array = np.arange(1, 13, dtype="i2").reshape(3, 4)
    x = ga.from_array(array, chunks=2)
    for dtype in (None, "f4", "i8"):
        for ufunc in (np.add, np.maximum, np.bitwise_xor, np.subtract, np.logical_or):
            for method, args in (
                (ufunc.reduce, (1, dtype)),
                (ufunc.accumulate, (1, dtype)),
                (ufunc.reduceat, ([0, 3], 1, dtype)),
            ):
                expected = attempt(method, array, *args)
                same(attempt(method, x, *args), expected, ufunc.__name__, "f8")
    out = ga.zeros(4, dtype="i2", chunks=3)
    assert np.bitwise_or.reduce(x, out=out) is out
    assert_eq(out, np.bitwise_or.reduce(array))
    assert np.subtract.reduceat(x[0], [0, 1, 2, 1], out=out) is out
    assert_eq(out, np.subtract.reduceat(array[0], [0, 1, 2, 1]))
    assert np.power.accumulate(x[:, 0], out=(out[:3],)).shape == (3,)
    assert_eq(ga.add.reduce([1, 2, 3]), np.int64(6))
    assert_eq(np.bitwise_and.reduce(ga.zeros((0, 2), dtype="u1")), np.full(2, 255, "u1"))


def test_what_numpy_refuses_is_refused_in_its_words():
    x = ga.ones((4, 2), chunks=2)
    for method, args, error, message in (
        (np.subtract.reduce, (x, None), ValueError, "not reorderable"),
        (np.subtract.reduce, (x[:0],), ValueError, "has no identity"),
        (np.add.reduce, (x[:0], 0, None, None, False, None), ValueError, "has no identity"),
        (np.bitwise_or.reduce, (x,), TypeError, "bitwise_or"),
        (np.maximum.accumulate, (ga.asarray(["a", "b"]),), TypeError, "maximum"),
        (np.maximum.accumulate, (x, None), ValueError, "multiple axes"),
        (np.maximum.accumulate, (x, 2), np.exceptions.AxisError, "out of bounds"),
        (np.maximum.accumulate, (x[0, 0],), TypeError, "scalar"),
        (np.add.reduceat, (x, [0, 4]), IndexError, r"index 4 out-of-bounds in add.reduceat \[0, 4"),
        (np.add.reduceat, (x, [0, -1]), IndexError, "index -1"),
        (np.add.reduceat, (x, [[0]]), ValueError, "one axis, not 2"),
        (np.add.reduceat, (x, [0.5]), TypeError, "integers"),
        (np.add.reduceat, (x, [0], None), ValueError, "multiple axes"),
        (np.negative.reduce, (x,), ValueError, "binary"),
        (np.negative.reduceat, (x, [0]), ValueError, "binary"),
    ):
        with pytest.raises(error, match=message):
            method(*args)


def test_methods_are_lazy_and_cut():
    x = ga.ones((40, 30), dtype=int, chunks=5)
    with nothing_computes():
        assert np.bitwise_or.reduce(x).chunks == ((5,) * 6,)
        assert np.subtract.reduce(x).chunks == ((5,) * 6,)
        assert np.maximum.accumulate(x, axis=1).chunks == x.chunks
        assert 1 < np.add.reduceat(x, range(0, 40, 2)).numblocks[0] < 10
        kept = np.bitwise_xor.reduce(x[x > 0])
    assert kept.compute() == 0


def test_long_lines_are_reduced_in_little_memory():
    x = ga.arange(4_000_000, chunks=100_000)
    for y in (
        np.bitwise_xor.reduce(x),
        np.add.reduceat(x, np.arange(3, 4_000_000, 1_000)),
        np.add.reduceat(x, [0, 7, 2_000_000]),
    ):
        with gpuscale.config.set({"memory-limit": "8 MB"}):
            y.compute()
    total = np.add.reduceat(x, [0, 7, 2_000_000]).compute()
    assert total.tolist() == [21, 1_999_998_999_979, 5_999_999_000_000]


def test_empty_blocks_change_nothing():
    x = ga.asarray([-6, 4, 9, -8], chunks=2)
    for keep in ([False, False, True, False], [False, True, False, True], [False] * 4):
        kept = x[ga.asarray(keep, chunks=2)]
        array = np.array([-6, 4, 9, -8])[keep]
        for name in ("lcm", "gcd", "bitwise_and", "maximum", "subtract"):
            ufunc = getattr(np, name)
            same(attempt(ufunc.reduce, kept), attempt(ufunc.reduce, array), name, int)
